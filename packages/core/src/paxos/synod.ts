/** Single-decree Paxos: a group settles on one value, once and for all. "Paxos Made Simple" §2; `docs/protocol.md`, "Synod". */
import { unreachable } from '../errors.ts';
import type { Random } from '../time/random.ts';
import { Acceptor } from './acceptor.ts';
import type { ReplicaRecord } from './acceptor.ts';
import { compareBallots, sameBallot, sameProposer, zeroBallot } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';
import { isVoter, majorityOf } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { Log } from './log.ts';
import type { SynodMessage } from './synod-message.ts';

export type { SynodMessage } from './synod-message.ts';

/** A value as the acceptor keeps it: boxed, for it may be `null`. */
interface Decree<V> {
  readonly value: V;
}

export type SynodRecord<V> = ReplicaRecord<Decree<V>>;

export interface SynodOptions {
  /** A process that is not among the voters may propose and learn; it never votes. */
  readonly self: Proposer;
  readonly configuration: Configuration;
  readonly random: Random;
  /** How long a round may take before the next is tried; refused rounds back off by up to as much again. */
  readonly roundMs: number;
}

export type SynodInput<V> =
  | { readonly type: 'propose'; readonly value: V; readonly nowMs: number }
  | { readonly type: 'message'; readonly from: Proposer; readonly message: SynodMessage<V>; readonly nowMs: number }
  /** Asks for the decision without proposing anything, until it is known. */
  | { readonly type: 'ask'; readonly nowMs: number }
  | { readonly type: 'tick'; readonly nowMs: number };

export interface SynodSend<V> {
  readonly to: { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };
  readonly message: SynodMessage<V>;
}

/** Fields in the order in which they are carried out: nothing is sent before `persist` is durable. */
export interface SynodOutput<V> {
  readonly persist: SynodRecord<V>[];
  readonly send: SynodSend<V>[];
  /** The chosen value, in the output of the step that learned it and in no other. */
  readonly decided: { readonly value: V } | null;
}

export interface SynodSnapshot<V> {
  readonly promised: Ballot;
  readonly vote: { readonly ballot: Ballot; readonly value: V } | null;
  readonly decided: { readonly value: V } | null;
  /** The highest round used or seen: a proposer goes on above it. */
  readonly round: number;
}

type Round<V> =
  | { readonly type: 'idle' }
  | {
      readonly type: 'preparing';
      readonly ballot: Ballot;
      readonly promises: Set<string>;
      adopted: { readonly ballot: Ballot; readonly value: V } | null;
    }
  | { readonly type: 'accepting'; readonly ballot: Ballot; readonly value: V; readonly accepted: Set<string> };

const idle = { type: 'idle' } as const;
/** The one slot of the decree. */
const decree = 1;

/**
 * 1. At most one value is ever decided, whoever proposes whatever and however often.
 * 2. A proposer proposes the value of the highest vote among a majority's promises, and its own only if there is none.
 * 3. A ballot names the process start that owns it, and no process start uses one twice: its round is above every one it has seen.
 * 4. Only votes of exactly the configuration's seats, for exactly the ballot of the round, count.
 */
export class Synod<V> {
  private log = new Log<Decree<V>>();
  private acceptor = new Acceptor<Decree<V>>(this.log);
  private round: Round<V> = idle;
  private wanted: { readonly value: V } | null = null;
  private isAsking = false;
  private decision: { readonly value: V } | null = null;
  private highestRound = 0;
  private dueMs = Infinity;
  private out: SynodOutput<V> = fresh();

  constructor(
    private readonly options: SynodOptions,
    memory?: SynodSnapshot<V>,
  ) {
    if (memory) this.restore(memory);
  }

  step(input: SynodInput<V>): SynodOutput<V> {
    const before = this.decision;
    const out = (this.out = fresh());
    switch (input.type) {
      case 'propose':
        this.wanted ??= { value: input.value };
        if (!this.decision && this.round.type === 'idle') this.prepare(input.nowMs);
        break;
      case 'message':
        this.onMessage(input.from, input.message, input.nowMs);
        break;
      case 'ask':
        this.isAsking = true;
        if (!this.decision && !this.wanted) this.ask(input.nowMs);
        break;
      case 'tick':
        if (!this.decision && input.nowMs >= this.dueMs) this.tryAgain(input.nowMs);
        break;
      default:
        unreachable(input);
    }
    return this.decision === before ? out : { ...out, decided: this.decision };
  }

  /** When `tick` is next of use. */
  get nextDeadlineMs(): number {
    return this.dueMs;
  }

  get decided(): { readonly value: V } | null {
    return this.decision;
  }

  /** What must outlive the process, and all of it: a voter that forgets it must not vote under its old incarnation. */
  snapshot(): SynodSnapshot<V> {
    return { promised: this.acceptor.promised, vote: this.vote, decided: this.decision, round: this.highestRound };
  }

  restore({ promised, vote, decided, round }: SynodSnapshot<V>): void {
    this.log = new Log<Decree<V>>();
    if (vote) this.log.keepVote(decree, vote.ballot, { value: vote.value });
    this.acceptor = new Acceptor(this.log, promised);
    this.decision = decided;
    this.round = idle;
    this.wanted = null;
    this.isAsking = false;
    this.highestRound = Math.max(this.highestRound, promised.round, round);
    this.dueMs = Infinity;
  }

  private onMessage(from: Proposer, message: SynodMessage<V>, nowMs: number): void {
    if (message.type === 'synodDecided') return this.decide(message.value);
    if (message.type === 'synodPrepare' || message.type === 'synodAccept') return this.onProposal(from, message);
    if (message.type === 'synodAsk') return this.tell(from);
    if (!isVoter(this.options.configuration, from)) return;
    switch (message.type) {
      case 'synodPromise':
        return this.onPromise(from.node, message.ballot, message.vote, nowMs);
      case 'synodAccepted':
        return this.onAccepted(from.node, message.ballot);
      case 'synodReject':
        return this.onReject(message.ballot, message.promised, nowMs);
      default:
        return unreachable(message);
    }
  }

  // The acceptor.

  private onProposal(from: Proposer, message: Extract<SynodMessage<V>, { type: 'synodPrepare' | 'synodAccept' }>): void {
    if (this.decision) return this.tell(from);
    const { self, configuration } = this.options;
    const { ballot } = message;
    if (!isVoter(configuration, self) || !sameProposer(from, ballot)) return;
    this.highestRound = Math.max(this.highestRound, ballot.round);
    const answer = message.type === 'synodPrepare' ? this.promise(ballot) : this.accept(ballot, message.value);
    this.out.send.push({
      to: { type: 'node', node: from.node },
      message: answer ?? { type: 'synodReject', ballot, promised: this.acceptor.promised },
    });
  }

  private tell({ node }: Proposer): void {
    if (this.decision) this.out.send.push({ to: { type: 'node', node }, message: { type: 'synodDecided', value: this.decision.value } });
  }

  private promise(ballot: Ballot): SynodMessage<V> | null {
    if (!this.acceptor.promise(ballot, this.out.persist)) return null;
    return { type: 'synodPromise', ballot, vote: this.vote };
  }

  private accept(ballot: Ballot, value: V): SynodMessage<V> | null {
    return this.acceptor.accept(ballot, decree, { value }, this.out.persist) ? { type: 'synodAccepted', ballot } : null;
  }

  // The proposer.

  private tryAgain(nowMs: number): void {
    if (this.wanted) this.prepare(nowMs);
    else if (this.isAsking) this.ask(nowMs);
  }

  private ask(nowMs: number): void {
    this.backOff(nowMs, this.options.roundMs);
    this.out.send.push({ to: { type: 'voters' }, message: { type: 'synodAsk' } });
  }

  private prepare(nowMs: number): void {
    const { self } = this.options;
    this.highestRound += 1;
    const ballot: Ballot = { ...self, round: this.highestRound };
    this.round = { type: 'preparing', ballot, promises: new Set(), adopted: null };
    this.backOff(nowMs, this.options.roundMs);
    // Our own acceptor's promise is in `persist` of the same output: a restarted proposer finds the round it must go beyond.
    this.out.send.push({ to: { type: 'voters' }, message: { type: 'synodPrepare', ballot } });
    if (!this.isVoter) return;
    const own = this.promise(ballot);
    if (own?.type === 'synodPromise') this.onPromise(self.node, ballot, own.vote, nowMs);
  }

  private onPromise(node: string, ballot: Ballot, vote: { readonly ballot: Ballot; readonly value: V } | null, nowMs: number): void {
    const round = this.round;
    if (round.type !== 'preparing' || !sameBallot(round.ballot, ballot)) return;
    if (vote && (!round.adopted || compareBallots(vote.ballot, round.adopted.ballot) > 0)) round.adopted = vote;
    round.promises.add(node);
    if (round.promises.size < majorityOf(this.options.configuration)) return;
    const proposal = round.adopted ?? this.wanted;
    if (!proposal) return;
    const { value } = proposal;
    this.round = { type: 'accepting', ballot, value, accepted: new Set() };
    this.backOff(nowMs, this.options.roundMs);
    if (this.isVoter && !this.acceptor.accept(ballot, decree, { value }, this.out.persist)) return this.giveUpRound(nowMs);
    this.out.send.push({ to: { type: 'voters' }, message: { type: 'synodAccept', ballot, value } });
    if (this.isVoter) this.onAccepted(this.options.self.node, ballot);
  }

  private onAccepted(node: string, ballot: Ballot): void {
    const round = this.round;
    if (round.type !== 'accepting' || !sameBallot(round.ballot, ballot)) return;
    round.accepted.add(node);
    if (round.accepted.size < majorityOf(this.options.configuration)) return;
    const { value } = round;
    this.decide(value);
    this.out.send.push({ to: { type: 'voters' }, message: { type: 'synodDecided', value } });
  }

  private onReject(ballot: Ballot, promised: Ballot, nowMs: number): void {
    this.highestRound = Math.max(this.highestRound, promised.round);
    const round = this.round;
    if (round.type !== 'idle' && sameBallot(round.ballot, ballot) && compareBallots(promised, ballot) > 0) this.giveUpRound(nowMs);
  }

  /** Outbid: duelling proposers part by chance. */
  private giveUpRound(nowMs: number): void {
    this.round = idle;
    this.backOff(nowMs, 0);
  }

  private decide(value: V): void {
    if (this.decision) return;
    this.decision = { value };
    this.round = idle;
    this.dueMs = Infinity;
  }

  private backOff(nowMs: number, atLeastMs: number): void {
    this.dueMs = nowMs + atLeastMs + this.options.random.next() * this.options.roundMs;
  }

  private get vote(): SynodSnapshot<V>['vote'] {
    const vote = this.log.vote(decree);
    return vote?.value ? { ballot: vote.ballot, value: vote.value.value } : null;
  }

  private get isVoter(): boolean {
    return isVoter(this.options.configuration, this.options.self);
  }
}

/** What a sequence of records comes to. */
export function foldSynodRecords<V>(records: readonly SynodRecord<V>[]): SynodSnapshot<V> {
  let promised = zeroBallot;
  let vote: SynodSnapshot<V>['vote'] = null;
  for (const record of records) {
    if (record.type === 'promised') promised = record.ballot;
    if (record.type === 'voted' && record.value !== null) vote = { ballot: record.ballot, value: record.value.value };
  }
  return { promised, vote, decided: null, round: promised.round };
}

function fresh<V>(): SynodOutput<V> {
  return { persist: [], send: [], decided: null };
}
