/**
 * One process of a group, whole and deterministic: founder, voter's seat and session holder behind one `step`. Production,
 * simulation and model checking run this object. `docs/protocol.md`, "A member".
 */
import { unreachable } from '../errors.ts';
import { resultCode } from '../lock/command.ts';
import { tokensOwned } from '../operation.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import { sameBallot } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { FounderOutput } from '../paxos/founding.ts';
import type { FoundingMessage, FoundingRecord, Greeting, Hello } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { SessionKey } from '../session/command.ts';
import type { HolderInput, HolderOutput, SessionHolder } from '../session/session-holder.ts';
import type { Instant } from '../time/clock.ts';
import { tokensPerSecond } from './group-state.ts';
import { FoundingDesk } from './founding-desk.ts';
import { isBesideNames } from './addressed.ts';
import { LeaderDirectory } from './leader-directory.ts';
import { instanceOf } from './leader-service.ts';
import { freshOutput } from './member-io.ts';
import type { MemberEvent, MemberInput, MemberInside, MemberOptions, MemberOutput, MemberStatus } from './member-io.ts';
import { isFoundingMessage, isLogMessage, isMembershipMessage, isRequest, isSnapshotMessage, isStoreMessage } from './member-message.ts';
import type { GroupBatch, GroupSessionMessage, MemberFrame, MemberMessage } from './member-message.ts';
import { memberStatus } from './member-status.ts';
import { Place } from './place.ts';
import { Reports } from '../paxos/reports.ts';
import { Survivor } from './survivor.ts';
import { VersionWatch } from './version-watch.ts';
import { connectedTo, greetingTo, holderFor, insideOf, storedOrigin } from './parts.ts';
import type { MembersView } from './roll.ts';
import type { SeatOrigin, SeatOutput } from './seat-io.ts';
import { StoreWatch } from './store-watch.ts';
import type { VoterSeat } from './voter-seat.ts';

export type * from './member-io.ts';

export class Member {
  /** Who can which version, and which one frames that leave are written in. */
  readonly versions: VersionWatch;
  /** Whether a majority of the group is lost. */
  readonly survivor: Survivor;
  private readonly desk: FoundingDesk;
  private readonly holder: SessionHolder<Operation, OperationResult, WatchedState>;
  private readonly directory: LeaderDirectory;
  private readonly place: Place;
  private announcedLeader: Ballot | null = null;
  private wantsSession = false;
  private opensAtMs = -Infinity;
  private highestToken = 0;
  private tickDueMs = -Infinity;
  private readonly reports = new Reports();
  private out: MemberOutput = freshOutput(0);

  constructor(private readonly options: MemberOptions) {
    const { voters, timing, memory, at } = options;
    this.desk = new FoundingDesk(options);
    this.directory = new LeaderDirectory(voters, 2 * timing.electionTimeoutMs);
    this.versions = new VersionWatch(options);
    this.place = new Place(options, this.versions, new StoreWatch(options));
    this.survivor = new Survivor(options, this.place, this.desk);
    this.highestToken = (memory?.founder.inherits?.tokenSecond ?? 0) * tokensPerSecond;
    this.holder = options.before?.holder ?? holderFor(options);
    const founded = memory?.record ?? this.founder?.founded;
    if (founded) this.enterGroup(founded, at, storedOrigin(options, founded));
    else if (options.before?.record) this.follow(options.before.record, null, at);
  }

  private get founder(): FoundingDesk['founder'] {
    return this.desk.founder;
  }

  private get seat(): VoterSeat | null {
    return this.place.seat;
  }

  step(input: MemberInput): MemberOutput {
    const out = (this.out = freshOutput(this.place.record?.configuration.id ?? 0));
    if (this.survivor.isOver && (input.type === 'frame' || input.type === 'tick')) return out;
    switch (input.type) {
      case 'frame':
        this.onFrame(input.frame, input.at);
        break;
      case 'tick':
        this.onTick(input.at);
        break;
      case 'flush':
        this.onFlush(input.at);
        break;
      case 'reconnected':
        this.stepHolder({ type: 'leaderChanged', at: input.at });
        break;
      case 'watch':
        this.stepHolder(input);
        break;
      case 'open':
        this.wantsSession = true;
        this.maybeOpenSession(input.at);
        break;
      case 'closeSession':
        this.wantsSession = false;
        this.stepHolder({ type: 'close', at: input.at });
        break;
      case 'arbiter':
        this.takeFounder(this.desk.onArbiter(input.answer, input.at), input.at);
        break;
      case 'resign':
        this.withSeat((seat) => seat.resign(input.at), input.at);
        break;
      case 'order':
        this.place.orders.give(input.id, input.order);
        break;
      default:
        unreachable(input);
    }
    this.place.stores.finish(out, this.place.record?.configuration);
    return out;
  }

  /** Takes a request of this process; it leaves at the end of the turn. Null without a session or with a full window. */
  request(build: (seq: number) => Operation): number | null {
    return this.holder.request(build);
  }

  /** When a tick is next of use. */
  get nextDeadlineMs(): number {
    const { desk, place, holder, tickDueMs } = this;
    if (this.survivor.isOver) return Infinity;
    return Math.min(desk.nextDeadlineMs(holder.session !== null), place.nextDeadlineMs, holder.nextDeadlineMs, tickDueMs);
  }

  /** How long this member's session may still be relied on. Finding it over ends it. */
  remainingMs(at: Instant): number {
    return this.holder.remainingMs(at);
  }

  /** How long the lease on the partition with this token may be relied on; 0 once it is over. */
  coverMs(token: number, at: Instant): number {
    return this.holder.coverMs(token, at);
  }

  get session(): SessionKey | null {
    return this.holder.session;
  }

  /** The second of the highest token this member has seen: a later founding starts above it. */
  get tokenSecond(): number {
    return Math.floor(this.highestToken / tokensPerSecond);
  }

  status(at: Instant): MemberStatus {
    const leader = this.leaderBallot(at.monotonicMs)?.node ?? null;
    const connected = this.connected(at.monotonicMs);
    const opensInMs = Math.max(0, this.opensAtMs - at.monotonicMs);
    const { options, versions, holder, desk } = this;
    const [hasSession, level] = [holder.session !== null, versions.spokenAt(at.monotonicMs)];
    const seen = { options, leader, connected, opensInMs, candidates: desk.candidates, hasSession, level };
    return memberStatus(this.place, { ...seen, majorityLost: this.survivor.status(at.monotonicMs) });
  }

  members(at: Instant): MembersView {
    return this.place.members(this.connected(at.monotonicMs), at);
  }

  /** For invariants and tests. */
  get inspect(): MemberInside {
    return insideOf(this.place, this.options.self, this.holder, this.founder);
  }

  private onFrame(frame: MemberFrame, at: Instant): void {
    this.out.events.push(...this.versions.hear(frame, at.monotonicMs));
    if (frame.messages.length > 0) this.directory.heard(frame.from.node, at.monotonicMs);
    for (const message of frame.messages) {
      if (isFoundingMessage(message)) this.onFoundingMessage(frame.from, message, at);
      else this.onGroupMessage(frame, message, at);
    }
  }

  private onFoundingMessage(from: Proposer, message: FoundingMessage, at: Instant): void {
    if (message.type === 'hello') this.onHello(from, message, at);
    else if (message.type === 'greeting') this.onGreeting(from, message, at);
    else this.takeFounder(this.desk.onMessage(from, message, at), at);
  }

  /** Messages that mean something only within one founding, and most only within one configuration of it. */
  private onGroupMessage(frame: MemberFrame, message: Exclude<MemberMessage, FoundingMessage>, at: Instant): void {
    const configuration = this.place.record?.configuration;
    if (!configuration) return;
    const { from, founding } = frame;
    if (founding === '') return;
    if (founding !== configuration.founding)
      return this.once(`founding ${from.node} ${founding}`, this.desk.onForeign(from.node, founding));
    const ofAny = this.place.onAnyConfiguration(frame, message, at);
    if (ofAny) this.takeSeat(ofAny, at);
    else if (isLogMessage(message)) this.onLogMessage(frame.from, message, at);
    else if (isSnapshotMessage(message) || isStoreMessage(message)) return;
    else if (isMembershipMessage(message)) this.takeSeat(this.place.onMembership(frame.from, message, at), at);
    else if (isRequest(message)) this.withSeat((seat) => seat.onRequest(frame.from, message, at), at);
    else this.onAnswer(message, at);
  }

  private onLogMessage(from: Proposer, message: PaxosMessage<GroupBatch>, at: Instant): void {
    this.withSeat((seat) => seat.onMessage(from, message, at), at);
    if (!this.place.record || !isVoter(this.place.record.configuration, from)) return;
    if (!this.seat || message.type === 'heartbeat') this.takeSeat(this.place.onLogMessage(from, message, at), at);
    if (message.type !== 'heartbeat') return;
    this.directory.onHeartbeat(from, message, at.monotonicMs);
    this.announceLeader(at);
  }

  private onAnswer(message: GroupSessionMessage, at: Instant): void {
    if (message.type === 'openRefused' && message.reason === 'closed') this.opensAtMs = at.monotonicMs + message.waitMs;
    this.stepHolder({ type: 'message', message, at });
  }

  // Who is there.

  private onHello(from: Proposer, hello: Hello, at: Instant): void {
    const { place, desk, options, tokenSecond, survivor } = this;
    this.takeFounder(this.desk.onMessage(from, hello, at), at);
    this.seat?.onStandby(from, hello);
    const isNamesake = from.node === options.self.node;
    // Of two processes of one name that have no session yet, one must yield, and both must agree which.
    if (isNamesake && this.holder.session === null && options.self.incarnation > from.incarnation) return;
    if (!isNamesake && !desk.hasToSay(place)) return;
    this.send(from.node, greetingTo(hello, { place, desk, options, tokenSecond, survivor }, at));
  }

  private onGreeting(from: Proposer, greeting: Greeting, at: Instant): void {
    const { self } = this.options;
    if (from.node === self.node) {
      const isOther = from.incarnation !== self.incarnation || from.run > self.run; // An earlier run is fenced, and stops.
      if (isOther && this.desk.isAnswer(greeting)) this.once(`name ${instanceOf(from)}`, { type: 'nodeNameTaken', by: from });
      return;
    }
    this.takeSeat(this.survivor.onGreeting(from, greeting, at), at);
    if (this.desk.isFounding) this.takeFounder(this.desk.onMessage(from, greeting, at), at);
    else if (this.desk.differs(greeting)) this.once(`voters ${from.node}`, this.desk.complaintOf(from, greeting));
    const found = this.desk.onGreeting(from, greeting, this.place.record);
    // Another group of other names, under the same name by mistake, takes nobody's seat away.
    const mayFollow = !this.seat || (isBesideNames(this.options) && this.desk.isOfSameVoters(greeting));
    if (found && mayFollow) this.follow(found, from, at);
  }

  private takeFounder(output: FounderOutput | null, at: Instant): void {
    if (!output) return;
    this.out.persist.push(...output.persist);
    this.out.arbitrate = output.arbitrate ?? this.out.arbitrate;
    this.out.send.push(...output.send);
    for (const event of output.events) {
      this.out.events.push(event);
      if (event.type === 'founded') this.enterGroup(event.record, at);
      if (event.type === 'groupExists') this.follow(event.record, null, at, event.told);
      if (event.type === 'foundingEnded') this.stepHolder({ type: 'foundingReplaced', at });
      if (event.type === 'foundingEnded' || (event.type === 'foundingAccepted' && this.options.count === undefined))
        this.place.takeNoPart();
    }
    if (this.founder?.isConfirmed) this.seat?.confirmAll();
  }

  /** Completion is known: from now on this process is a voter. */
  private enterGroup(record: FoundingRecord, at: Instant, origin?: SeatOrigin): void {
    // A seat that had been lost to a group which then died out founds anew with the others: what it held there is over.
    if (this.place.record && this.place.record.configuration.founding !== record.configuration.founding)
      this.stepHolder({ type: 'foundingReplaced', at });
    this.versions.enter(record.configuration.founding);
    const seat = this.place.enter(record, at, origin);
    this.out.configuration = record.configuration.id;
    this.directory.votersChanged(record.configuration.voters.map(({ node }) => node));
    if (this.founder?.isConfirmed) seat.confirmAll();
    this.maybeOpenSession(at);
  }

  /** There is a group, and this process takes part in it without a vote. */
  private follow(record: FoundingRecord, from: Proposer | null, at: Instant, told = from?.node ?? ''): void {
    const known = this.place.record?.configuration.founding;
    const { founding } = record.configuration;
    if (known === founding || this.seat) return from ? this.takeSeat(this.place.onMoved(from, record.configuration, at), at) : undefined;
    if (this.desk.hasForgotten(record)) return this.takeSeat(this.place.forget(told), at);
    this.place.follow(record);
    this.desk.follow(record);
    this.versions.enter(founding);
    this.out.configuration = record.configuration.id;
    this.directory.votersChanged(record.configuration.voters.map(({ node }) => node));
    if (known !== undefined) this.stepHolder({ type: 'foundingReplaced', at });
    const { self, voters, count } = this.options;
    const hadSeat = count === undefined ? voters : record.configuration.voters.map(({ node }) => node);
    if (hadSeat.includes(self.node)) this.out.events.push({ type: 'seatLost', founding });
    this.maybeOpenSession(at);
  }

  private leaderBallot(nowMs: number): Ballot | null {
    return this.seat?.replica.leader ?? this.directory.leader(nowMs);
  }

  private announceLeader(at: Instant): void {
    const leader = this.leaderBallot(at.monotonicMs);
    const before = this.announcedLeader;
    if (leader === before || (leader && before && sameBallot(leader, before))) return;
    this.announcedLeader = leader;
    this.out.events.push({ type: 'leaderChanged', leader: leader?.node ?? null, round: leader?.round ?? 0 });
    if (!leader) return;
    this.maybeOpenSession(at);
    this.stepHolder({ type: 'leaderChanged', at });
  }

  private connected(nowMs: number): readonly string[] {
    return connectedTo(this.seat, this.directory, this.options, nowMs);
  }

  private withSeat(step: (seat: VoterSeat) => SeatOutput, at: Instant): void {
    if (this.seat) this.takeSeat(step(this.seat), at);
  }

  private takeSeat({ persist, send, own, changes, events, followedBy, installed, written }: SeatOutput, at: Instant): void {
    Object.assign(this.out, { installed: installed ?? this.out.installed, written: written ?? this.out.written });
    this.out.persist.push(...persist);
    this.out.send.push(...send);
    this.out.changes.push(...changes);
    for (const event of events) {
      if (event.type !== 'following') this.out.events.push(event);
      if (event.type === 'seatRegained' && this.place.record) this.founder?.join(this.place.record.configuration.founding);
      // What its session asked for may have been answered in the slots that were passed over.
      if (event.type === 'snapshotInstalled') this.stepHolder({ type: 'leaderChanged', at });
    }
    if (followedBy) {
      this.place.follows(followedBy);
      this.directory.votersChanged(followedBy.voters.map(({ node }) => node));
    }
    this.highestToken = Math.max(this.highestToken, this.place.state?.token ?? 0);
    if (events.length > 0) this.announceLeader(at);
    for (const message of own) this.onAnswer(message, at);
  }

  // The session of this process.

  private maybeOpenSession(at: Instant): void {
    if (this.wantsSession && this.place.record && this.holder.isIdle) this.stepHolder({ type: 'open', at });
  }

  private stepHolder(input: HolderInput<Operation, OperationResult, WatchedState>, at: Instant = input.at): void {
    this.takeHolder(this.holder.step(input), at);
  }

  private takeHolder(output: HolderOutput<Operation, OperationResult, WatchedState>, at: Instant): void {
    for (const result of output.results) {
      if (result[1] === resultCode.granted) this.highestToken = Math.max(this.highestToken, result[2]);
      this.out.results.push(result);
    }
    this.out.states.push(...output.states);
    this.out.covered.push(...output.covered);
    for (const event of output.events) {
      this.out.events.push(event);
      if (event.type === 'sessionLost') this.maybeOpenSession(at);
    }
    this.sendToLeader(output.send, at);
    // A partition may be relied on only once a keep-alive covers it.
    if (output.states.some((state) => tokensOwned(state).some((token) => !this.holder.isCovered(token))))
      this.stepHolder({ type: 'cover', at });
  }

  private sendToLeader(messages: readonly GroupSessionMessage[], at: Instant): void {
    const leader = messages.length > 0 && this.leaderBallot(at.monotonicMs);
    if (!leader) return;
    for (const message of messages) {
      if (message.type === 'openSession') this.holder.openLeft();
      if (leader.node === this.options.self.node) this.withSeat((seat) => seat.onRequest(this.options.self, message, at), at);
      else this.send(leader.node, message);
    }
  }

  private onTick(at: Instant): void {
    this.tickDueMs = at.monotonicMs + this.options.timing.heartbeatMs;
    this.takeFounder(this.desk.onTick(at), at);
    if (this.holder.session === null) this.out.send.push(...this.desk.ask(at));
    this.takeSeat(this.place.onTick(at), at);
    this.announceLeader(at);
    this.takeSeat(this.survivor.onTick(this.leaderBallot(at.monotonicMs), this.tokenSecond, at), at);
    this.stepHolder({ type: 'tick', at });
    this.maybeOpenSession(at);
    for (const out of this.place.askOrders(this.leaderBallot(at.monotonicMs), at)) this.takeSeat(out, at);
  }

  private onFlush(at: Instant): void {
    this.sendToLeader(this.holder.takeSubmissions(at.monotonicMs), at);
    this.takeSeat(this.place.flush(at), at);
  }

  private once(key: string, event: MemberEvent): void {
    if (this.reports.isNews(key)) this.out.events.push(event);
  }

  private send(node: string, message: MemberMessage): void {
    this.out.send.push({ to: { type: 'node', node }, message });
  }
}
