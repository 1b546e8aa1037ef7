/** What a store must hold beside a snapshot: the records that come to what a member knows now, in place of all that it ever appended. */
import { invariant } from '../errors.ts';
import { Founder } from '../paxos/founding.ts';
import type { Log } from '../paxos/log.ts';
import type { Slot } from '../paxos/message.ts';
import type { MemberInside, MemberRecord } from './member-io.ts';
import type { GroupBatch } from './member-message.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

export function keptRecords(
  { founder, record, replica, isGiven, log, stores }: MemberInside,
  { index }: StoredSnapshot,
): readonly MemberRecord[] {
  const records: MemberRecord[] = [];
  // What the next founding has to begin above is forgotten by no snapshot of the group that this process stands by in.
  if (founder instanceof Founder && founder.inherits) records.push({ type: 'inherited', ...founder.inherits });
  const accepted = founder?.acceptedRecord;
  if (accepted) records.push({ type: 'founding', record: accepted, complete: founder.founded !== null, confirmed: founder.isConfirmed });
  if (!replica) {
    // That it had a seat, and which stop-sign left it out: what it found out may not be forgotten before it has begun anew.
    if (isGiven && record) records.push({ type: 'configuration', record, sealedAt: index });
    // What it voted for last it may be one of two that have; and what it learned it takes into the seat that it may be given.
    if (log) records.push(...learnedAbove(index, log));
    return [...records, { type: 'position', position: stores.position }];
  }
  const { promised, chosenIndex, floor, votes, learned } = replica.snapshot();
  checkMeets(index, floor);
  // First, for what comes before it counts nothing in this configuration.
  if (record && record.configuration.id > 1) records.push({ type: 'configuration', record, sealedAt: floor });
  records.push({ type: 'promised', ballot: promised });
  for (const vote of votes) if (vote.slot > index) records.push({ type: 'voted', ...vote });
  for (const entry of learned) if (entry.slot > index) records.push({ type: 'learned', ...entry });
  records.push({ type: 'chosen', upTo: chosenIndex });
  // Last, for it says what all that is before it comes to.
  records.push({ type: 'position', position: stores.position });
  return records;
}

function learnedAbove(index: Slot, log: Log<GroupBatch>): readonly MemberRecord[] {
  checkMeets(index, log.floor);
  const records: MemberRecord[] = [];
  for (let slot = index + 1; slot <= log.lastSlot; slot += 1)
    if (log.isChosen(slot)) records.push({ type: 'learned', slot, value: log.valueAt(slot) ?? null });
  return [...records, { type: 'chosen', upTo: log.chosenIndex }];
}

/** What the log has forgotten must be in the snapshot, for nothing else holds it. */
function checkMeets(index: Slot, floor: Slot): void {
  invariant(floor <= index, `of slots above the snapshot, at ${index}, none is forgotten, as they are up to ${floor}`);
}
