/** The rules of `PartitionTable` that do not hold, as sentences. */
import { fitsNote } from '../note.ts';
import type { Partition, PartitionSet } from './partition-set.ts';
import type { PartitionTable } from './partition-table.ts';

export function checkPartitionTable(table: PartitionTable): string[] {
  const broken: string[] = [];
  let owned = 0;
  let notes = 0;
  for (const set of table.sets()) {
    for (const partition of set.partitions) {
      broken.push(...checkPartition(table, set, partition));
      owned += Number(partition.token !== 0);
      notes += Number(partition.note !== null);
    }
    const sessions = [...set.members.values()].map(({ session }) => session).filter((session) => session !== 0);
    if (new Set(sessions).size < sessions.length) broken.push(`partitions 1: two members of ${set.name} share a session`);
  }
  let indexed = 0;
  for (const ofSession of table.owned().values()) indexed += ofSession.size;
  if (indexed !== owned) broken.push(`partitions 4: ${owned} partitions are owned, the index has ${indexed}`);
  if (notes !== table.notes) broken.push(`partitions 5: there are ${notes} notes, ${table.notes} are counted`);
  return broken;
}

function checkPartition(table: PartitionTable, set: PartitionSet, partition: Partition): string[] {
  const { index, token, session, node, home, isRevoked, isCovered, note } = partition;
  const what = `${set.name}/${index}`;
  const broken: string[] = [];
  if (note !== null && (note === '' || !fitsNote(note))) broken.push(`partitions 5: the note of ${what} is empty or too long`);
  if (token === 0) {
    const next = set.members.get(home);
    if (next && next.session !== 0 && !next.isLeaving) broken.push(`partitions 2: nobody owns ${what}, and ${home} could`);
    if (isRevoked || isCovered || session !== 0) broken.push(`partitions 3: nobody owns ${what}, which is revoked or covered`);
    return broken;
  }
  if (set.members.get(node)?.session !== session)
    broken.push(`partitions 1: ${node} owns ${what} and is no member with session ${session}`);
  if (!isCovered && !isRevoked) broken.push(`partitions 3: ${what} is not covered and not revoked`);
  if (table.owned().get(session)?.get(token) !== partition) broken.push(`partitions 4: the index does not find ${what}`);
  return broken;
}
