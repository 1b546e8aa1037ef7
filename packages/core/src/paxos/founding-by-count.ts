/**
 * How processes that do not know each other's names become a group of so many voters: candidates look for one another, one of them writes
 * a record that lists the first of them into the broker's log, and each of those joins it there. The safety rules 11 to 14 and 22;
 * `docs/protocol.md`, "Founding by count".
 */
import { unreachable } from '../errors.ts';
import type { Proposer } from './ballot.ts';
import { Candidates } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import { isVoter } from './configuration.ts';
import type { Seat } from './configuration.ts';
import { secondOf } from './founding.ts';
import type { FounderEvent, FounderInput, FounderMemory, FounderOutput } from './founding.ts';
import { FoundingLog } from './founding-log.ts';
import type { ArbiterAnswer, ArbiterRequest, FoundingEntry } from './founding-log.ts';
import type { FoundingRecord, Greeting, Standing } from './founding-message.ts';
import { Reports } from './reports.ts';
import { isCounted, sameVoters } from './voters.ts';
import type { Voters } from './voters.ts';

export interface CountFounderOptions {
  readonly self: Proposer;
  readonly count: number;
  /** False for a process that never takes a seat at a founding. */
  readonly isCandidate: boolean;
  readonly periodMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  readonly memory?: FounderMemory | undefined;
}

/** All in periods. */
const nonceLasts = 4;
const readEvery = 4;
const afterFailure = 10;
/** A record that nobody joined for so long may be replaced; that is safe at any time, and only costs the slow another round. */
const patience = 20;
const readUnledEvery = 20;
/** Who is not the first in order of names leaves so much time to each of those before it. */
const turn = 2;
/** So many readings, begun after a group was heard of that the log does not name, are no coincidence. */
const readingsInDoubt = 3;

/**
 * 1. It writes a record only at the end of the log that it read, only if no complete one stands there, and only of candidates that
 *    answered its present nonce: itself, and the first others in order of names. Too few found nothing.
 * 2. It joins a record that lists this incarnation once that record counts, and once its own store has it.
 * 3. It knows completion from the log alone, and nobody votes before it knows completion.
 * 4. A log that lacks what it held before, or the founding of a group that lives, is no invitation to found.
 */
export class CountFounder {
  private log: FoundingLog | null = null;
  private record: FoundingRecord | null;
  private complete: boolean;
  private readonly remembered: FoundingRecord | null;
  private isLost = false;
  /** The founding in which a stop-sign gave this incarnation a seat. */
  private joined: string | null = null;
  /** The log says that the founding of this incarnation is over, and the incarnation with it. */
  private isOver = false;
  /** The log is to be read again, for the group that it names is not heard. */
  private isLookedFor = false;
  /** A request is with the broker. */
  private isAsking = false;
  private isOwnEntry = false;
  /** A living group that the log did not name when it was heard of, and how often it was read since. */
  private doubt: { readonly founding: string; readonly told: string; readings: number } | null = null;
  private nonce = '';
  private nonces = 0;
  private nonceAtMs = -Infinity;
  private asked = 0;
  private proposals = 0;
  private readonly reports = new Reports();
  private dueMs = -Infinity;
  private readDueMs = -Infinity;
  private readAtMs = -Infinity;
  private progressAtMs = -Infinity;
  private enoughSinceMs = Infinity;
  private endedButLedAtMs = -Infinity;
  private nowMs = -Infinity;
  private out: FounderOutput = freshFounderOutput();
  private readonly others: Candidates;

  constructor(private readonly options: CountFounderOptions) {
    this.others = new Candidates(options.self);
    this.remembered = options.memory?.record ?? null;
    this.record = this.remembered;
    this.complete = options.memory?.complete ?? false;
  }

  step(input: FounderInput): FounderOutput {
    const out = (this.out = freshFounderOutput());
    if (this.isOver) return out;
    this.nowMs = input.nowMs;
    switch (input.type) {
      case 'tick':
        this.onTick(input.wallMs);
        break;
      case 'message':
        this.onMessage(input);
        break;
      case 'arbiter':
        this.onAnswer(input.answer, input.wallMs);
        break;
      default:
        unreachable(input);
    }
    return out;
  }

  get nextDeadlineMs(): number {
    return this.isSettled ? Infinity : this.dueMs;
  }

  /** A stop-sign gave this incarnation a seat. */
  join(founding: string): void {
    this.joined = founding;
  }

  /** Nobody leads, or another group is heard: an operator may have ended the founding that the log named when it was last read. */
  lookAgain(): void {
    if (this.log?.isComplete === true && this.nowMs - this.readAtMs >= readUnledEvery * this.options.periodMs) this.isLookedFor = true;
  }

  get standing(): Exclude<Standing, 'led'> {
    if (this.joined !== null || this.complete) return 'founded';
    if (!this.isLooking || !this.options.isCandidate) return 'live';
    return this.record ? 'accepted' : 'unfounded';
  }

  /** The record, once the log says that all of its members have joined it. */
  get founded(): FoundingRecord | null {
    return this.complete ? this.record : null;
  }

  get acceptedRecord(): FoundingRecord | null {
    return this.record;
  }

  /** Whoever votes knows completion from a log in which it cannot be undone: nobody else has to say that it knows. */
  get isConfirmed(): boolean {
    return this.complete;
  }

  /** True once the log names a group that this incarnation did not found: it is found by asking those who vote. */
  get isIdle(): boolean {
    return this.log?.isComplete === true && !this.complete;
  }

  /** The founding that counts, where the log says that it is complete. */
  get settledFounding(): string | null {
    return this.log?.isComplete === true ? (this.log.current?.configuration.founding ?? null) : null;
  }

  /** Candidates seen lately, this one among them. */
  get candidates(): number {
    return this.others.seenSince(this.nowMs - 2 * nonceLasts * this.options.periodMs) + (this.options.isCandidate ? 1 : 0);
  }

  private get isSettled(): boolean {
    if (this.isLost || this.isOver) return true;
    const isAtRest = this.isIdle || ((this.complete || this.joined !== null) && this.log !== null);
    return isAtRest && !this.isLookedFor;
  }

  private get isLooking(): boolean {
    return !this.isLost && this.log !== null && !this.log.isComplete;
  }

  private onTick(wallMs: number): void {
    if (this.isSettled || this.nowMs < this.dueMs) return;
    this.dueMs = this.nowMs + this.options.periodMs;
    if (this.nowMs >= this.readDueMs) this.read();
    if (!this.isLooking || !this.options.isCandidate) return;
    this.askWhoIsThere(wallMs);
    this.maybePropose(wallMs);
  }

  private read(): void {
    if (this.isAsking) return;
    this.readDueMs = this.nowMs + readEvery * this.options.periodMs;
    this.request({ type: 'read' });
  }

  private append(log: FoundingLog, entry: FoundingEntry): void {
    this.isOwnEntry = true;
    this.request({ type: 'append', position: log.length, entry });
  }

  private request(request: ArbiterRequest): void {
    this.isAsking = true;
    if (this.doubt) this.doubt.readings += 1;
    this.out.arbitrate = request;
  }

  /** A nonce serves for a few periods, so that slow answers still count. Those that will not be chosen ask less often: all hear it. */
  private askWhoIsThere(wallMs: number): void {
    const { self, count, periodMs } = this.options;
    this.asked += 1;
    if (this.others.rank >= 2 * count && this.asked % nonceLasts !== 0) return;
    if (this.nowMs - this.nonceAtMs >= nonceLasts * periodMs) {
      this.nonces += 1;
      this.nonce = `${self.incarnation}.${self.run}.${this.nonces}`;
      this.nonceAtMs = this.nowMs;
      this.others.forget();
    }
    this.out.send.push({ to: { type: 'all' }, message: { type: 'hello', nonce: this.nonce, voters: { count }, wallMs } });
  }

  private onAnswer(answer: ArbiterAnswer, wallMs: number): void {
    this.isAsking = false;
    const wasOwn = this.isOwnEntry;
    this.isOwnEntry = false;
    if (answer.type === 'failed') {
      this.readDueMs = this.nowMs + afterFailure * this.options.periodMs;
      return;
    }
    const log = new FoundingLog(answer.entries);
    const before = this.log?.length ?? 0;
    this.readAtMs = this.nowMs;
    this.isLookedFor = false;
    const ended = this.foundings.find((founding) => log.hasEnded(founding));
    // A client only follows the group, and goes on to the next one.
    const hasPart = this.options.isCandidate || this.joined !== null || this.remembered !== null;
    if (ended !== undefined && hasPart) return this.onEnded(ended);
    const lost = this.lostOf(log);
    if (lost !== null) return this.onLost(lost, null);
    if (log.isComplete) this.doubt = null;
    if (this.doubt && this.doubt.readings >= readingsInDoubt) return this.onLost(this.doubt.founding, this.doubt.told);
    if (this.log === null || log.length > before) {
      this.progressAtMs = this.nowMs;
      this.enoughSinceMs = Infinity;
    }
    this.log = log;
    // The others need not find out by themselves.
    if (wasOwn && log.length > before) this.tellOthers(log);
    this.settle(log, wallMs);
  }

  /** The founding that this process knows to have stood in the log and does not any more; the log went back, or is another one. */
  private lostOf(log: FoundingLog): string | null {
    const lost = this.foundings.find((founding) => !log.knows(founding));
    if (lost !== undefined) return lost;
    const own = this.founded?.configuration.founding ?? null;
    return log.isComplete && log.current?.configuration.founding === own ? null : own;
  }

  /** Those that the log was seen to count, or that this incarnation has a part in. */
  private get foundings(): readonly string[] {
    const records = [this.log?.current, this.remembered, this.record].flatMap((record) => record?.configuration.founding ?? []);
    return this.joined === null ? records : [...records, this.joined];
  }

  /** Whatever this incarnation promised or was given in that founding ends with it; the next one looks for others anew. */
  private onEnded(founding: string): void {
    this.isOver = true;
    this.out.persist.push({ type: 'discarded' });
    this.out.events.push({ type: 'foundingEnded', founding });
  }

  private onLost(founding: string, told: string | null): void {
    this.isLost = true;
    this.out.events.push({ type: 'foundingNotKept', founding, told });
  }

  private tellOthers({ current, isComplete }: FoundingLog): void {
    const founding = current?.configuration.founding;
    if (founding === undefined) return;
    this.out.send.push({ to: { type: 'all' }, message: { type: isComplete ? 'foundingConfirmed' : 'foundingAccepted', founding } });
  }

  private settle(log: FoundingLog, wallMs: number): void {
    const { current } = log;
    if (this.joined !== null || this.complete) return;
    if (!current || !isVoter(current.configuration, this.options.self)) {
      this.record = null;
      if (current && log.isComplete) this.out.events.push({ type: 'groupExists', record: current, told: '' });
      else this.maybePropose(wallMs);
      return;
    }
    if (this.record?.configuration.founding !== current.configuration.founding) this.accept(current);
    if (log.isComplete) this.learnComplete(current);
    else if (!log.hasJoined(this.seat)) this.append(log, { type: 'joined', founding: current.configuration.founding, seat: this.seat });
  }

  private accept(record: FoundingRecord): void {
    this.record = record;
    this.out.persist.push({ type: 'founding', record, complete: false });
    this.out.events.push({ type: 'foundingAccepted', founding: record.configuration.founding });
  }

  private learnComplete(record: FoundingRecord): void {
    this.complete = true;
    this.out.persist.push({ type: 'founding', record, complete: true, confirmed: true });
    this.out.events.push({ type: 'founded', record }, { type: 'foundingConfirmed', founding: record.configuration.founding });
  }

  private onMessage({ from, message, wallMs }: Extract<FounderInput, { type: 'message' }>): void {
    switch (message.type) {
      case 'hello':
        return this.complain(from, message.voters);
      case 'greeting':
        return this.onGreeting(from, message, wallMs);
      case 'found':
      case 'foundingAccepted':
      case 'foundingConfirmed':
        return this.readSoon();
      default:
        return unreachable(message);
    }
  }

  private onGreeting(from: Proposer, greeting: Greeting, wallMs: number): void {
    if (this.nonce === '' || greeting.nonce !== this.nonce) return;
    this.complain(from, greeting.voters);
    if (greeting.standing === 'founded' || greeting.standing === 'led') return this.onWordOfGroup(from, greeting);
    if (greeting.standing === 'live' || !sameVoters(greeting.voters, { count: this.options.count })) return;
    const apart = this.others.answered(from, greeting, greeting.wallMs - wallMs, this.nowMs);
    if (apart) this.once(`clocks ${[apart.node, apart.from].sort().join(' ')}`, { type: 'clocksDiffer', ...apart });
    this.maybePropose(wallMs);
  }

  /** There is a group. The log names it, or will when it is read again; if not, the log is not the one that the group was founded by. */
  private onWordOfGroup(from: Proposer, { record, standing }: Greeting): void {
    if (!this.isLooking || !record) return;
    const { founding } = record.configuration;
    if (this.log?.hasEnded(founding) === true) {
      if (standing === 'led') this.endedButLedAtMs = this.nowMs;
      return;
    }
    if (this.doubt?.founding !== founding) this.doubt = { founding, told: from.node, readings: 0 };
    this.readSoon();
  }

  /** Not for each of many frames at once. */
  private readSoon(): void {
    if (this.isSettled || this.nowMs - this.readAtMs < this.options.periodMs / 4) return;
    this.read();
  }

  private maybePropose(wallMs: number): void {
    const { log } = this;
    if (!log || this.isAsking || this.doubt || !this.isLooking || !this.options.isCandidate || !this.mayReplace(log)) return;
    const chosen = this.others.first(this.options.count - 1);
    if (!chosen) return;
    this.enoughSinceMs = Math.min(this.enoughSinceMs, this.nowMs);
    if (this.nowMs - this.enoughSinceMs < this.others.rank * turn * this.options.periodMs) return;
    this.append(log, { type: 'record', record: this.recordOf(chosen, log, wallMs) });
  }

  /** One that is not complete may be replaced at any time. It is let be while its members are still coming. */
  private mayReplace(log: FoundingLog): boolean {
    // Until a leader that the operator did not hear has read that it is over, there is to be no other.
    if (this.nowMs - this.endedButLedAtMs < patience * this.options.periodMs) return false;
    if (!log.current) return true;
    const { missing } = log;
    if (missing.some((seat) => isVoter({ voters: [seat] }, this.options.self))) return false;
    const isHopeless = missing.some((seat) => this.others.hasReplaced(seat));
    return isHopeless || this.nowMs - this.progressAtMs > patience * this.options.periodMs;
  }

  private recordOf(others: readonly Candidate[], log: FoundingLog, wallMs: number): FoundingRecord {
    const { self, maxSessionTtlMs, firstFounding, memory } = this.options;
    const greetings = others.map(({ greeting }) => greeting);
    const seats = [this.seat, ...others.map(({ seat }) => seat)].sort((a, b) => (a.node < b.node ? -1 : 1));
    const seconds = greetings.flatMap((greeting) => [greeting.tokenSecond, secondOf(greeting.wallMs)]);
    this.proposals += 1;
    return {
      // A run is an incarnation's alone, and never gives the same name to two records.
      configuration: { founding: `${self.incarnation}.${self.run}.${this.proposals}`, id: 1, voters: seats },
      tokenSecond: Math.max(memory?.tokenSecond ?? 0, secondOf(wallMs), log.tokenSecond, ...seconds) + 1,
      maxSessionTtlMs: Math.max(maxSessionTtlMs, log.maxSessionTtlMs, ...greetings.map(({ longestTtlMs }) => longestTtlMs)),
      // Whatever the user was told to say: leases of a life that an operator ended may still hold.
      firstFounding: firstFounding && !log.hasAnyEnded,
    };
  }

  private get seat(): Seat {
    const { node, incarnation } = this.options.self;
    return { node, incarnation };
  }

  private complain(from: Proposer, theirs: Voters): void {
    const ours = { count: this.options.count };
    if (sameVoters(theirs, ours) || (!isCounted(theirs) && theirs.length === 0)) return;
    this.once(`voters ${from.node} ${JSON.stringify(theirs)}`, { type: 'votersDiffer', node: from.node, theirs, ours });
  }

  private once(key: string, event: FounderEvent): void {
    if (this.reports.isNews(key)) this.out.events.push(event);
  }
}

function freshFounderOutput(): FounderOutput {
  return { persist: [], arbitrate: null, send: [], events: [] };
}
