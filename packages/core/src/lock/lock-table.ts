/**
 * The lock table: who holds each lock under which token, and who waits for it in which order. Part of the replicated state.
 * Fencing tokens after "The Chubby lock service" (2006) §2.4; `docs/protocol.md`, "Locks"; the safety rule 17.
 */
import { invariant } from '../errors.ts';
import { SequenceMap } from '../sequence-map.ts';
import type { Claim, Lock } from './claim.ts';
import { hasRoom, holderInfoOf } from './claim.ts';
import type {
  AcquireOp,
  CancelOp,
  HolderInfo,
  LockEvent,
  LockOp,
  LockResult,
  LockState,
  NoteOp,
  ProclaimOp,
  ReleaseOp,
} from './command.ts';
import { acquireFlag, lockOp, resultCode, want } from './command.ts';
import type { ClaimRow, LockTableSnapshot } from './lock-snapshot.ts';
import { restoredClaim, rowOf } from './lock-snapshot.ts';
import { stateOf, unclaimedState } from './lock-state.ts';
import { fitsNote } from '../note.ts';
import { WaitQueue } from './wait-queue.ts';

/** What the table asks of whoever keeps it. */
export interface LockTableHost {
  /** Larger than every token before. */
  nextToken(): number;
  /** Told of each grant that comes out of a queue, before the next operation is applied. */
  onGrant(session: number, node: string, granted: LockResult): void;
}

export interface LockLimits {
  /** For one lock. */
  readonly waitersMax: number;
  /** In the whole table. */
  readonly notesMax: number;
}

export const lockLimitDefaults: LockLimits = { waitersMax: 10_000, notesMax: 100_000 };

export interface LockChanges {
  readonly events: readonly LockEvent[];
  /** The resources of locks whose state changed. */
  readonly changed: ReadonlySet<string>;
}

const noChanges: LockChanges = { events: [], changed: new Set() };

/**
 * 1. An exclusive lock has at most one holder.
 * 2. Nobody waits while there is room.
 * 3. A lock that is free and without a note is forgotten.
 * 4. A holder has a token and a waiter none; no token is held twice.
 * 5. The index by session and sequence finds every holder and waiter, and nothing else.
 * 6. The counts of waiters and notes are right and within the limits; a note is never empty.
 */
export class LockTable {
  readonly #host: LockTableHost;
  readonly #limits: LockLimits;
  readonly #locks = new Map<string, Lock>();
  readonly #claims = new Map<number, SequenceMap<Claim>>();
  #notes = 0;
  #waiting = 0;
  #slot = 0;
  #wallMs = 0;
  #events: LockEvent[] = [];
  #changed = new Set<string>();

  constructor(host: LockTableHost, limits: LockLimits = lockLimitDefaults) {
    this.#host = host;
    this.#limits = limits;
  }

  /** Says in which slot, written at which calendar time, the next operations stand. */
  beginSlot(slot: number, wallMs: number): void {
    this.#slot = slot;
    this.#wallMs = wallMs;
  }

  apply(session: number, node: string, op: LockOp): LockResult {
    const seq = op[1];
    switch (op[0]) {
      case lockOp.acquire:
        return this.#acquire(session, node, op);
      case lockOp.release:
        return this.#release(session, op);
      case lockOp.cancel:
        return this.#cancel(session, op);
      case lockOp.note:
        return this.#note(session, op);
      case lockOp.proclaim:
        return this.#proclaim(session, op);
      default:
        // An operation of a later version: every replica of this one answers alike.
        return [seq, resultCode.unsupported, 0, null];
    }
  }

  /** Withdraws what the session waits for, then frees what it holds, each by sequence: it must not grant to itself. `expired` where the session was lost. */
  endSession(session: number, expired: boolean): void {
    const claims = this.#claims.get(session);
    if (claims === undefined) return;
    const inOrder = claims.values();
    for (const claim of inOrder) if (claim.token === 0) this.#withdraw(claim);
    for (const claim of inOrder) if (claim.token !== 0) this.#free(claim, expired ? 'expired' : 'released');
    this.#claims.delete(session);
  }

  /** The events and changed locks since the last call. */
  takeChanges(): LockChanges {
    if (this.#changed.size === 0) return noChanges;
    const changes = { events: this.#events, changed: this.#changed };
    this.#events = [];
    this.#changed = new Set();
    return changes;
  }

  /** The claim that the acquire `seq` of the session left, while it waits or holds. */
  claimOf(session: number, seq: number): Readonly<Claim> | undefined {
    return this.#claims.get(session)?.get(seq);
  }

  /** As the answer to the acquire that now holds. */
  grantedResultOf(claim: Readonly<Claim>): LockResult {
    return [claim.seq, resultCode.granted, claim.token, claim.lock.note];
  }

  has(resource: string): boolean {
    return this.#locks.has(resource);
  }

  stateOf(resource: string): LockState {
    const lock = this.#locks.get(resource);
    return lock === undefined ? unclaimedState(resource, this.#slot) : stateOf(lock);
  }

  get counts(): { readonly locks: number; readonly waiting: number; readonly notes: number } {
    return { locks: this.#locks.size, waiting: this.#waiting, notes: this.#notes };
  }

  get limits(): LockLimits {
    return this.#limits;
  }

  /** In the order in which they came into the table. */
  locks(): IterableIterator<Lock> {
    return this.#locks.values();
  }

  /** By session, then by the sequence of the acquire. */
  claims(): ReadonlyMap<number, SequenceMap<Claim>> {
    return this.#claims;
  }

  snapshot(): LockTableSnapshot {
    return Array.from(this.#locks.values(), rowOf);
  }

  restore(rows: LockTableSnapshot): void {
    this.#locks.clear();
    this.#claims.clear();
    this.#notes = 0;
    this.#waiting = 0;
    for (const [resource, version, note, holders, waiters] of rows) {
      const lock = this.restoreLock(resource, version, note);
      for (const row of holders) this.restoreHolder(lock, row);
      for (const row of waiters) this.restoreWaiter(lock, row);
    }
  }

  /** Puts one lock back, which has yet to be given its claims. */
  restoreLock(resource: string, version: number, note: string | null): Lock {
    const lock = this.#add(resource);
    lock.version = version;
    lock.note = note;
    if (note !== null) this.#notes += 1;
    return lock;
  }

  restoreHolder(lock: Lock, row: ClaimRow): void {
    lock.holders.push(this.#restoreClaim(lock, row));
  }

  restoreWaiter(lock: Lock, row: ClaimRow): void {
    lock.waiters ??= new WaitQueue();
    lock.waiters.push(this.#restoreClaim(lock, row));
    this.#waiting += 1;
  }

  #acquire(session: number, node: string, op: AcquireOp): LockResult {
    const [, seq, resource, wanted, flags, value] = op;
    if (wanted !== want.exclusive || (flags & ~acquireFlag.dontQueue) !== 0) return [seq, resultCode.unsupported, 0, null];
    if (value !== null && !fitsNote(value)) return [seq, resultCode.limit, 0, null];
    const lock = this.#locks.get(resource) ?? this.#add(resource);
    if (hasRoom(lock)) {
      const claim = this.#claim(lock, session, node, op);
      this.#grant(claim);
      return this.grantedResultOf(claim);
    }
    if ((flags & acquireFlag.dontQueue) !== 0) return [seq, resultCode.busy, 0, holderOf(lock)];
    lock.waiters ??= new WaitQueue();
    if (lock.waiters.size >= this.#limits.waitersMax) return [seq, resultCode.queueFull, 0, holderOf(lock)];
    const claim = this.#claim(lock, session, node, op);
    lock.waiters.push(claim);
    this.#waiting += 1;
    this.#tell('waiting', claim);
    return [seq, resultCode.queued, lock.waiters.size, holderOf(lock)];
  }

  #release(session: number, op: ReleaseOp): LockResult {
    const [, seq, resource, token, note] = op;
    const claim = this.#held(session, resource, token);
    if (claim === undefined) return [seq, resultCode.notHeld, 0, null];
    if (note !== null && !this.#writeNote(claim.lock, note)) return [seq, resultCode.limit, 0, null];
    this.#free(claim, 'released');
    return [seq, resultCode.done, 0, null];
  }

  #cancel(session: number, op: CancelOp): LockResult {
    const [, seq, target] = op;
    const claim = this.#claims.get(session)?.get(target);
    if (claim === undefined) return [seq, resultCode.done, 0, null];
    const holder = holderOf(claim.lock);
    if (claim.token !== 0) {
      this.#free(claim, 'released');
      return [seq, resultCode.done, 0, holder];
    }
    const place = claim.lock.waiters?.placeOf(claim) ?? 0;
    this.#withdraw(claim);
    return [seq, resultCode.done, place, holder];
  }

  #note(session: number, op: NoteOp): LockResult {
    const [, seq, resource, token, note] = op;
    const claim = this.#held(session, resource, token);
    if (claim === undefined) return [seq, resultCode.notHeld, 0, null];
    if (!this.#writeNote(claim.lock, note)) return [seq, resultCode.limit, 0, null];
    this.#touch(claim.lock);
    return [seq, resultCode.done, 0, null];
  }

  #proclaim(session: number, op: ProclaimOp): LockResult {
    const [, seq, resource, token, value] = op;
    const claim = this.#held(session, resource, token);
    if (claim === undefined) return [seq, resultCode.notHeld, 0, null];
    if (!fitsNote(value)) return [seq, resultCode.limit, 0, null];
    claim.value = value;
    this.#tell('proclaimed', claim);
    return [seq, resultCode.done, 0, null];
  }

  #add(resource: string): Lock {
    const lock: Lock = { resource, version: 0, holders: [], waiters: null, note: null };
    this.#locks.set(resource, lock);
    return lock;
  }

  #claim(lock: Lock, session: number, node: string, op: AcquireOp): Claim {
    const [, seq, , wanted, , value] = op;
    const claim: Claim = { lock, session, node, seq, want: wanted, token: 0, sinceWallMs: 0, value, position: 0 };
    this.#index(claim);
    return claim;
  }

  #index(claim: Claim): void {
    let ofSession = this.#claims.get(claim.session);
    if (ofSession === undefined) {
      ofSession = new SequenceMap();
      this.#claims.set(claim.session, ofSession);
    }
    invariant(!ofSession.has(claim.seq), 'an acquire leaves one claim');
    ofSession.set(claim.seq, claim);
  }

  #restoreClaim(lock: Lock, row: ClaimRow): Claim {
    const claim = restoredClaim(lock, row);
    this.#index(claim);
    return claim;
  }

  #held(session: number, resource: string, token: number): Claim | undefined {
    const holders = this.#locks.get(resource)?.holders;
    return holders?.find((claim) => claim.token === token && claim.session === session);
  }

  #grant(claim: Claim): void {
    claim.token = this.#host.nextToken();
    claim.sinceWallMs = this.#wallMs;
    claim.lock.holders.push(claim);
    this.#tell('granted', claim);
  }

  /** Takes the lock from its holder and gives it to whom it is next. */
  #free(claim: Claim, how: 'released' | 'expired'): void {
    const { lock } = claim;
    lock.holders.splice(lock.holders.indexOf(claim), 1);
    this.#claims.get(claim.session)?.delete(claim.seq);
    this.#tell(how, claim);
    this.#grantNext(lock);
    this.#maybeForget(lock);
  }

  #withdraw(claim: Claim): void {
    this.#leaveQueue(claim);
    this.#claims.get(claim.session)?.delete(claim.seq);
    this.#tell('withdrawn', claim);
    // A waiter that wanted more than those behind it may have stood in their way.
    this.#grantNext(claim.lock);
  }

  #grantNext(lock: Lock): void {
    for (let next = lock.waiters?.first(); next && hasRoom(lock); next = lock.waiters?.first()) {
      this.#leaveQueue(next);
      this.#grant(next);
      this.#host.onGrant(next.session, next.node, this.grantedResultOf(next));
    }
  }

  #leaveQueue(claim: Claim): void {
    const { lock } = claim;
    lock.waiters?.delete(claim);
    if (lock.waiters?.size === 0) lock.waiters = null;
    this.#waiting -= 1;
  }

  #maybeForget(lock: Lock): void {
    if (lock.holders.length === 0 && lock.waiters === null && lock.note === null) this.#locks.delete(lock.resource);
  }

  /** False, with nothing changed, if the note is too long or one too many. */
  #writeNote(lock: Lock, note: string): boolean {
    if (!fitsNote(note)) return false;
    if (note !== '' && lock.note === null && this.#notes >= this.#limits.notesMax) return false;
    const kept = note === '' ? null : note;
    this.#notes += Number(kept !== null) - Number(lock.note !== null);
    lock.note = kept;
    return true;
  }

  #tell(type: LockEvent['type'], claim: Claim): void {
    const { lock, node, session, token, value } = claim;
    this.#events.push({ type, resource: lock.resource, node, session, token, value });
    this.#touch(lock);
  }

  #touch(lock: Lock): void {
    lock.version = this.#slot;
    this.#changed.add(lock.resource);
  }
}

function holderOf(lock: Lock): HolderInfo | null {
  const holder = lock.holders[0];
  return holder === undefined ? null : holderInfoOf(holder);
}
