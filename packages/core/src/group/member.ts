/**
 * One process of a group, whole and deterministic: founder, replica of the log, leader's service and session holder behind one
 * `step`. Production, simulation and model checking run this object. `docs/protocol.md`, "A member".
 */
import { unreachable } from '../errors.ts';
import { resultCode } from '../lock/command.ts';
import type { LockEvent, LockOp, LockResult, LockState } from '../lock/command.ts';
import { ballotStamp, compareBallots, sameBallot } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { Founder } from '../paxos/founding.ts';
import type { FounderEvent, FounderMemory, FounderOutput, FounderRecord } from '../paxos/founding.ts';
import type { FoundingMessage, FoundingRecord, Greeting, Hello, Standing } from '../paxos/founding-message.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { ChosenEntry } from '../paxos/log.ts';
import type { Heartbeat } from '../paxos/message.ts';
import { Replica } from '../paxos/replica.ts';
import type { ReplicaEvent, ReplicaInput, ReplicaMemory, ReplicaRecord, ReplicaTiming } from '../paxos/replica.ts';
import { entryKind } from '../session/command.ts';
import type { SessionKey } from '../session/command.ts';
import { SessionHolder } from '../session/session-holder.ts';
import type { HolderEvent, HolderInput, HolderOutput } from '../session/session-holder.ts';
import type { Instant } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { Applied } from './group-applied.ts';
import { GroupState } from './group-state.ts';
import { Inquiry } from './inquiry.ts';
import { instanceOf, LeaderService } from './leader-service.ts';
import type { GroupBatch, GroupEntry, GroupSessionMessage, MemberFrame, MemberMessage, MemberSend } from './member-message.ts';

export interface MemberOptions {
  readonly self: Proposer;
  /** Sorted by code unit. A node that is not among them is a client. */
  readonly voters: readonly string[];
  readonly timing: ReplicaTiming;
  readonly sessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  readonly reads: 'lease' | 'quorum';
  readonly random: Random;
  readonly limits: MemberLimits;
  readonly at: Instant;
  readonly memory?: MemberMemory;
}

export interface MemberLimits {
  /** Most bytes of one batch; asked at each use, for a broker may change its mind. */
  readonly batchBytesMax: () => number;
  readonly sizeOfEntry: (entry: GroupEntry) => number;
  readonly sizeOfBatch: (batch: GroupBatch) => number;
  readonly outstandingMax: number;
}

export interface MemberMemory {
  readonly founder: FounderMemory;
  readonly replica?: ReplicaMemory<GroupBatch>;
}

export type MemberRecord = FounderRecord | ReplicaRecord<GroupBatch>;

export type MemberEvent =
  | Exclude<ReplicaEvent, { type: 'following' }>
  | FounderEvent
  | HolderEvent
  | { readonly type: 'leaderChanged'; readonly leader: string | null; readonly round: number }
  | { readonly type: 'serving'; readonly round: number }
  /** A voter that came back without its memory: it serves as a client until it is swapped in. */
  | { readonly type: 'seatLost'; readonly founding: string }
  | { readonly type: 'nodeNameTaken'; readonly by: Proposer }
  | { readonly type: 'foreignFounding'; readonly node: string; readonly founding: string };

/** A change of a lock, for readers outside the group; `slot` and `index` make it one of a kind within the founding. */
export interface PublishedChange {
  readonly slot: number;
  readonly index: number;
  readonly wallMs: number;
  readonly change: LockEvent;
}

/** Fields in the order in which they are carried out: nothing in `send` leaves before `persist` is durable. */
export interface MemberOutput {
  readonly persist: MemberRecord[];
  readonly send: MemberSend[];
  /** Answers to this member's own requests. */
  readonly results: LockResult[];
  readonly states: LockState[];
  /** Only while this member leads. */
  readonly changes: PublishedChange[];
  readonly events: MemberEvent[];
}

export type MemberInput =
  | { readonly type: 'frame'; readonly frame: MemberFrame; readonly at: Instant }
  | { readonly type: 'tick'; readonly at: Instant }
  /** The end of a turn: batches and acknowledgements leave. */
  | { readonly type: 'flush'; readonly at: Instant }
  /** The connection came back: what was sent meanwhile is lost. */
  | { readonly type: 'reconnected'; readonly at: Instant }
  | { readonly type: 'watch'; readonly resources: readonly string[]; readonly at: Instant }
  /** Opens a session, now and whenever one was lost. */
  | { readonly type: 'open'; readonly at: Instant }
  | { readonly type: 'closeSession'; readonly at: Instant }
  | { readonly type: 'resign'; readonly at: Instant };

export interface MemberStatus {
  readonly role: 'leader' | 'voter' | 'client';
  readonly leader: string | null;
  /** Voters that the leader is in touch with; without a leader, those heard within an election timeout or two. */
  readonly connected: readonly string[];
  readonly founding: string | null;
  readonly voters: readonly string[];
  readonly stage: 'founding' | 'electing' | 'opening' | 'open';
  readonly opensInMs: number;
  readonly appliedIndex: number;
}

/** Slots in flight at once on a fast link; each millisecond of round trip allows one more, up to the maximum. */
const window = { least: 2, most: 8 };
const quorumRoundsPerElection = 1;
/** Oddities are reported once each; beyond this many they are all alike. */
const reportsMax = 1_000;

export class Member {
  private readonly founder: Founder | null;
  private readonly inquiry: Inquiry;
  private readonly holder: SessionHolder<LockOp, LockResult, LockState>;
  private readonly instance: string;
  private replica: Replica<GroupBatch> | null = null;
  private state: GroupState | null = null;
  private service: LeaderService | null = null;
  private record: FoundingRecord | null = null;
  private completeSinceMs = Infinity;
  private directory: { readonly ballot: Ballot; readonly connected: readonly string[]; readonly atMs: number } | null = null;
  private announcedLeader: Ballot | null = null;
  private readonly heardAtMs = new Map<string, number>();
  private wantsSession = false;
  private opensAtMs = -Infinity;
  private highestToken = 0;
  private tickDueMs = -Infinity;
  private readonly reported = new Set<string>();
  private out: MemberOutput = freshOutput();

  constructor(private readonly options: MemberOptions) {
    const { self, voters, timing, memory, limits, at } = options;
    this.instance = instanceOf(self);
    this.founder = voters.includes(self.node)
      ? new Founder({
          self,
          voters,
          periodMs: timing.heartbeatMs,
          maxSessionTtlMs: options.maxSessionTtlMs,
          firstFounding: options.firstFounding,
          memory: memory?.founder,
        })
      : null;
    this.inquiry = new Inquiry(self, voters, timing.heartbeatMs);
    this.holder = new SessionHolder({
      ttlMs: options.sessionTtlMs,
      resendMs: timing.electionTimeoutMs,
      instance: this.instance,
      outstandingMax: limits.outstandingMax,
      seqOf,
      isInterim,
    });
    const founded = this.founder?.founded;
    if (founded) this.enterGroup(founded, at, memory?.replica);
  }

  step(input: MemberInput): MemberOutput {
    const out = (this.out = freshOutput());
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
        this.stepHolder({ type: 'watch', resources: input.resources, at: input.at });
        break;
      case 'open':
        this.wantsSession = true;
        this.maybeOpenSession(input.at);
        break;
      case 'closeSession':
        this.wantsSession = false;
        this.stepHolder({ type: 'close', at: input.at });
        break;
      case 'resign':
        this.stepReplica({ type: 'resign', nowMs: input.at.monotonicMs }, input.at);
        break;
      default:
        unreachable(input);
    }
    return out;
  }

  /** Takes a request of this process; it leaves at the end of the turn. Null without a session or with a full window. */
  request(build: (seq: number) => LockOp): number | null {
    return this.holder.request(build);
  }

  /** When a tick is next of use. */
  get nextDeadlineMs(): number {
    const founderDueMs = this.founder?.nextDeadlineMs ?? Infinity;
    const inquiryDueMs = this.needsInquiry ? this.inquiry.nextDeadlineMs : Infinity;
    const replicaDueMs = this.replica?.nextDeadlineMs ?? Infinity;
    return Math.min(founderDueMs, inquiryDueMs, replicaDueMs, this.holder.nextDeadlineMs, this.tickDueMs);
  }

  /** How long this member's session may still be relied on. Finding it over ends it. */
  remainingMs(at: Instant): number {
    return this.holder.remainingMs(at);
  }

  get session(): SessionKey | null {
    return this.holder.session;
  }

  get inJeopardy(): boolean {
    return this.holder.inJeopardy;
  }

  /** The second of the highest token this member has seen: a later founding starts above it. */
  get tokenSecond(): number {
    return Math.floor(this.highestToken / 2 ** 22);
  }

  status(at: Instant): MemberStatus {
    const { voters } = this.options;
    const leader = this.leaderBallot(at.monotonicMs)?.node ?? null;
    const isLeader = this.service?.isServing ?? false;
    return {
      role: isLeader ? 'leader' : this.replica ? 'voter' : 'client',
      leader,
      connected: this.connected(at.monotonicMs),
      founding: this.record?.configuration.founding ?? null,
      voters: this.record?.configuration.voters.map(({ node }) => node) ?? voters,
      stage: !this.record ? 'founding' : leader === null ? 'electing' : this.holder.session === null ? 'opening' : 'open',
      opensInMs: Math.max(0, this.opensAtMs - at.monotonicMs),
      appliedIndex: this.state?.appliedIndex ?? 0,
    };
  }

  /** For invariants and tests: the replicated state, the replica and the founding. */
  get inspect(): {
    readonly state: GroupState | null;
    readonly replica: Replica<GroupBatch> | null;
    readonly record: FoundingRecord | null;
  } {
    return { state: this.state, replica: this.replica, record: this.record };
  }

  // Frames.

  private onFrame(frame: MemberFrame, at: Instant): void {
    const { from } = frame;
    if (this.options.voters.includes(from.node)) this.heardAtMs.set(from.node, at.monotonicMs);
    for (const message of frame.messages) {
      switch (message.type) {
        case 'hello':
          this.onHello(from, message, at);
          break;
        case 'greeting':
          this.onGreeting(from, message, at);
          break;
        case 'found':
        case 'foundingAccepted':
        case 'foundingConfirmed':
          this.stepFounder(from, message, at);
          break;
        default:
          this.onGroupMessage(frame, message, at);
      }
    }
  }

  /** Messages that mean something only within one configuration of one founding. */
  private onGroupMessage(frame: MemberFrame, message: Exclude<MemberMessage, FoundingMessage>, at: Instant): void {
    const configuration = this.record?.configuration;
    if (!configuration) return;
    if (frame.founding !== configuration.founding) return this.reportForeign(frame);
    if (frame.configuration !== configuration.id) return;
    const { from } = frame;
    switch (message.type) {
      case 'canvass':
      case 'support':
      case 'prepare':
      case 'promise':
      case 'reject':
      case 'accept':
      case 'accepted':
      case 'heartbeatSeen':
      case 'abdicate':
      case 'fetch':
      case 'chosen':
        return this.stepReplica({ type: 'message', from, message, nowMs: at.monotonicMs }, at);
      case 'heartbeat':
        this.stepReplica({ type: 'message', from, message, nowMs: at.monotonicMs }, at);
        return this.noteLeader(from, message, at);
      case 'openSession':
      case 'closeSession':
      case 'submit':
      case 'keepAlive':
      case 'watch':
        return this.onRequest(from, message, at);
      case 'sessionOpened':
      case 'openRefused':
      case 'replies':
      case 'keptAlive':
      case 'sessionEnded':
      case 'watched':
      case 'redirect':
        return this.onAnswer(message, at);
      default:
        return unreachable(message);
    }
  }

  private onRequest(from: Proposer, message: GroupSessionMessage, at: Instant): void {
    const nowMs = at.monotonicMs;
    if (!this.service) return;
    this.service.onMessage(from, message, nowMs);
    this.collectService(at);
  }

  private onAnswer(message: GroupSessionMessage, at: Instant): void {
    if (message.type === 'openRefused') this.opensAtMs = at.monotonicMs + message.waitMs;
    this.stepHolder({ type: 'message', message, at });
  }

  // Who is there.

  private onHello(from: Proposer, hello: Hello, at: Instant): void {
    const { self, voters } = this.options;
    if (this.founder) this.stepFounder(from, hello, at);
    const isNamesake = from.node === self.node;
    // Of two processes of one name that have no session yet, one must yield, and both must agree which.
    if (isNamesake && this.holder.session === null && self.incarnation > from.incarnation) return;
    if (!isNamesake && !this.founder) return;
    const record = this.founder ? this.founder.acceptedRecord : null;
    this.send(from.node, {
      type: 'greeting',
      nonce: hello.nonce,
      voters,
      wallMs: at.wallMs,
      tokenSecond: this.tokenSecond,
      longestTtlMs: this.options.maxSessionTtlMs,
      standing: this.standing(at.monotonicMs),
      record,
    });
  }

  private standing(nowMs: number): Standing {
    const term = this.replica?.leading;
    if (term && nowMs < term.lease.heldUntilMs()) return 'led';
    return this.founder?.standing ?? 'live';
  }

  private onGreeting(from: Proposer, greeting: Greeting, at: Instant): void {
    const { self } = this.options;
    if (from.node === self.node) {
      const isOther = from.incarnation !== self.incarnation || from.run !== self.run;
      if (isOther && this.inquiry.isAnswer(greeting)) this.out.events.push({ type: 'nodeNameTaken', by: from });
      return;
    }
    if (this.founder) this.stepFounder(from, greeting, at);
    else if (this.inquiry.isAnswer(greeting)) this.compareVoters(from, greeting.voters);
    const found = this.inquiry.onGreeting(from, greeting, this.record);
    if (found && !this.replica) this.follow(found, at);
  }

  private compareVoters(from: Proposer, theirs: readonly string[]): void {
    const { voters: ours } = this.options;
    if (theirs.length === ours.length && theirs.every((node, index) => node === ours[index])) return;
    this.once(`voters ${from.node}`, { type: 'votersDiffer', node: from.node, theirs, ours });
  }

  private stepFounder(from: Proposer, message: FoundingMessage, at: Instant): void {
    if (!this.founder) return;
    this.takeFounder(this.founder.step({ type: 'message', from, message, nowMs: at.monotonicMs, wallMs: at.wallMs }), at);
  }

  private takeFounder(output: FounderOutput, at: Instant): void {
    this.out.persist.push(...output.persist);
    this.out.send.push(...output.send);
    for (const event of output.events) {
      this.out.events.push(event);
      if (event.type === 'founded') this.enterGroup(event.record, at);
      if (event.type === 'groupExists') this.follow(event.record, at);
    }
    if (this.service && this.founder?.isConfirmed) this.service.allConfirmed = true;
  }

  /** Completion is known: from now on this process is a voter. */
  private enterGroup(record: FoundingRecord, at: Instant, memory?: ReplicaMemory<GroupBatch>): void {
    const { self, timing, random, limits } = this.options;
    // A seat that had been lost to a group which then died out founds anew with the others: what it held there is over.
    if (this.record && this.record.configuration.founding !== record.configuration.founding) this.stepHolder({ type: 'foundingReplaced', at });
    this.record = record;
    this.completeSinceMs = at.monotonicMs;
    this.state = new GroupState({ maxSessionTtlMs: record.maxSessionTtlMs });
    this.replica = new Replica<GroupBatch>({
      self,
      configuration: record.configuration,
      timing,
      random,
      limits: { messageBytesMax: limits.batchBytesMax(), sizeOf: limits.sizeOfBatch },
      begin: (ballot) => [0, [[entryKind.begin, ballotStamp(ballot)]]],
      nowMs: at.monotonicMs,
      memory,
    });
    this.maybeOpenSession(at);
  }

  /** There is a group, and this process takes part in it as a client. */
  private follow(record: FoundingRecord, at: Instant): void {
    const known = this.record?.configuration.founding;
    const { founding } = record.configuration;
    if (known === founding) return;
    this.record = record;
    this.directory = null;
    if (known !== undefined) this.stepHolder({ type: 'foundingReplaced', at });
    if (this.options.voters.includes(this.options.self.node)) this.out.events.push({ type: 'seatLost', founding });
    this.maybeOpenSession(at);
  }

  /** Without a session, or without a leader, a node asks who is there; its own name too. */
  private get needsInquiry(): boolean {
    return this.holder.session === null;
  }

  // Leaders.

  private noteLeader(from: Proposer, { ballot, connected }: Heartbeat, at: Instant): void {
    if (from.node !== ballot.node || from.incarnation !== ballot.incarnation) return;
    if (!this.record || !isVoter(this.record.configuration, from)) return;
    const known = this.directory;
    if (known && this.isFresh(known.atMs, at.monotonicMs) && compareBallots(ballot, known.ballot) < 0) return;
    this.directory = { ballot, connected, atMs: at.monotonicMs };
    this.announceLeader(at);
  }

  private leaderBallot(nowMs: number): Ballot | null {
    const own = this.replica?.leader;
    if (own) return own;
    return this.directory && this.isFresh(this.directory.atMs, nowMs) ? this.directory.ballot : null;
  }

  private isFresh(atMs: number, nowMs: number): boolean {
    return nowMs - atMs < 2 * this.options.timing.electionTimeoutMs;
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
    const term = this.replica?.leading;
    if (term) return term.lease.connected(nowMs, this.options.timing.electionTimeoutMs);
    if (this.directory && this.isFresh(this.directory.atMs, nowMs)) return this.directory.connected;
    const heard = this.options.voters.filter((node) => this.isFresh(this.heardAtMs.get(node) ?? -Infinity, nowMs));
    return this.replica && !heard.includes(this.options.self.node) ? [...heard, this.options.self.node] : heard;
  }

  // The log.

  private stepReplica(input: ReplicaInput<GroupBatch>, at: Instant): void {
    if (!this.replica) return;
    const { persist, send, apply, events } = this.replica.step(input);
    this.out.persist.push(...persist);
    this.out.send.push(...send);
    for (const event of events) this.onReplicaEvent(event);
    for (const entry of apply) this.apply(entry, at);
    if (events.length > 0) this.announceLeader(at);
    if (input.type === 'message' && input.message.type === 'heartbeatSeen') this.service?.retryParked(at.monotonicMs);
    this.collectService(at);
  }

  private onReplicaEvent(event: ReplicaEvent): void {
    if (event.type === 'leading') this.startService(event.ballot);
    if (event.type === 'steppedDown') this.service = null;
    if (event.type !== 'following') this.out.events.push(event);
  }

  private startService(ballot: Ballot): void {
    const term = this.replica?.leading;
    if (!term || !this.state || !this.record) return;
    const { self, reads, limits, timing } = this.options;
    const { batchBytesMax, sizeOfEntry } = limits;
    const stamp = ballotStamp(ballot);
    const quorumRoundMaxMs = timing.electionTimeoutMs * quorumRoundsPerElection;
    const { record, completeSinceMs } = this;
    this.service = new LeaderService(
      { self, record, stamp, reads, batchBytesMax, sizeOfEntry, completeSinceMs, quorumRoundMaxMs },
      term,
      this.state,
    );
    this.service.allConfirmed = this.founder?.isConfirmed ?? false;
  }

  private apply({ slot, value }: ChosenEntry<GroupBatch>, at: Instant): void {
    const state = this.state;
    if (!state) return;
    const applied = state.apply(slot, value);
    const { service } = this;
    const wasServing = service?.isServing ?? false;
    service?.onApplied(applied, at.monotonicMs, this.learnsByItself);
    if (!wasServing && service?.isServing) this.out.events.push({ type: 'serving', round: this.replica?.leading?.ballot.round ?? 0 });
    this.highestToken = Math.max(this.highestToken, state.token);
    if (service?.isServing) this.publish(slot, value?.[0] ?? 0, applied.events);
    this.answerOwn(applied, at);
  }

  /**
   * In a group of three, a connected voter learns what is chosen from the accept itself: its own sessions need no reply. A process
   * that came back under the name of a seat without its memory is no voter.
   */
  private readonly learnsByItself = (node: string, session: SessionKey): boolean => {
    if (node === this.options.self.node) return true;
    const voters = this.record?.configuration.voters;
    if (voters?.length !== 3) return false;
    const seat = voters.find((voter) => voter.node === node);
    return seat !== undefined && (this.state?.session(session)?.instance.startsWith(`${seat.incarnation}.`) ?? false);
  };

  /** A voter completes the requests of its own process at application, without a frame. */
  private answerOwn(applied: Applied, at: Instant): void {
    const { node } = this.options.self;
    const own = this.holder.session;
    for (const { session, results } of applied.replies) {
      if (session === own) this.stepHolder({ type: 'message', message: { type: 'replies', session, results }, at });
    }
    for (const session of applied.unknownSessions) {
      if (session === own) this.stepHolder({ type: 'message', message: { type: 'sessionEnded', session }, at });
    }
    for (const { nonce, node: opener, instance, session, ttlMs } of applied.opened) {
      if (opener !== node || instance !== this.instance) continue;
      this.stepHolder({ type: 'message', message: { type: 'sessionOpened', nonce, session, ttlMs }, at });
    }
    for (const { session, node: holder } of applied.ended) {
      if (holder === node) this.stepHolder({ type: 'message', message: { type: 'sessionEnded', session }, at });
    }
  }

  private publish(slot: number, wallMs: number, changes: readonly LockEvent[]): void {
    changes.forEach((change, index) => this.out.changes.push({ slot, index, wallMs, change }));
  }

  /** Answers of our own service: to others by frame, to ourselves directly. */
  private collectService(at: Instant): void {
    const { service } = this;
    if (!service) return;
    for (const send of service.takeSends()) {
      if (send.to.type === 'node' && send.to.node === this.options.self.node) this.onAnswer(send.message as GroupSessionMessage, at);
      else this.out.send.push(send);
    }
  }

  // The session of this process.

  private maybeOpenSession(at: Instant): void {
    if (this.wantsSession && this.record && this.holder.isIdle) this.stepHolder({ type: 'open', at });
  }

  private stepHolder(input: HolderInput<LockOp, LockResult, LockState>, at: Instant = input.at): void {
    this.takeHolder(this.holder.step(input), at);
  }

  private takeHolder(output: HolderOutput<LockOp, LockResult, LockState>, at: Instant): void {
    for (const result of output.results) {
      if (result[1] === resultCode.granted) this.highestToken = Math.max(this.highestToken, result[2]);
      this.out.results.push(result);
    }
    this.out.states.push(...output.states);
    for (const event of output.events) {
      this.out.events.push(event);
      if (event.type === 'sessionLost') this.maybeOpenSession(at);
    }
    if (output.send.length > 0) this.sendToLeader(output.send, at);
  }

  private sendToLeader(messages: readonly GroupSessionMessage[], at: Instant): void {
    const leader = this.leaderBallot(at.monotonicMs);
    if (!leader) return;
    for (const message of messages) {
      if (leader.node === this.options.self.node) this.onRequest(this.options.self, message, at);
      else this.send(leader.node, message);
    }
  }

  // Time.

  private onTick(at: Instant): void {
    const nowMs = at.monotonicMs;
    this.tickDueMs = nowMs + this.options.timing.heartbeatMs;
    if (this.founder) this.takeFounder(this.founder.step({ type: 'tick', nowMs, wallMs: at.wallMs }), at);
    this.inquire(at);
    this.stepReplica({ type: 'tick', nowMs }, at);
    this.announceLeader(at);
    this.service?.onTick(nowMs);
    this.collectService(at);
    this.stepHolder({ type: 'tick', at });
    this.maybeOpenSession(at);
  }

  private inquire(at: Instant): void {
    if (!this.needsInquiry) return;
    const hello = this.inquiry.ask(at.monotonicMs, at.wallMs);
    if (!hello) return;
    this.send(this.options.self.node, hello);
    if (!this.founder) this.out.send.push({ to: { type: 'voters' }, message: hello });
  }

  private onFlush(at: Instant): void {
    const submission = this.holder.takeSubmission(at.monotonicMs);
    if (submission) this.sendToLeader([{ type: 'submit', ...submission }], at);
    this.proposeBatches(at);
    this.stepReplica({ type: 'flush', nowMs: at.monotonicMs }, at);
  }

  /** Whatever came while the window was full is the next batch: no timer waits for one to fill. */
  private proposeBatches(at: Instant): void {
    for (;;) {
      const term = this.replica?.leading;
      const { service } = this;
      if (!term || !service || service.pendingEntries === 0) return;
      const slots = Math.min(window.most, window.least + Math.floor(term.roundTripMs));
      if (term.inFlight.size >= slots) return;
      const batch = service.takeBatch(at.wallMs);
      if (batch) this.stepReplica({ type: 'propose', value: batch, nowMs: at.monotonicMs }, at);
    }
  }

  private reportForeign({ from, founding }: MemberFrame): void {
    if (founding !== '') this.once(`founding ${from.node} ${founding}`, { type: 'foreignFounding', node: from.node, founding });
  }

  private once(key: string, event: MemberEvent): void {
    if (this.reported.has(key) || this.reported.size >= reportsMax) return;
    this.reported.add(key);
    this.out.events.push(event);
  }

  private send(node: string, message: MemberMessage): void {
    this.out.send.push({ to: { type: 'node', node }, message });
  }
}

function freshOutput(): MemberOutput {
  return { persist: [], send: [], results: [], states: [], changes: [], events: [] };
}

function seqOf(result: unknown): number {
  return (result as LockResult)[0];
}

function isInterim(result: unknown): boolean {
  return (result as LockResult)[1] === resultCode.queued;
}
