/** One name of a group that was founded before, in whatever incarnation it lives, for the model of refounding on request. */
import { Founder } from '../../../packages/core/src/paxos/founding.ts';
import type { FounderOutput, Inheritance } from '../../../packages/core/src/paxos/founding.ts';
import type { Configuration, Seat } from '../../../packages/core/src/paxos/configuration.ts';
import type { FoundingRecord, Greeting } from '../../../packages/core/src/paxos/founding-message.ts';
import { MajorityWatch } from '../../../packages/core/src/paxos/majority-watch.ts';
import type { FoundingFrame } from './founding-node.ts';

export interface RefoundingRules {
  /** Sorted. */
  readonly names: readonly string[];
  /** A standby goes on being one after it accepted a record. */
  readonly standbyStays?: boolean;
  /** Whoever has no seat judges by the configuration of the founding. */
  readonly everybodyWatches?: Configuration;
}

export interface RefoundingActed {
  readonly frames: readonly FoundingFrame[];
  /** Answers to its earlier questions count no more. */
  readonly isNewNonce: boolean;
  /** The incarnation and the configuration that it gave up by a verdict; `null` for one without a seat. */
  readonly gaveUp: { readonly seat: Seat; readonly configuration: Configuration | null } | null;
  readonly mark?: string | undefined;
}

const idle: RefoundingActed = { frames: [], isNewNonce: false, gaveUp: null };

/** What the life before this world left: it granted for longer than any of the present settings say, up to a token of this second. */
export const earlierLife: Omit<Inheritance, 'founding'> = { tokenSecond: 7, longestTtlMs: 2 };
const periodMs = 1;
const longMs = 1_000;

/**
 * The shipped founder and the shipped watch, with what a member does between them, and nothing else: who has a seat watches over its
 * majority, and on the verdict goes on under a new incarnation that inherits. Time is cut down to what it decides, as in the model of founding.
 */
export class RefoundingNode {
  life = 0;
  incarnation = '';
  inherits: Inheritance | null = null;
  /** The last configuration in which it knows that it has a seat. */
  seated: FoundingRecord | null = null;
  /** It would learn of a seat that it is given. */
  isStandby = true;
  /** Machines are told apart by their fields, but not by the configurations in them. */
  told = '';
  private founder: Founder | null = null;
  private watch: MajorityWatch | null = null;

  constructor(
    private readonly name: string,
    private readonly rules: RefoundingRules,
    livesBefore = 0,
  ) {
    this.life = livesBefore;
    this.mint();
  }

  /** The founding that it knows to be complete, where it took part in it. */
  get founded(): string | null {
    return this.founder?.founded?.configuration.founding ?? null;
  }

  get accepted(): FoundingRecord | null {
    return this.founder?.acceptedRecord ?? null;
  }

  /** What it asks all other founders, as long as its nonce lives. */
  get question(): FoundingFrame | null {
    const nonce = this.founder ? this.nonceOf(this.founder) : '';
    if (nonce === '' || this.founded !== null || this.seated) return null;
    return { from: this.self, to: '', message: { type: 'hello', nonce, voters: this.rules.names, wallMs: 0 } };
  }

  /** Whom it asks whether they are still there. */
  get inquiry(): readonly string[] {
    return this.watch?.configuration.voters.map(({ node }) => node).filter((node) => node !== this.name) ?? [];
  }

  get recognises(): boolean {
    return this.founder !== null && Reflect.get(this.founder, 'existing') !== null;
  }

  /** The later of the configurations that it heard of and that it came to. */
  get lastKnown(): Configuration | null {
    const [own, heard] = [this.seated?.configuration, this.watch?.configuration];
    return own && heard && own.id > heard.id ? own : (heard ?? own ?? null);
  }

  answer(nonce: string): Greeting {
    const standing = this.seated ? (this.watch?.loss ? 'bereft' : 'founded') : (this.founder?.standing ?? 'live');
    return {
      type: 'greeting',
      nonce,
      voters: this.rules.names,
      wallMs: 0,
      tokenSecond: this.inherits?.tokenSecond ?? 0,
      longestTtlMs: this.founder?.longestTtlMs ?? 1,
      standing,
      record: this.seated ?? this.accepted,
      ...(this.founder?.inherits && { replaces: this.founder.inherits.founding }),
    };
  }

  hear({ from, message }: FoundingFrame): RefoundingActed {
    const before = this.founder ? this.nonceOf(this.founder) : '';
    const first = this.founder?.step({ type: 'message', from, message, nowMs: 0, wallMs: 0 });
    return this.afterFounder(first, before);
  }

  askAnew(): RefoundingActed {
    const before = this.founder ? this.nonceOf(this.founder) : '';
    return this.afterFounder(this.founder?.step({ type: 'tick', nowMs: longMs, wallMs: 0 }), before);
  }

  /** It asks, hears these, and judges once its nonce has served; of the last lives it hears what they said to another. */
  judge(answering: readonly RefoundingNode[]): RefoundingActed {
    const { watch } = this;
    const nonce = watch?.step({ type: 'tick', hasLeader: false, nowMs: 0 }).ask?.nonce ?? '';
    for (const other of answering) {
      const greeting = other.answer(other.life > 0 ? nonce : `${this.incarnation}.1.m0`);
      watch?.step({ type: 'greeting', from: other.self, greeting });
    }
    this.forgetTime();
    const out = watch?.step({ type: 'tick', hasLeader: false, nowMs: 0 });
    if (watch) Reflect.set(watch, 'nonce', '');
    this.forgetTime();
    if (out?.verdict !== 'lost') return idle;
    const gaveUp = { seat: this.self, configuration: this.seated ? this.lastKnown : null };
    const founding = (this.seated ?? this.watch?.loss)?.configuration.founding ?? '';
    this.mint({ ...earlierLife, founding });
    return { ...this.start(), gaveUp };
  }

  /** It applied the stop-sign, or what it was founded with: it has a seat in this configuration. */
  learn(record: FoundingRecord): RefoundingActed {
    if (this.seated) this.watch?.step({ type: 'configuration', configuration: record.configuration });
    else if (this.founded !== record.configuration.founding) this.founder?.join();
    this.takeSeat(record);
    this.forgetTime();
    return idle;
  }

  /** The life of somebody who took part in the founding before this world began. */
  beginFounded(record: FoundingRecord): void {
    this.founder = this.founderWith(record);
    this.takeSeat(record);
    this.forgetTime();
  }

  wipe(): RefoundingActed {
    this.mint();
    return this.start();
  }

  start(): RefoundingActed {
    const out = this.founder?.step({ type: 'tick', nowMs: 0, wallMs: 0 });
    return { ...this.afterFounder(out, ''), isNewNonce: true };
  }

  private takeSeat(record: FoundingRecord): void {
    const isLater = this.seated !== null;
    this.seated = record;
    if (!isLater) this.watch = this.watchOver(record.configuration);
    this.isStandby = false;
  }

  private watchOver(configuration: Configuration): MajorityWatch {
    return new MajorityWatch({ self: this.self, periodMs, leaderlessMs: 0 }, configuration);
  }

  /** A founder repeats itself whenever it can: what it says may be lost, so that it need not be a step of its own. */
  private afterFounder(first: FounderOutput | undefined, nonceBefore: string): RefoundingActed {
    if (!first || !this.founder) return idle;
    const said = first.send.map((send) => ({ ...send, from: this.self }));
    const hasGivenUp = first.events.some(({ type }) => type === 'gaveUp');
    if (hasGivenUp) this.mint(this.founder.inherits ?? null);
    Reflect.set(this.founder, 'dueMs', -Infinity);
    const again = this.founder.step({ type: 'tick', nowMs: 0, wallMs: 0 });
    for (const event of [...first.events, ...again.events]) {
      if (event.type === 'foundingAccepted' && this.rules.standbyStays !== true) this.isStandby = false;
      if (event.type === 'founded' && !this.seated) this.takeSeat(event.record);
    }
    const isNewNonce = this.nonceOf(this.founder) !== nonceBefore;
    this.forgetTime();
    const frames = [...said, ...again.send.map((send) => ({ ...send, from: this.self }))].flatMap(({ from, to, message }) =>
      (to.type === 'node' ? [to.node] : this.rules.names)
        .filter((node) => node !== this.name && message.type !== 'hello')
        .map((node): FoundingFrame => ({ from, to: node, message })),
    );
    return { frames, isNewNonce, gaveUp: null, mark: hasGivenUp ? 'a founder gives up its incarnation' : undefined };
  }

  get self(): { readonly node: string; readonly incarnation: string; readonly run: number } {
    return { node: this.name, incarnation: this.incarnation, run: 1 };
  }

  private mint(inherits: Inheritance | null = null): void {
    this.life += 1;
    this.incarnation = `${this.name}${this.life}`;
    this.inherits = inherits;
    this.seated = null;
    this.isStandby = true;
    this.watch = this.rules.everybodyWatches ? this.watchOver(this.rules.everybodyWatches) : null;
    this.founder = this.rules.names.includes(this.name) ? this.founderWith(null) : null;
  }

  /** The user said everywhere that there was no earlier life. */
  private founderWith(record: FoundingRecord | null): Founder {
    const { names: voters } = this.rules;
    const memory = { record, complete: record !== null, confirmed: record !== null, tokenSecond: 0, inherits: this.inherits ?? undefined };
    return new Founder({ self: this.self, voters, periodMs, maxSessionTtlMs: 1, firstFounding: true, memory });
  }

  private nonceOf(machine: object): string {
    return String(Reflect.get(machine, 'nonce'));
  }

  private forgetTime(): void {
    const { founder, watch } = this;
    this.told = `${this.seated?.configuration.founding ?? ''} ${this.seated?.configuration.id ?? 0} ${this.accepted?.configuration.founding ?? ''}`;
    for (const machine of [founder, watch]) {
      if (!machine) continue;
      Reflect.set(machine, 'dueMs', -Infinity);
      Reflect.set(machine, 'nonces', 0);
    }
    if (founder && this.nonceOf(founder) !== '') {
      Reflect.set(founder, 'nonce', `${this.incarnation}.now`);
      Reflect.set(founder, 'nonceAtMs', 0);
    }
    const existing = founder ? (Reflect.get(founder, 'existing') as { readonly record: FoundingRecord } | null) : null;
    if (founder && existing) Reflect.set(founder, 'existing', { ...existing, atMs: 0 });
    if (!watch) return;
    Reflect.set(watch, 'asked', 0);
    Reflect.set(watch, 'ledAtMs', 0);
  }
}
