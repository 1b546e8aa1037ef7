/** The rules of the lock table, checked one by one: the simulator calls this after every step. */
import type { Claim, Lock } from './claim.ts';
import { hasRoom } from './claim.ts';
import { want } from './command.ts';
import type { LockTable } from './lock-table.ts';
import { fitsNote } from '../note.ts';

/** The rules of `LockTable` that do not hold, as sentences. */
export function checkLockTable(table: LockTable): string[] {
  const broken: string[] = [];
  const tokens = new Set<number>();
  let claims = 0;
  let waiting = 0;
  let notes = 0;
  for (const lock of table.locks()) {
    const waiters = [...(lock.waiters ?? [])];
    broken.push(...checkLock(lock, waiters));
    for (const { token } of lock.holders) {
      if (tokens.has(token)) broken.push(`locks 4: token ${token} is held twice`);
      tokens.add(token);
    }
    for (const claim of [...lock.holders, ...waiters]) {
      if (table.claimOf(claim.session, claim.seq) !== claim) broken.push(`locks 5: ${nameOf(claim)} is not in the index`);
    }
    if (waiters.length !== (lock.waiters?.size ?? 0) || waiters.length > table.limits.waitersMax) {
      broken.push(`locks 6: ${waiters.length} waiters at ${lock.resource}`);
    }
    claims += lock.holders.length + waiters.length;
    waiting += waiters.length;
    notes += lock.note === null ? 0 : 1;
  }
  const indexed = Array.from(table.claims().values()).reduce((sum, ofSession) => sum + ofSession.size, 0);
  if (indexed !== claims) broken.push(`locks 5: the index has ${indexed} claims, the locks ${claims}`);
  if (waiting !== table.counts.waiting) broken.push(`locks 6: ${waiting} waiters are counted as ${table.counts.waiting}`);
  if (notes !== table.counts.notes || notes > table.limits.notesMax)
    broken.push(`locks 6: ${notes} notes are counted as ${table.counts.notes}`);
  return broken;
}

function checkLock(lock: Lock, waiters: readonly Claim[]): string[] {
  const { resource, holders, note } = lock;
  const broken: string[] = [];
  if (holders.length > 1 && holders.some((claim) => claim.want === want.exclusive))
    broken.push(`locks 1: ${resource} has ${holders.length} holders`);
  if (waiters.length > 0 && hasRoom(lock)) broken.push(`locks 2: ${waiters.length} wait for ${resource}, which has room`);
  if (holders.length + waiters.length === 0 && note === null) broken.push(`locks 3: ${resource} is free and kept`);
  for (const claim of holders) if (claim.token <= 0) broken.push(`locks 4: ${nameOf(claim)} holds without a token`);
  for (const claim of waiters) if (claim.token !== 0) broken.push(`locks 4: ${nameOf(claim)} waits with a token`);
  if (note !== null && (note === '' || !fitsNote(note))) broken.push(`locks 6: the note of ${resource} is empty or too long`);
  return broken;
}

function nameOf(claim: Claim): string {
  return `acquire ${claim.seq} of session ${claim.session} for ${claim.lock.resource}`;
}
