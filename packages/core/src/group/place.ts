/**
 * A process's place in its group: client, standby or voter; what it knows of the configuration; and how it comes from one place to the
 * next. The safety rules 1, 3 and 16; `docs/protocol.md`, "Standbys and swaps".
 */
import { isVoter } from '../paxos/configuration.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { sameProposer } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import type { Chosen, Moved, PaxosMessage } from '../paxos/message.ts';
import type { StoreMessage } from '../paxos/store-message.ts';
import type { MembershipMessage, OrderAnswered, OrderGiven } from '../paxos/voter-order.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';
import type { Instant } from '../time/clock.ts';
import { CatchUp } from './catch-up.ts';
import { GroupState } from './group-state.ts';
import type { MemberOptions, PlaceEvent } from './member-io.ts';
import { isLogMessage, isMembershipMessage, isRequest, isSnapshotMessage, isStoreMessage } from './member-message.ts';
import type { GroupBatch, MemberFrame, MemberMessage, MemberSend } from './member-message.ts';
import { OrderDesk } from './order-desk.ts';
import { Roll } from './roll.ts';
import type { MembersView } from './roll.ts';
import type { FetchedSnapshot } from './snapshot-client.ts';
import { Snapshots } from './snapshots.ts';
import { Standby } from './standby.ts';
import type { StoreWatch } from './store-watch.ts';
import type { VersionWatch } from './version-watch.ts';
import { freshSeatOutput } from './seat-io.ts';
import type { SeatOrigin, SeatOutput } from './seat-io.ts';
import { VoterSeat } from './voter-seat.ts';

/**
 * 1. It votes only where its very incarnation is listed, and only once it holds the state up to the slot at which that configuration began.
 * 2. A client believes what it hears of later configurations; whoever has a log goes from one to the next by applying it.
 * 3. A seat that was given away is kept to serve its log until a leader of a later configuration is heard.
 */
export class Place {
  private known: FoundingRecord | null = null;
  private voter: VoterSeat | null = null;
  private standby: Standby | null = null;
  private snapshots: Snapshots | null = null;
  /** What this process asks of whoever leads. */
  readonly orders: OrderDesk;
  private readonly roll: Roll;
  private readonly questions: CatchUp;
  private readonly toldMs = new Map<string, number>();

  constructor(
    private readonly options: Omit<MemberOptions, 'at' | 'memory'>,
    private readonly versions: VersionWatch,
    readonly stores: StoreWatch,
  ) {
    const { heartbeatMs, electionTimeoutMs } = options.timing;
    this.questions = new CatchUp(heartbeatMs);
    this.orders = options.before?.orders ?? new OrderDesk(heartbeatMs);
    this.roll = new Roll(4 * electionTimeoutMs);
  }

  /** The founding's record, with the last configuration that this process knows of. */
  get record(): FoundingRecord | null {
    return this.known;
  }

  /** While it votes. */
  get seat(): VoterSeat | null {
    return this.voter?.isGiven === false ? this.voter : null;
  }

  get isStandby(): boolean {
    return this.standby !== null;
  }

  /** Whoever has a state can serve what made it. */
  get state(): GroupState | null {
    return this.voter?.state ?? this.standby?.state ?? null;
  }

  get log(): VoterSeat['replica']['log'] | null {
    return this.voter?.replica.log ?? this.standby?.log ?? null;
  }

  /** It had a seat, and a stop-sign that it knows of left it out. */
  get isGiven(): boolean {
    return this.voter?.isGiven === true;
  }

  /** This process is a voter of the record's configuration. */
  enter(record: FoundingRecord, at: Instant, origin: SeatOrigin = {}): VoterSeat {
    // Of an earlier founding nothing is of use, and its snapshots would be taken for those of this one.
    if (this.known?.configuration.founding !== record.configuration.founding) this.snapshots = null;
    this.snapshots ??= new Snapshots(this.options, record);
    this.known = record;
    this.standby = null;
    this.voter = new VoterSeat(this.options, record, at, this.versions, { ...origin, isInDoubt: this.stores.isInDoubt });
    return this.voter;
  }

  /** There is a group that this process has no seat in. Whoever is named as a voter, or asked to, stands by for one. */
  follow(record: FoundingRecord): void {
    this.snapshots = new Snapshots(this.options, record);
    this.known = record;
    this.voter = null;
    const { self, voters } = this.options;
    if (!voters.includes(self.node) && this.options.standsBy !== true) return;
    this.standby = this.standbyWith(new GroupState({ maxSessionTtlMs: record.maxSessionTtlMs }, this.options.levels));
  }

  /**
   * What means the same in every configuration, and whatever is said in another one than the one that is known here: that is nobody's
   * vote, but one of the two can tell the other how things stand. Null for what is said in this one.
   */
  onAnyConfiguration(frame: MemberFrame, message: MemberMessage, at: Instant): SeatOutput | null {
    const { from, configuration } = frame;
    if (isStoreMessage(message)) return this.onStoreMessage(frame, message, at);
    if (isSnapshotMessage(message)) return this.onSnapshotMessage(from, message, at);
    if (message.type === 'moved') return this.onMoved(from, message.configuration, at);
    if (message.type === 'chosen') return this.onChosen(from, message, at);
    const isOfLog = isLogMessage(message) || isMembershipMessage(message);
    const id = this.known?.configuration.id ?? 0;
    if (configuration > id) return isOfLog ? this.onAhead(from, message, at) : freshSeatOutput();
    const out = message.type === 'fetch' ? (this.voter?.onFetch(from, message, at) ?? freshSeatOutput()) : null;
    if (configuration === id) return out;
    return isOfLog || isRequest(message) ? this.tellMoved(from, configuration, at, out ?? freshSeatOutput()) : freshSeatOutput();
  }

  /**
   * The word of somebody in a later configuration; or of the leader of another founding, which all that this one was founded with are in: then
   * no majority of this one is left (the safety rule 14), and whoever has a seat here beside those names gives it up.
   */
  onMoved(from: Proposer, configuration: Configuration, at: Instant): SeatOutput {
    if (!this.known) return freshSeatOutput();
    if (configuration.founding !== this.known.configuration.founding) return this.voter ? this.leave() : freshSeatOutput();
    if (configuration.id <= this.known.configuration.id) return freshSeatOutput();
    if (this.voter?.isGiven === false) return this.voter.onBehind(from, at);
    const out = freshSeatOutput();
    this.announce(configuration, out);
    if (this.standby) out.send.push(...this.standby.ask(from, at));
    return out;
  }

  /** A frame of a later configuration: whoever has a log learns what is between, anybody else asks who votes now. */
  private onAhead(from: Proposer, message: MemberMessage, at: Instant): SeatOutput {
    if (message.type === 'fetch' && this.voter) return this.voter.onFetch(from, message, at);
    if (this.isGiven && message.type === 'heartbeat') return this.leave();
    if (this.voter) return this.voter.onBehind(from, at);
    const out = freshSeatOutput();
    if (this.standby) out.send.push(...this.standby.ask(from, at));
    out.send.push(...this.questions.ask(from.node, 1, at.monotonicMs, 0));
    return out;
  }

  /** The answer to whoever speaks in an earlier configuration than the one that is known here for sure. */
  private tellMoved(from: Proposer, configuration: number, at: Instant, out: SeatOutput): SeatOutput {
    const present = this.state?.configuration;
    if (!this.known || !present || present.id <= configuration) return out;
    if (at.monotonicMs - (this.toldMs.get(from.node) ?? -Infinity) < this.options.timing.heartbeatMs / 2) return out;
    this.toldMs.set(from.node, at.monotonicMs);
    const { founding } = this.known.configuration;
    const message: Moved = {
      type: 'moved',
      configuration: { founding, id: present.id, voters: present.voters },
      sealedAt: present.sealedAt,
    };
    out.send.push({ to: { type: 'node', node: from.node }, message });
    return out;
  }

  /** From a voter of the configuration that is known here, which may be one that this process has yet to come to. */
  onLogMessage(from: Proposer, message: PaxosMessage<GroupBatch>, at: Instant): SeatOutput {
    if (this.isGiven && message.type === 'heartbeat') return this.leave();
    const out = freshSeatOutput();
    if (message.type === 'heartbeat') this.snapshots?.onHeartbeat(from, message);
    if (!this.standby) return out;
    const isLate = this.standby.state.configuration.id < (this.known?.configuration.id ?? 0);
    if (message.type === 'heartbeat') out.send.push(...this.standby.onHeartbeat(from, message, at));
    // Its own vote may be the one that is missing for a leader to exist.
    else if (isLate) out.send.push(...this.standby.ask(from, at));
    return out;
  }

  /** What is said about who votes, by whoever is in this configuration. */
  onMembership(from: Proposer, message: MembershipMessage, at: Instant): SeatOutput {
    const out = freshSeatOutput();
    if (message.type === 'standbySeen') this.seat?.onStandby(from, message);
    else if (message.type === 'roster') this.roll.onRoster(message, at.monotonicMs);
    else if (message.type === 'orderAnswered') out.events.push(...this.orders.onAnswered(message));
    else if (message.type === 'orderGiven') return this.onOrder(from, message, at);
    return out;
  }

  /** The orders that are to be given to the leader now. */
  askOrders(leader: Ballot | null, at: Instant): readonly SeatOutput[] {
    const out = freshSeatOutput();
    const { asks, events } = this.orders.due(leader, at.monotonicMs);
    out.events.push(...events);
    if (!leader) return [out];
    const { self } = this.options;
    if (sameProposer(leader, self)) return [out, ...asks.map((message) => this.onOrder(self, message, at))];
    for (const message of asks) out.send.push({ to: { type: 'node', node: leader.node }, message });
    return [out];
  }

  private onOrder(from: Proposer, message: OrderGiven, at: Instant): SeatOutput {
    const out = this.seat?.onOrder(message, at) ?? freshSeatOutput();
    const { answer } = out;
    if (answer === null) return out;
    const answered: OrderAnswered = { type: 'orderAnswered', id: message.id, answer };
    if (sameProposer(from, this.options.self)) out.events.push(...this.orders.onAnswered(answered));
    else out.send.push({ to: { type: 'node', node: from.node }, message: answered });
    return out;
  }

  members(connected: readonly string[], at: Instant): MembersView {
    const { state, seat } = this;
    const { id: configuration, voters } = this.known?.configuration ?? { id: 0, voters: [] };
    const standbys = seat?.isServing ? seat.roster(at) : null;
    return this.roll.view({ configuration, voters, connected, state, standbys }, at.monotonicMs);
  }

  private onChosen(from: Proposer, message: Chosen<GroupBatch>, at: Instant): SeatOutput {
    const out = this.onValues(from, message, at);
    const { log, snapshots } = this;
    if (log && snapshots) out.send.push(...snapshots.onFloor(from, message.floor, log.chosenIndex, at));
    return out;
  }

  private onValues(from: Proposer, message: Chosen<GroupBatch>, at: Instant): SeatOutput {
    if (this.voter) return this.voter.onChosen(from, message, at);
    return this.standby ? this.onLearned(this.standby, from, message, at) : freshSeatOutput();
  }

  // Snapshots.

  private onSnapshotMessage(from: Proposer, message: SnapshotMessage, at: Instant): SeatOutput {
    const out = freshSeatOutput();
    const { snapshots, voter, known } = this;
    if (!snapshots || !known) return out;
    const origin = voter && { founding: known.configuration.founding, state: voter.state, floor: voter.replica.log.floor };
    const outcome = snapshots.onMessage(from, message, origin, at);
    const installed = Array.isArray(outcome) ? null : this.install(snapshots, outcome as FetchedSnapshot, at);
    this.hold(snapshots);
    if (installed) return installed;
    out.send.push(...(outcome as MemberSend[]));
    return out;
  }

  /** What the log brought meanwhile may have made the snapshot useless; and a leader lacks nothing that others applied. */
  private install(snapshots: Snapshots, fetched: FetchedSnapshot, at: Instant): SeatOutput {
    const { voter, log, known } = this;
    const { state, stored } = fetched;
    if (!log || !known || stored.index <= log.chosenIndex || voter?.replica.leading) return freshSeatOutput();
    const next = snapshots.onInstalled(fetched, at);
    const out = voter ? voter.install(state, at) : this.standBy(state, known, at);
    out.send.push(next);
    out.events.push({ type: 'snapshotInstalled', index: stored.index, from: fetched.from });
    out.installed = stored;
    return out;
  }

  private standBy(state: GroupState, known: FoundingRecord, at: Instant): SeatOutput {
    const out = freshSeatOutput();
    const { id, voters } = state.configuration;
    const configuration = { founding: known.configuration.founding, id, voters };
    const standby = this.standbyWith(state);
    this.standby = standby;
    if (isVoter(configuration, this.options.self)) return this.promote(standby, { ...known, configuration }, at, out);
    if (id > known.configuration.id) this.announce(configuration, out);
    return out;
  }

  private standbyWith(state: GroupState): Standby {
    const { self, timing } = this.options;
    return new Standby(state, timing.heartbeatMs, (sealed) => isVoter(sealed, self));
  }

  /** When a tick is next of use. */
  get nextDeadlineMs(): number {
    return Math.min(this.seat?.nextDeadlineMs ?? Infinity, this.snapshots?.nextDeadlineMs ?? Infinity, this.orders.nextDeadlineMs);
  }

  onTick(at: Instant): SeatOutput {
    const out = this.seat?.onTick(at) ?? freshSeatOutput();
    const { snapshots, log } = this;
    if (snapshots && log) out.send.push(...snapshots.onTick(log, at));
    return this.recollect(at, out);
  }

  /** The end of a turn, and a slice of the snapshot that is being written. */
  flush(at: Instant): SeatOutput {
    const { snapshots } = this;
    const written = snapshots?.server.step();
    if (snapshots) {
      if (this.seat) snapshots.beginToStore(this.seat);
      this.hold(snapshots);
      snapshots.onTurnEnd();
    }
    const out = this.seat?.flush(at) ?? freshSeatOutput();
    if (written && this.seat) out.written = snapshots?.toStore(written) ?? null;
    return out;
  }

  /** Frozen, a voter learns what it does not apply; and nobody forgets what a store is yet to be given. */
  private hold({ server, keepAbove }: Snapshots): void {
    const { voter, log } = this;
    if (voter) voter.isFrozen = server.isWriting;
    if (log) log.keepAbove = keepAbove;
  }

  /** After a step of the seat: what it says of the configuration is what this process knows. */
  follows(configuration: Configuration): void {
    if (this.known) this.known = { ...this.known, configuration };
  }

  private onLearned(standby: Standby, from: Proposer, message: Chosen<GroupBatch>, at: Instant): SeatOutput {
    const { persist, send, sealed } = standby.onChosen(from, message, at);
    this.versions.learn(standby.state.level);
    const out = freshSeatOutput();
    out.persist.push(...persist);
    out.send.push(...send);
    const { known } = this;
    if (!sealed || !known) return out;
    const configuration = { founding: known.configuration.founding, id: sealed.id, voters: sealed.voters };
    if (isVoter(configuration, this.options.self)) return this.promote(standby, { ...known, configuration }, at, out);
    if (sealed.id > known.configuration.id) this.announce(configuration, out);
    return out;
  }

  private promote(standby: Standby, record: FoundingRecord, at: Instant, out: SeatOutput): SeatOutput {
    const { founding, id } = record.configuration;
    this.enter(record, at, { standby });
    out.persist.push({ type: 'configuration', record, sealedAt: standby.state.appliedIndex });
    out.events.push({ type: 'seatRegained', founding, configuration: id });
    this.announce(record.configuration, out);
    return out;
  }

  private announce(configuration: Configuration, out: SeatOutput): void {
    out.followedBy = configuration;
    out.events.push({ type: 'votersChanged', configuration });
  }

  /** It accepted the record of another founding, or gave up what it had in this one: it takes no part in it any more. */
  takeNoPart(): void {
    this.voter = null;
    this.standby = null;
    this.snapshots = null;
  }

  // Whether its store went back. The safety rule 21.

  private onStoreMessage(frame: MemberFrame, message: StoreMessage, at: Instant): SeatOutput {
    const out = freshSeatOutput();
    if (!this.known) return out;
    const lapse = this.stores.onMessage(frame, message, this.known.configuration, out);
    if (lapse) return this.discard({ type: 'storeWentBack', ...lapse }, out);
    return this.recollect(at, message.type === 'recall' ? this.tellMoved(frame.from, frame.configuration, at, out) : out);
  }

  private recollect(at: Instant, out: SeatOutput): SeatOutput {
    const lapse = this.seat && this.stores.recollect(this.seat, at, out);
    return lapse ? this.discard({ type: 'storeWentBack', ...lapse }, out) : out;
  }

  /** A majority of a later configuration holds what this seat held: nobody asks it any more. */
  private leave(): SeatOutput {
    const { founding, id } = this.known?.configuration ?? { founding: '', id: 0 };
    return this.discard({ type: 'seatGiven', founding, configuration: id }, freshSeatOutput());
  }

  /** `by` knows of a founding that this incarnation must have accepted: its store went back to before that. */
  forget(by: string): SeatOutput {
    const { position } = this.stores;
    return this.discard({ type: 'storeWentBack', found: position, seen: position + 1, by }, freshSeatOutput());
  }

  discard(event: PlaceEvent, out: SeatOutput): SeatOutput {
    this.takeNoPart();
    out.persist.push({ type: 'discarded' });
    out.events.push(event);
    return out;
  }
}
