/**
 * The partitions of a group: which member is to own each, and who owns it under which token until when. Part of the replicated
 * state: deadlines arrive as decisions of the leader. Fixed ends of leases: the safety rule 18; `docs/protocol.md`, "Partitions".
 */
import { invariant } from '../errors.ts';
import { fitsNote } from '../note.ts';
import type * as C from './command.ts';
import { namesMax, partitionOp, partitionResult, partitionsInAllMax, placing, setsMax } from './command.ts';
import { ChangeCollector } from './partition-changes.ts';
import type { PartitionChanges } from './partition-changes.ts';
import type { AssignmentQuestion, Partition, PartitionMember, PartitionSet, PartitionTableSnapshot } from './partition-set.ts';
import { emptySet, forgetRefusals, isForgettable, questionOf, restoredSet, setRowOf, unownedPartition } from './partition-set.ts';

/** What the table asks of whoever keeps it. */
export interface PartitionTableHost {
  /** Larger than every token before. */
  nextToken(): number;
  /** Who is to own each partition; a function of the question alone. */
  assign(question: AssignmentQuestion): readonly (string | undefined)[];
}

/**
 * 1. A partition has at most one owner, which has a live session of a member of the set.
 * 2. A partition without an owner has no home, or a home that is absent or leaves: whoever is to own it and can, does.
 * 3. What is not covered any more is being revoked, and only what is owned is either.
 * 4. The index by session finds every owned partition, and nothing else.
 * 5. Notes are within their number and size, and never empty.
 * 6. A node refuses nothing beyond the session in which it refused. A set that keeps nothing and has no members is forgotten.
 */
export class PartitionTable {
  readonly #sets = new Map<string, PartitionSet>();
  readonly #bySession = new Map<number, Map<number, Partition>>();
  readonly #changes = new ChangeCollector();
  #notes = 0;
  #partitions = 0;

  constructor(
    private readonly host: PartitionTableHost,
    private readonly notesMax: number,
  ) {}

  apply(session: number, node: string, op: C.PartitionOp): C.PartitionResult {
    const seq = op[1];
    if (op[0] === partitionOp.join) return this.#join(session, node, op);
    const set = this.#sets.get(op[2]);
    if (set === undefined) return [seq, partitionResult.unknownSet, 0, null];
    switch (op[0]) {
      case partitionOp.leave:
        return this.#leave(set, session, node, op);
      case partitionOp.release:
        return this.#release(set, session, op);
      case partitionOp.note:
        return this.#note(set, session, op);
      case partitionOp.refuse:
        return this.#refuse(set, session, op);
      case partitionOp.accept:
        return this.#accept(set, node, op);
      case partitionOp.pin:
        return this.#pin(set, op);
      case partitionOp.place:
        return this.#place(set, op);
      case partitionOp.resize:
        return this.#resize(set, op);
      default:
        // An operation of a later version: every replica of this one answers alike.
        return [seq, partitionResult.unsupported, 0, null];
    }
  }

  /** What it owned is free at once, for its lease is over; its place is kept until a leader has waited the grace, or it left. */
  endSession(session: number, node: string): void {
    for (const set of this.#sets.values()) {
      const member = set.members.get(node);
      if (member === undefined || member.session === session) this.#forgetRefusals(set, node);
      if (member?.session !== session) continue;
      member.session = 0;
      member.isDrained = false;
      if (member.isLeaving) set.members.delete(node);
      for (const partition of set.partitions) {
        if (partition.session !== session) continue;
        this.#free(set, partition);
        // It may have been on its way to somebody else, who need not wait for the next assignment.
        this.#grant(set, partition);
      }
      this.#trim(set);
      this.#unsettle(set);
    }
  }

  // What leaders decide by their clocks; the group's state sees to their stamps.

  /** The moment is over in which changes become one: the assignment is made anew, without those absent members whose grace is over. */
  rebalance(name: string, gone: readonly string[]): void {
    const set = this.#sets.get(name);
    if (set === undefined) return;
    for (const node of gone) if (set.members.get(node)?.session === 0) set.members.delete(node);
    const homes = this.host.assign(questionOf(set));
    set.isUnsettled = false;
    this.#changes.members(name);
    for (const partition of set.partitions) {
      this.#setHome(set, partition, partition.index < set.count ? (homes[partition.index] ?? '') : '');
    }
    this.#trim(set);
    if (isForgettable(set)) this.#forget(set);
  }

  /** The drain's budget is over: from now on no keep-alive covers the partition. */
  uncover(name: string, index: number, token: number): void {
    const set = this.#sets.get(name);
    const partition = set?.partitions[index];
    if (set === undefined || partition?.token !== token || token === 0 || !partition.isRevoked) return;
    partition.isCovered = false;
    this.#changes.partition(name, index, partition.node);
  }

  /** One full TTL after that: the owner's lease on it is over, whether or not it knows. */
  free(name: string, index: number, token: number): void {
    const set = this.#sets.get(name);
    const partition = set?.partitions[index];
    if (set === undefined || partition?.token !== token || token === 0 || partition.isCovered) return;
    this.#giveUp(set, partition);
  }

  // What is read.

  get size(): number {
    return this.#sets.size;
  }

  get notes(): number {
    return this.#notes;
  }

  set(name: string): PartitionSet | undefined {
    return this.#sets.get(name);
  }

  /** In the order in which they were made. */
  sets(): IterableIterator<PartitionSet> {
    return this.#sets.values();
  }

  /** The tokens of what a session owns and what still covers it, rising. */
  coveredTokens(session: number): readonly number[] {
    const owned = this.#bySession.get(session);
    if (owned === undefined) return noTokens;
    const tokens: number[] = [];
    for (const partition of owned.values()) if (partition.isCovered) tokens.push(partition.token);
    return tokens.sort((a, b) => a - b);
  }

  /** By session, then by token. */
  owned(): ReadonlyMap<number, ReadonlyMap<number, Partition>> {
    return this.#bySession;
  }

  takeChanges(): PartitionChanges {
    return this.#changes.take();
  }

  snapshot(): PartitionTableSnapshot {
    return Array.from(this.#sets.values(), setRowOf);
  }

  restore(rows: PartitionTableSnapshot): void {
    this.#sets.clear();
    this.#bySession.clear();
    this.#notes = 0;
    this.#partitions = 0;
    for (const row of rows) {
      const { set, partitions } = restoredSet(row);
      this.restoreSet(set);
      for (const partition of partitions) this.restorePartition(set, partition);
    }
  }

  /** Puts one set back, which has yet to be given its partitions. */
  restoreSet(set: PartitionSet): void {
    this.#sets.set(set.name, set);
  }

  /** Puts the next partition of a set back. */
  restorePartition(set: PartitionSet, restored: Omit<Partition, 'index'>): void {
    const partition: Partition = { index: set.partitions.length, ...restored };
    set.partitions.push(partition);
    this.#partitions += 1;
    if (partition.token !== 0) this.#index(partition);
    if (partition.note !== null) this.#notes += 1;
  }

  #join(session: number, node: string, op: C.JoinOp): C.PartitionResult {
    const [, seq, name, weight, drainTimeoutMs, count, graceMs, settleMs] = op;
    let set = this.#sets.get(name);
    if (set === undefined) {
      if (this.#sets.size >= setsMax || !this.#hasRoomFor(count)) return [seq, partitionResult.limit, 0, null];
      set = emptySet(name, count, graceMs, settleMs);
      this.#partitions += count;
      this.#sets.set(name, set);
      for (const { index } of set.partitions) this.#changes.partition(name, index, '');
    }
    const before = set.members.get(node);
    const isSame = before?.weight === weight && !before.isLeaving;
    const isDrained = before?.session === session && before.isDrained;
    if (before?.session !== session || before.isLeaving) this.#forgetRefusals(set, node);
    set.members.set(node, { node, session, weight, drainTimeoutMs, isDrained, isLeaving: false });
    this.#changes.members(name);
    // Back before its place was given to others: everything is as it was.
    if (!isSame) this.#unsettle(set);
    for (const partition of set.partitions) if (partition.token === 0 && partition.home === node) this.#grant(set, partition);
    return [seq, partitionResult.done, 0, null];
  }

  #leave(set: PartitionSet, session: number, node: string, [, seq]: C.LeaveOp): C.PartitionResult {
    const member = set.members.get(node);
    if (member?.session !== session) return [seq, partitionResult.notHeld, 0, null];
    member.isLeaving = true;
    this.#unsettle(set);
    this.#dropIfGone(set, member);
    return [seq, partitionResult.done, 0, null];
  }

  #release(set: PartitionSet, session: number, op: C.ReleasePartitionOp): C.PartitionResult {
    const [, seq, , index, token, note] = op;
    const partition = this.#held(set, session, token, index);
    if (partition === undefined) return [seq, partitionResult.notHeld, 0, null];
    if (note !== null && !this.#writeNote(partition, note)) return [seq, partitionResult.limit, 0, null];
    this.#giveUp(set, partition);
    return [seq, partitionResult.done, 0, null];
  }

  #note(set: PartitionSet, session: number, [, seq, , index, token, note]: C.PartitionNoteOp): C.PartitionResult {
    const partition = this.#held(set, session, token, index);
    if (partition === undefined) return [seq, partitionResult.notHeld, 0, null];
    if (!this.#writeNote(partition, note)) return [seq, partitionResult.limit, 0, null];
    this.#changes.own(set.name, index, partition.node);
    return [seq, partitionResult.done, 0, null];
  }

  #refuse(set: PartitionSet, session: number, [, seq, , index, token]: C.RefuseOp): C.PartitionResult {
    const partition = this.#held(set, session, token, index);
    if (partition === undefined) return [seq, partitionResult.notHeld, 0, null];
    const refusing = set.refusals.get(index) ?? new Set();
    set.refusals.set(index, refusing.add(partition.node));
    // Nobody is given it until the assignment is made anew; its member would be the first to have it back.
    this.#setHome(set, partition, '');
    this.#giveUp(set, partition);
    this.#unsettle(set);
    return [seq, partitionResult.done, 0, null];
  }

  #accept(set: PartitionSet, node: string, [, seq, , index]: C.AcceptOp): C.PartitionResult {
    if (this.#forgetRefusals(set, node, [index]) > 0) this.#unsettle(set);
    return [seq, partitionResult.done, 0, null];
  }

  #pin(set: PartitionSet, [, seq, , index, node]: C.PinOp): C.PartitionResult {
    if (index >= set.count) return [seq, partitionResult.limit, 0, null];
    if (node !== '' && set.pins.size >= namesMax && !set.pins.has(index)) return [seq, partitionResult.limit, 0, null];
    if (node === '') set.pins.delete(index);
    else set.pins.set(index, node);
    this.#unsettle(set);
    return [seq, partitionResult.done, 0, null];
  }

  #place(set: PartitionSet, [, seq, , node, placed]: C.PlaceOp): C.PartitionResult {
    const member = set.members.get(node);
    if (placed === placing.drained && (member === undefined || member.session === 0)) return [seq, partitionResult.notHeld, 0, null];
    const isFull = set.excluded.size >= namesMax && !set.excluded.has(node);
    if (placed === placing.excluded && isFull) return [seq, partitionResult.limit, 0, null];
    if (member !== undefined) member.isDrained = placed === placing.drained;
    if (placed === placing.excluded) set.excluded.add(node);
    if (placed === placing.usual) set.excluded.delete(node);
    this.#unsettle(set);
    return [seq, partitionResult.done, 0, null];
  }

  #resize(set: PartitionSet, [, seq, , count]: C.ResizeOp): C.PartitionResult {
    if (!this.#hasRoomFor(count - set.partitions.length)) return [seq, partitionResult.limit, 0, null];
    if (count === set.count) return [seq, partitionResult.done, 0, null];
    set.count = count;
    this.#changes.count(set.name);
    for (let index = set.partitions.length; index < count; index += 1) {
      set.partitions.push(unownedPartition(index));
      this.#partitions += 1;
      this.#changes.partition(set.name, index, '');
    }
    for (const index of set.pins.keys()) if (index >= count) set.pins.delete(index);
    for (const partition of set.partitions) if (partition.index >= count) this.#setHome(set, partition, '');
    this.#trim(set);
    this.#unsettle(set);
    return [seq, partitionResult.done, 0, null];
  }

  #hasRoomFor(more: number): boolean {
    return this.#partitions + more <= partitionsInAllMax;
  }

  #forget(set: PartitionSet): void {
    this.#partitions -= set.partitions.length;
    this.#sets.delete(set.name);
  }

  #forgetRefusals(set: PartitionSet, node: string, among?: readonly number[]): number {
    const forgotten = forgetRefusals(set, node, among);
    for (const index of forgotten) this.#changes.partition(set.name, index, '');
    return forgotten.length;
  }

  #unsettle(set: PartitionSet): void {
    set.isUnsettled = true;
    this.#changes.members(set.name);
  }

  #held(set: PartitionSet, session: number, token: number, index: number): Partition | undefined {
    const partition = set.partitions[index];
    return partition !== undefined && token !== 0 && partition.token === token && partition.session === session ? partition : undefined;
  }

  #setHome(set: PartitionSet, partition: Partition, home: string): void {
    if (partition.home !== home) {
      partition.home = home;
      this.#changes.partition(set.name, partition.index, '');
    }
    if (partition.token === 0) return this.#grant(set, partition);
    if (partition.node === home || partition.isRevoked) return;
    partition.isRevoked = true;
    this.#changes.partition(set.name, partition.index, partition.node);
  }

  /** Gives it to its home, where that is there and stays. */
  #grant(set: PartitionSet, partition: Partition): void {
    const member = set.members.get(partition.home);
    if (member === undefined || member.session === 0 || member.isLeaving) return;
    partition.node = member.node;
    partition.session = member.session;
    partition.token = this.host.nextToken();
    partition.isRevoked = false;
    partition.isCovered = true;
    this.#index(partition);
    this.#changes.partition(set.name, partition.index, member.node);
  }

  /** Its owner is done with it, or was given all the time that there is. */
  #giveUp(set: PartitionSet, partition: Partition): void {
    const member = set.members.get(partition.node);
    this.#free(set, partition);
    this.#grant(set, partition);
    this.#trim(set);
    if (member) this.#dropIfGone(set, member);
  }

  #free(set: PartitionSet, partition: Partition): void {
    const { node, session, token } = partition;
    const owned = this.#bySession.get(session);
    invariant(owned?.delete(token) === true, 'what is freed was owned');
    if (owned.size === 0) this.#bySession.delete(session);
    partition.node = '';
    partition.session = 0;
    partition.token = 0;
    partition.isRevoked = false;
    partition.isCovered = false;
    this.#changes.partition(set.name, partition.index, node);
  }

  /** A member that left is forgotten once it has nothing more. */
  #dropIfGone(set: PartitionSet, member: PartitionMember): void {
    if (!member.isLeaving || set.partitions.some(({ session }) => session === member.session)) return;
    set.members.delete(member.node);
    this.#forgetRefusals(set, member.node);
    this.#unsettle(set);
  }

  /** Partitions above the count go once nobody owns them, from the last on. */
  #trim(set: PartitionSet): void {
    for (let last = set.partitions.at(-1); last && last.index >= set.count && last.token === 0; last = set.partitions.at(-1)) {
      if (last.note !== null) this.#notes -= 1;
      set.partitions.pop();
      this.#partitions -= 1;
      set.refusals.delete(last.index);
    }
  }

  #index(partition: Partition): void {
    const owned = this.#bySession.get(partition.session) ?? new Map<number, Partition>();
    this.#bySession.set(partition.session, owned.set(partition.token, partition));
  }

  /** False, with nothing changed, if the note is too long or one too many. */
  #writeNote(partition: Partition, note: string): boolean {
    if (!fitsNote(note)) return false;
    if (note !== '' && partition.note === null && this.#notes >= this.notesMax) return false;
    const kept = note === '' ? null : note;
    this.#notes += Number(kept !== null) - Number(partition.note !== null);
    partition.note = kept;
    return true;
  }
}

const noTokens: readonly number[] = [];
