/**
 * One process of a group, whole and deterministic: founder, voter's seat and session holder behind one `step`. Production,
 * simulation and model checking run this object. `docs/protocol.md`, "A member".
 */
import { unreachable } from '../errors.ts';
import { isInterimResult, resultCode, seqOfResult } from '../lock/command.ts';
import type { LockOp, LockResult, LockState } from '../lock/command.ts';
import { sameBallot } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { Founder, FounderOutput } from '../paxos/founding.ts';
import type { FoundingMessage, FoundingRecord, Greeting, Hello, Standing } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { Replica, ReplicaMemory } from '../paxos/replica.ts';
import type { SessionKey } from '../session/command.ts';
import { SessionHolder } from '../session/session-holder.ts';
import type { HolderInput, HolderOutput } from '../session/session-holder.ts';
import type { Instant } from '../time/clock.ts';
import { type GroupState, tokensPerSecond } from './group-state.ts';
import { Inquiry } from './inquiry.ts';
import { LeaderDirectory } from './leader-directory.ts';
import { instanceOf } from './leader-service.ts';
import { freshOutput } from './member-io.ts';
import type { MemberEvent, MemberInput, MemberOptions, MemberOutput, MemberStatus } from './member-io.ts';
import { isFoundingMessage, isLogMessage, isRequest } from './member-message.ts';
import type { GroupBatch, GroupSessionMessage, MemberFrame, MemberMessage } from './member-message.ts';
import { founderFor, VoterSeat } from './voter-seat.ts';
import type { SeatOutput } from './voter-seat.ts';

export type * from './member-io.ts';

/** Oddities are reported once each; beyond this many they are all alike. */
const reportsMax = 1_000;

export class Member {
  private readonly founder: Founder | null;
  private readonly inquiry: Inquiry;
  private readonly holder: SessionHolder<LockOp, LockResult, LockState>;
  private readonly directory: LeaderDirectory;
  private seat: VoterSeat | null = null;
  private record: FoundingRecord | null = null;
  private announcedLeader: Ballot | null = null;
  private wantsSession = false;
  private opensAtMs = -Infinity;
  private highestToken = 0;
  private tickDueMs = -Infinity;
  private readonly reported = new Set<string>();
  private out: MemberOutput = freshOutput();

  constructor(private readonly options: MemberOptions) {
    const { self, voters, timing, memory, limits, at } = options;
    this.founder = founderFor(options);
    this.inquiry = new Inquiry(self, voters, timing.heartbeatMs);
    this.directory = new LeaderDirectory(voters, 2 * timing.electionTimeoutMs);
    this.holder = new SessionHolder<LockOp, LockResult, LockState>({
      ttlMs: options.sessionTtlMs,
      resendMs: timing.electionTimeoutMs,
      instance: instanceOf(self),
      outstandingMax: limits.outstandingMax,
      submitBytesMax: limits.batchBytesMax,
      sizeOfOp: limits.sizeOfTuple,
      seqOf: seqOfResult,
      isInterim: isInterimResult,
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
        this.withSeat((seat) => seat.resign(input.at), input.at);
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
    const replicaDueMs = this.seat?.replica.nextDeadlineMs ?? Infinity;
    return Math.min(founderDueMs, inquiryDueMs, replicaDueMs, this.holder.nextDeadlineMs, this.tickDueMs);
  }

  /** How long this member's session may still be relied on. Finding it over ends it. */
  remainingMs(at: Instant): number {
    return this.holder.remainingMs(at);
  }

  get session(): SessionKey | null {
    return this.holder.session;
  }

  /** The second of the highest token this member has seen: a later founding starts above it. */
  get tokenSecond(): number {
    return Math.floor(this.highestToken / tokensPerSecond);
  }

  status(at: Instant): MemberStatus {
    const { voters } = this.options;
    const leader = this.leaderBallot(at.monotonicMs)?.node ?? null;
    return {
      role: this.seat?.isServing ? 'leader' : this.seat ? 'voter' : 'client',
      leader,
      connected: this.connected(at.monotonicMs),
      founding: this.record?.configuration.founding ?? null,
      voters: this.record?.configuration.voters.map(({ node }) => node) ?? voters,
      stage: !this.record ? 'founding' : leader === null ? 'electing' : this.holder.session === null ? 'opening' : 'open',
      opensInMs: Math.max(0, this.opensAtMs - at.monotonicMs),
      appliedIndex: this.seat?.state.appliedIndex ?? 0,
    };
  }

  /** For invariants and tests: the replicated state, the replica and the founding. */
  get inspect(): {
    readonly state: GroupState | null;
    readonly replica: Replica<GroupBatch> | null;
    readonly record: FoundingRecord | null;
  } {
    return { state: this.seat?.state ?? null, replica: this.seat?.replica ?? null, record: this.record };
  }

  // Frames.

  private onFrame(frame: MemberFrame, at: Instant): void {
    this.directory.heard(frame.from.node, at.monotonicMs);
    for (const message of frame.messages) {
      if (isFoundingMessage(message)) this.onFoundingMessage(frame.from, message, at);
      else this.onGroupMessage(frame, message, at);
    }
  }

  private onFoundingMessage(from: Proposer, message: FoundingMessage, at: Instant): void {
    if (message.type === 'hello') this.onHello(from, message, at);
    else if (message.type === 'greeting') this.onGreeting(from, message, at);
    else this.stepFounder(from, message, at);
  }

  /** Messages that mean something only within one configuration of one founding. */
  private onGroupMessage(frame: MemberFrame, message: Exclude<MemberMessage, FoundingMessage>, at: Instant): void {
    const configuration = this.record?.configuration;
    if (!configuration) return;
    if (frame.founding !== configuration.founding) return this.reportForeign(frame);
    if (frame.configuration !== configuration.id) return;
    const { from } = frame;
    if (isLogMessage(message)) this.onLogMessage(from, message, at);
    else if (isRequest(message)) this.onRequest(from, message, at);
    else this.onAnswer(message, at);
  }

  private onLogMessage(from: Proposer, message: PaxosMessage<GroupBatch>, at: Instant): void {
    this.withSeat((seat) => seat.onMessage(from, message, at), at);
    if (message.type !== 'heartbeat' || !this.record || !isVoter(this.record.configuration, from)) return;
    this.directory.onHeartbeat(from, message, at.monotonicMs);
    this.announceLeader(at);
  }

  private onRequest(from: Proposer, message: GroupSessionMessage, at: Instant): void {
    this.withSeat((seat) => seat.onRequest(from, message, at), at);
  }

  private onAnswer(message: GroupSessionMessage, at: Instant): void {
    if (message.type === 'openRefused' && message.reason === 'closed') this.opensAtMs = at.monotonicMs + message.waitMs;
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
    if (this.seat?.holdsLease(nowMs)) return 'led';
    return this.founder?.standing ?? 'live';
  }

  private onGreeting(from: Proposer, greeting: Greeting, at: Instant): void {
    const { self } = this.options;
    if (from.node === self.node) {
      const isOther = from.incarnation !== self.incarnation || from.run !== self.run;
      if (isOther && this.inquiry.isAnswer(greeting)) this.once(`name ${instanceOf(from)}`, { type: 'nodeNameTaken', by: from });
      return;
    }
    if (this.founder) this.stepFounder(from, greeting, at);
    else if (this.inquiry.isAnswer(greeting)) this.compareVoters(from, greeting.voters);
    const found = this.inquiry.onGreeting(from, greeting, this.record);
    if (found && !this.seat) this.follow(found, at);
  }

  private compareVoters(from: Proposer, theirs: readonly string[], ours = this.options.voters): void {
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
    if (this.founder?.isConfirmed) this.seat?.confirmAll();
  }

  /** Completion is known: from now on this process is a voter. */
  private enterGroup(record: FoundingRecord, at: Instant, memory?: ReplicaMemory<GroupBatch>): void {
    // A seat that had been lost to a group which then died out founds anew with the others: what it held there is over.
    if (this.record && this.record.configuration.founding !== record.configuration.founding)
      this.stepHolder({ type: 'foundingReplaced', at });
    this.record = record;
    this.seat = new VoterSeat(this.options, record, at, memory);
    if (this.founder?.isConfirmed) this.seat.confirmAll();
    this.maybeOpenSession(at);
  }

  /** There is a group, and this process takes part in it as a client. */
  private follow(record: FoundingRecord, at: Instant): void {
    const known = this.record?.configuration.founding;
    const { founding } = record.configuration;
    if (known === founding) return;
    this.record = record;
    this.directory.forget();
    if (known !== undefined) this.stepHolder({ type: 'foundingReplaced', at });
    if (this.options.voters.includes(this.options.self.node)) this.out.events.push({ type: 'seatLost', founding });
    this.maybeOpenSession(at);
  }

  /** Without a session, or without a leader, a node asks who is there; its own name too. */
  private get needsInquiry(): boolean {
    return this.holder.session === null;
  }

  // Leaders.

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
    const { self, timing } = this.options;
    const term = this.seat?.replica.leading;
    if (term) return term.lease.connected(nowMs, timing.electionTimeoutMs);
    const heard = this.directory.connected(nowMs);
    return this.seat && !heard.includes(self.node) ? [...heard, self.node] : heard;
  }

  // The seat.

  private withSeat(step: (seat: VoterSeat) => SeatOutput, at: Instant): void {
    if (this.seat) this.takeSeat(this.seat, step(this.seat), at);
  }

  private takeSeat(seat: VoterSeat, { persist, send, own, changes, events }: SeatOutput, at: Instant): void {
    this.out.persist.push(...persist);
    this.out.send.push(...send);
    this.out.changes.push(...changes);
    for (const event of events) if (event.type !== 'following') this.out.events.push(event);
    this.highestToken = Math.max(this.highestToken, seat.state.token);
    if (events.length > 0) this.announceLeader(at);
    for (const message of own) this.onAnswer(message, at);
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
    this.sendToLeader(output.send, at);
  }

  private sendToLeader(messages: readonly GroupSessionMessage[], at: Instant): void {
    const leader = messages.length > 0 && this.leaderBallot(at.monotonicMs);
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
    this.withSeat((seat) => seat.onTick(at), at);
    this.announceLeader(at);
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
    this.sendToLeader(this.holder.takeSubmissions(at.monotonicMs), at);
    this.withSeat((seat) => seat.flush(at), at);
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
