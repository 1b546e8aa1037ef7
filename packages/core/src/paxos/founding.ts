/**
 * How named voters become a group: unanimously, each in one incarnation, an incarnation at most once. The safety rules 11 to 14;
 * `docs/protocol.md`, "Founding".
 */
import { invariant, unreachable } from '../errors.ts';
import type { Proposer } from './ballot.ts';
import { clocksApart, foundersClockSkewMaxMs, spreadMs } from './clocks-apart.ts';
import type { SeenClock } from './clocks-apart.ts';
import type { Seat } from './configuration.ts';
import type { FounderEvent, FounderInput, FounderOptions, FounderOutput, Inheritance } from './founder-io.ts';
import type * as M from './founding-message.ts';
import { provesFounding } from './founding-message.ts';
import type { FoundingRecord, Standing } from './founding-message.ts';
import { Legacy } from './legacy.ts';
import { Reports } from './reports.ts';
import { isCounted, sameVoters } from './voters.ts';
import type { Voters } from './voters.ts';

export type * from './founder-io.ts';

/** Tokens count seconds from here: the start of 2020, UTC. */
export const tokenEpochMs = Date.UTC(2020, 0, 1);

/** With every so many everybody is asked, not only those that are to vote, for whoever wonders what becomes of the group. */
const noncesPerQuestionToAll = 8;

/** How many periods without a sign of life from a known group before a founder takes it for gone. */
const existingGroupPeriods = 40;

interface Witness extends SeenClock {
  readonly greeting: M.Greeting;
}

/**
 * 1. It accepts only a record that lists exactly its own configured voters and itself in this incarnation; at most one, ever.
 * 2. Only the first voter in order of names proposes, and only to founders that answered its present nonce.
 * 3. Accepted, completion unknown, and a fresh greeting contradicts the record: unless one of the others, who must all have
 *    answered, knows completion, it discards its incarnation. Meanwhile it completes nothing by itself.
 * 4. Once it knows completion it never gives up. Nobody votes before it knows completion.
 * 5. Once all voters answer, everybody is asked so many times before anything is proposed: orders may have left a group's last word
 *    to one that no list has.
 * 6. Who knew or is told of an earlier group inherits that and hands it on: no founding after it is the first, nor begins below what it
 *    granted. Who is asked to accept one that does gives up, and so do those that accepted it.
 */
export class Founder {
  private record: FoundingRecord | null;
  private complete: boolean;
  private readonly confirmed: boolean;
  private nonce = '';
  private nonces = 0;
  private nonceAtMs = -Infinity;
  private readonly witnesses = new Map<string, Witness>();
  private readonly acceptedBy = new Set<string>();
  private readonly confirmedBy = new Set<string>();
  private readonly reports = new Reports();
  private discarded = false;
  /** This incarnation was given a seat of a group that others founded: it founds nothing any more. */
  private hasJoined = false;
  private confirmedAnnounced = false;
  private dueMs = -Infinity;
  /** The group that lives without this incarnation, by its last fresh sign of life. */
  private existing: { readonly record: FoundingRecord; readonly atMs: number } | null = null;
  /** Of groups without this incarnation. */
  readonly legacy: Legacy;
  /** How often it has asked since all voters answer every nonce; 0 while they do not. */
  private asked = 0;
  private out: FounderOutput = { persist: [], arbitrate: null, send: [], events: [] };

  constructor(private readonly options: FounderOptions) {
    this.record = options.memory?.record ?? null;
    this.complete = options.memory?.complete ?? false;
    this.confirmed = options.memory?.confirmed ?? false;
    this.legacy = new Legacy(options.memory?.inherits);
  }

  step(input: FounderInput): FounderOutput {
    const out: FounderOutput = (this.out = { persist: [], arbitrate: null, send: [], events: [] });
    if (this.discarded || this.hasJoined) return out;
    if (input.type === 'tick') this.onTick(input.nowMs, input.wallMs);
    else if (input.type === 'message') this.onMessage(input);
    const unkept = this.inherits && !this.discarded ? this.legacy.takeUnkept() : undefined;
    if (unkept) out.persist.unshift({ type: 'inherited', ...unkept });
    return out;
  }

  get nextDeadlineMs(): number {
    return this.isConfirmed || this.discarded || this.hasJoined ? Infinity : this.dueMs;
  }

  /** A stop-sign gave this incarnation a seat, which is as good as to know completion. What was accepted elsewhere is never left for it. */
  join(): void {
    invariant(this.record === null || this.complete, 'who accepted a record takes no seat under another founding');
    this.hasJoined = true;
  }

  /** What it has to hand on to the next founding, until that is complete. */
  get inherits(): Inheritance | undefined {
    return this.complete || this.hasJoined ? undefined : this.legacy.inheritance;
  }

  /** The longest TTL that anybody may have been granted, as far as it knows. */
  get longestTtlMs(): number {
    return Math.max(this.options.maxSessionTtlMs, this.legacy.inheritance?.longestTtlMs ?? 0);
  }

  /** The second of the highest token that anybody may have been granted, as far as it was told. */
  get tokenSecond(): number {
    return Math.max(this.options.memory?.tokenSecond ?? 0, this.inherits?.tokenSecond ?? 0);
  }

  /** To the present nonce. */
  isAnswer({ nonce }: M.Greeting): boolean {
    return this.nonce !== '' && nonce === this.nonce;
  }

  get standing(): Exclude<Standing, 'led' | 'bereft'> {
    if (this.hasJoined) return 'founded';
    if (!this.record) return this.existing ? 'live' : 'unfounded';
    return this.complete ? 'founded' : 'accepted';
  }

  /** The record, once every founder is known to have accepted it. */
  get founded(): FoundingRecord | null {
    return this.complete ? this.record : null;
  }

  get acceptedRecord(): FoundingRecord | null {
    return this.record;
  }

  /** Names that were given are looked for as long as the process lives. */
  get isIdle(): boolean {
    return false;
  }

  /** Every founder confirmed that it knows completion: sessions may open. */
  get isConfirmed(): boolean {
    return this.complete && (this.confirmed || this.others.every((node) => this.confirmedBy.has(node)));
  }

  /** Voters that answered the present or the last nonce. */
  get heard(): readonly string[] {
    return [...this.witnesses.keys()];
  }

  private onTick(nowMs: number, wallMs: number): void {
    if (nowMs < this.dueMs || this.isConfirmed) return;
    this.dueMs = nowMs + this.options.periodMs;
    // A group that stopped giving signs of life may be gone: whoever is left founds anew, unanimously as ever.
    if (this.existing && nowMs - this.existing.atMs > existingGroupPeriods * this.options.periodMs) this.existing = null;
    if (this.record) this.sayAccepted();
    // Whoever is confirmed already falls silent, and is only asked by the line above for the word that was lost.
    if (this.complete) return this.confirm();
    this.ask(nowMs, wallMs);
    this.maybePropose(wallMs);
    if (this.options.voters.length === 1) this.maybeComplete();
  }

  /** A nonce serves for a few periods, so that slow answers still count, and is then renewed, so that none counts late. */
  private ask(nowMs: number, wallMs: number): void {
    const isNew = nowMs - this.nonceAtMs >= 4 * this.options.periodMs;
    // A nonce that was answered in part begins the count anew.
    this.asked = this.haveAllAnswered || (this.asked > 0 && !isNew) ? Math.min(this.asked + 1, this.questionsToAll + 1) : 0;
    if (isNew) {
      this.nonces += 1;
      this.nonce = `${this.options.self.incarnation}.${this.options.self.run}.${this.nonces}`;
      this.nonceAtMs = nowMs;
      this.witnesses.clear();
    }
    const isDeciding = !this.record && this.asked > 0 && this.asked <= this.questionsToAll;
    const asksAll = isDeciding || (isNew && (this.nonces - 1) % noncesPerQuestionToAll === 0);
    const message = { type: 'hello', nonce: this.nonce, voters: this.options.voters, wallMs } as const;
    this.out.send.push({ to: { type: asksAll ? 'all' : 'voters' }, message });
  }

  private onMessage({ from, message, nowMs, wallMs }: Extract<FounderInput, { type: 'message' }>): void {
    switch (message.type) {
      case 'hello':
        return this.complain(from, message.voters);
      case 'greeting':
        return this.onGreeting(from, message, nowMs, wallMs);
      case 'found':
        return this.onFound(from, message.record);
      case 'foundingAccepted':
        return this.onFoundingAccepted(from, message.founding);
      case 'foundingConfirmed':
        return this.onFoundingConfirmed(from, message.founding);
      default:
        return unreachable(message);
    }
  }

  private onGreeting(from: Proposer, greeting: M.Greeting, nowMs: number, wallMs: number): void {
    if (this.nonce === '' || greeting.nonce !== this.nonce) return;
    this.complain(from, greeting.voters);
    if (!this.complete) this.legacy.onGreeting(greeting, this.record);
    const isListed = this.isOtherVoter(from.node);
    // Who has another name, but was told the same list, may have been given a seat.
    if (!isListed && (from.node === this.options.self.node || !sameVoters(greeting.voters, this.options.voters))) return;
    const proof = !this.record && provesFounding(greeting.standing) ? greeting.record : null;
    if (!isListed) return proof ? this.recognise(from, greeting, proof, nowMs) : undefined;
    const witness = { seat: { node: from.node, incarnation: from.incarnation }, greeting, aheadMs: greeting.wallMs - wallMs };
    this.witnesses.set(from.node, witness);
    if (this.record && !this.complete) return this.reconsider(greeting);
    if (proof) return this.recognise(from, greeting, proof, nowMs);
    const apart = clocksApart(this.options.self.node, witness, this.witnesses.values());
    if (apart) this.once(`clocks ${[apart.node, apart.from].sort().join(' ')}`, { type: 'clocksDiffer', ...apart });
    this.maybePropose(wallMs);
  }

  /** A living seat under another incarnation than the record's can never accept it: unless it is complete already, it never will be. */
  private reconsider(greeting: M.Greeting): void {
    const record = this.record;
    if (!record) return;
    if (sameFounding(greeting.record, record) && provesFounding(greeting.standing)) return this.learnComplete();
    const stranger = this.strangerTo(record);
    // It takes all to found anew, so nothing is lost by first hearing from all that none of them knows completion.
    if (stranger && this.haveAllAnswered) this.giveUp(record, stranger);
  }

  private giveUp({ configuration: { founding } }: FoundingRecord, because: Seat): void {
    this.discarded = true;
    this.out.persist.push({ type: 'discarded' });
    this.out.events.push({ type: 'gaveUp', founding, because });
  }

  /** A seat that answered the present nonce and never accepts the record: it is not listed, or was given a seat by another group. */
  private strangerTo(record: FoundingRecord): Seat | undefined {
    for (const { seat, greeting } of this.witnesses.values()) {
      const isElsewhere = provesFounding(greeting.standing) && greeting.record !== null && !sameFounding(greeting.record, record);
      if (isElsewhere || !listed(record, seat)) return seat;
    }
    return undefined;
  }

  /** Of two groups that are told of, that of a leader counts, else the one that was known first, for as long as its word is fresh. */
  private recognise(from: Proposer, { standing }: M.Greeting, record: FoundingRecord, nowMs: number): void {
    const isNews = !this.existing || !sameFounding(this.existing.record, record);
    if (isNews && this.existing && standing !== 'led') return;
    this.existing = { record, atMs: nowMs };
    if (isNews) this.out.events.push({ type: 'groupExists', record, told: from.node });
  }

  private maybePropose(wallMs: number): void {
    const { voters, self } = this.options;
    // Answers to the last question are waited for too.
    if (!this.record && this.questionsToAll > 0 && this.asked <= this.questionsToAll) return;
    if (this.complete || this.existing || voters[0] !== self.node) return;
    if (!this.record && !this.agreeToFound(wallMs)) return;
    if (this.record) this.out.send.push({ to: { type: 'voters' }, message: { type: 'found', record: this.record } });
  }

  /** All others answered this nonce, have accepted nothing, name the same voters, and no two clocks, ours among them, are too far apart. */
  private agreeToFound(wallMs: number): boolean {
    const { voters, self, firstFounding } = this.options;
    const others = this.others.map((node) => this.witnesses.get(node));
    if (this.areClocksApart) return false;
    let tokenSecond = Math.max(this.tokenSecond, secondOf(wallMs));
    for (const witness of others) {
      if (!witness || witness.greeting.standing !== 'unfounded' || !sameVoters(witness.greeting.voters, voters)) return false;
      tokenSecond = Math.max(tokenSecond, witness.greeting.tokenSecond, secondOf(witness.greeting.wallMs));
    }
    const seats = others.flatMap((witness) => witness?.seat ?? []);
    const all = [...seats, { node: self.node, incarnation: self.incarnation }].sort((a, b) => (a.node < b.node ? -1 : 1));
    const longestTtlMs = Math.max(this.longestTtlMs, ...others.map((witness) => witness?.greeting.longestTtlMs ?? 0));
    const replaces = this.inherits?.founding;
    this.accept({
      // An incarnation founds at most once, so its name is a name for the founding.
      configuration: { founding: self.incarnation, id: 1, voters: all },
      tokenSecond: tokenSecond + 1,
      maxSessionTtlMs: longestTtlMs,
      // Where somebody remembers an earlier life, there was one, whatever the user said.
      firstFounding: firstFounding && replaces === undefined,
      ...(replaces !== undefined && { replaces }),
    });
    return true;
  }

  private onFound(from: Proposer, record: FoundingRecord): void {
    const { voters, self } = this.options;
    if (this.record) return sameFounding(this.record, record) && !this.complete ? this.sayAccepted() : undefined;
    const names = record.configuration.voters.map(({ node }) => node);
    if (this.existing || from.node !== voters[0] || !listed(record, from) || !listed(record, self) || !sameVoters(names, voters)) return;
    // Its proposer has accepted it, and nothing but a stranger makes that one give up.
    if (!this.legacy.isRespectedBy(record)) return this.giveUp(record, from);
    // The proposer compared all of them when it heard them; a clock may have been set since.
    if (this.areClocksApart) return;
    this.accept(record);
  }

  private accept(record: FoundingRecord): void {
    this.record = record;
    this.legacy.onAccepted(record);
    this.acceptedBy.clear();
    // Answers to questions from before the record are no evidence against it.
    this.nonce = '';
    this.nonceAtMs = -Infinity;
    this.witnesses.clear();
    this.out.persist.push({ type: 'founding', record, complete: false });
    this.out.events.push({ type: 'foundingAccepted', founding: record.configuration.founding });
    this.sayAccepted();
    this.maybeComplete();
  }

  private sayAccepted(): void {
    const founding = this.record?.configuration.founding;
    if (founding) this.out.send.push({ to: { type: 'voters' }, message: { type: 'foundingAccepted', founding } });
  }

  private onFoundingAccepted(from: Proposer, founding: string): void {
    if (!this.record || founding !== this.record.configuration.founding || !listed(this.record, from)) return;
    this.acceptedBy.add(from.node);
    // Whoever still says so has not learned completion: tell it.
    if (this.complete) this.sayConfirmed({ type: 'node', node: from.node });
    else this.maybeComplete();
  }

  private onFoundingConfirmed(from: Proposer, founding: string): void {
    if (!this.record || founding !== this.record.configuration.founding || !listed(this.record, from)) return;
    const isNews = !this.confirmedBy.has(from.node);
    this.confirmedBy.add(from.node);
    this.learnComplete();
    if (isNews) this.sayConfirmed({ type: 'node', node: from.node });
    this.announceConfirmed();
  }

  private maybeComplete(): void {
    const { voters, self } = this.options;
    if (!this.record || this.strangerTo(this.record)) return;
    if (voters.every((node) => node === self.node || this.acceptedBy.has(node))) this.learnComplete();
  }

  private learnComplete(): void {
    if (!this.record || this.complete) return;
    this.complete = true;
    this.out.persist.push({ type: 'founding', record: this.record, complete: true });
    this.out.events.push({ type: 'founded', record: this.record });
    this.confirm();
    this.announceConfirmed();
  }

  private confirm(): void {
    this.sayConfirmed({ type: 'voters' });
  }

  private sayConfirmed(to: FounderOutput['send'][number]['to']): void {
    const founding = this.record?.configuration.founding;
    if (founding) this.out.send.push({ to, message: { type: 'foundingConfirmed', founding } });
  }

  private announceConfirmed(): void {
    if (this.confirmedAnnounced || !this.isConfirmed || !this.record) return;
    this.confirmedAnnounced = true;
    this.out.persist.push({ type: 'founding', record: this.record, complete: true, confirmed: true });
    this.out.events.push({ type: 'foundingConfirmed', founding: this.record.configuration.founding });
  }

  private complain(from: Proposer, theirs: Voters): void {
    const { voters: ours } = this.options;
    if ((!isCounted(theirs) && theirs.length === 0) || sameVoters(theirs, ours)) return;
    this.once(`voters ${from.node} ${JSON.stringify(theirs)}`, { type: 'votersDiffer', node: from.node, theirs, ours });
  }

  private once(key: string, event: FounderEvent): void {
    if (this.reports.isNews(key)) this.out.events.push(event);
  }

  /** Of those that answered the present nonce, and ours. */
  private get areClocksApart(): boolean {
    return spreadMs([...this.witnesses.values()]) > foundersClockSkewMaxMs;
  }

  private get others(): readonly string[] {
    return this.options.voters.filter((node) => node !== this.options.self.node);
  }

  private get questionsToAll(): number {
    return this.options.questionsToAll ?? 0;
  }

  private get haveAllAnswered(): boolean {
    return this.others.every((node) => this.witnesses.has(node));
  }

  private isOtherVoter(node: string): boolean {
    return node !== this.options.self.node && this.options.voters.includes(node);
  }
}

export function secondOf(wallMs: number): number {
  return Math.max(0, Math.floor((wallMs - tokenEpochMs) / 1000));
}

function listed(record: FoundingRecord, seat: Seat): boolean {
  return record.configuration.voters.some(({ node, incarnation }) => node === seat.node && incarnation === seat.incarnation);
}

function sameFounding(a: FoundingRecord | null, b: FoundingRecord): boolean {
  return a?.configuration.founding === b.configuration.founding;
}
