/**
 * One process of a synod, whole and deterministic: its voters found first, so that one that comes back without its memory never
 * votes under its old incarnation; then one decree is settled among them. `docs/protocol.md`, "Synod".
 */
import { unreachable } from '../errors.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { Founder } from '../paxos/founding.ts';
import type { FounderEvent, FounderOutput } from '../paxos/founding.ts';
import type { FoundingMessage, FoundingRecord, Greeting, Hello } from '../paxos/founding-message.ts';
import { Synod } from '../paxos/synod.ts';
import type { SynodInput } from '../paxos/synod.ts';
import type { SynodMemberMessage } from '../paxos/synod-message.ts';
import type { Instant } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import { Inquiry } from './inquiry.ts';

export interface SynodMemberOptions {
  readonly self: Proposer;
  /** Sorted by code unit. A node that is not among them proposes and learns only. */
  readonly voters: readonly string[];
  readonly periodMs: number;
  readonly roundMs: number;
  readonly random: Random;
}

export type SynodMemberInput =
  | {
      readonly type: 'message';
      readonly from: Proposer;
      readonly founding: string;
      readonly message: SynodMemberMessage;
      readonly at: Instant;
    }
  | { readonly type: 'tick'; readonly at: Instant }
  | { readonly type: 'propose'; readonly value: string; readonly at: Instant }
  | { readonly type: 'ask'; readonly at: Instant };

export interface SynodMemberSend {
  readonly to: { readonly type: 'all' } | { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };
  readonly message: SynodMemberMessage;
}

export interface SynodMemberOutput {
  readonly send: SynodMemberSend[];
  readonly events: FounderEvent[];
  /** In the output of the step that learned it and in no other. */
  decided: { readonly value: string } | null;
}

/** Grants nothing, so that nothing has to be waited out. */
const longestTtlMs = 1;

/**
 * 1. It votes only in a founding that it knows to be complete, under the incarnation listed there.
 * 2. Messages of the decree count within their founding only.
 * 3. What was asked before there was a founding is taken up when there is one.
 */
export class SynodMember {
  private readonly founder: Founder | null;
  private readonly inquiry: Inquiry;
  private synod: Synod<string> | null = null;
  private record: FoundingRecord | null = null;
  private wanted: { readonly value: string } | null = null;
  private isAsking = false;
  private out: SynodMemberOutput = { send: [], events: [], decided: null };

  constructor(private readonly options: SynodMemberOptions) {
    const { self, voters, periodMs } = options;
    const isVoter = voters.includes(self.node);
    this.founder = isVoter ? new Founder({ self, voters, periodMs, maxSessionTtlMs: longestTtlMs, firstFounding: true }) : null;
    this.inquiry = new Inquiry(self, voters, periodMs);
  }

  step(input: SynodMemberInput): SynodMemberOutput {
    const out = (this.out = { send: [], events: [], decided: null });
    const { at } = input;
    switch (input.type) {
      case 'message':
        this.onMessage(input, at);
        break;
      case 'tick':
        this.onTick(at);
        break;
      case 'propose':
        this.wanted ??= { value: input.value };
        this.stepSynod({ type: 'propose', value: input.value, nowMs: at.monotonicMs });
        break;
      case 'ask':
        this.isAsking = true;
        this.stepSynod({ type: 'ask', nowMs: at.monotonicMs });
        break;
      default:
        unreachable(input);
    }
    return out;
  }

  /** When a tick is next of use. */
  get nextDeadlineMs(): number {
    const founderDueMs = this.founder?.nextDeadlineMs ?? Infinity;
    const inquiryDueMs = this.founder || this.synod ? Infinity : this.inquiry.nextDeadlineMs;
    return Math.min(founderDueMs, inquiryDueMs, this.synod?.nextDeadlineMs ?? Infinity);
  }

  /** The configuration it votes or asks in; null before it knows one. */
  get configuration(): Configuration | null {
    return this.record?.configuration ?? null;
  }

  get decided(): { readonly value: string } | null {
    return this.synod?.decided ?? null;
  }

  /** Voters that answered, for the message of a deadline that passed. */
  get heard(): readonly string[] {
    return this.founder ? [this.options.self.node, ...this.founder.heard] : [...this.inquiry.heard.keys()];
  }

  private onMessage({ from, founding, message }: Extract<SynodMemberInput, { type: 'message' }>, at: Instant): void {
    switch (message.type) {
      case 'hello':
        return this.onHello(from, message, at);
      case 'greeting':
        return this.onGreeting(from, message, at);
      case 'found':
      case 'foundingAccepted':
      case 'foundingConfirmed':
        return this.stepFounder(from, message, at);
      default:
        if (founding !== this.record?.configuration.founding) return;
        return this.stepSynod({ type: 'message', from, message, nowMs: at.monotonicMs });
    }
  }

  private onHello(from: Proposer, hello: Hello, at: Instant): void {
    if (!this.founder) return;
    this.stepFounder(from, hello, at);
    const { voters } = this.options;
    const { standing, acceptedRecord: record } = this.founder;
    const known = { voters, wallMs: at.wallMs, tokenSecond: 0, longestTtlMs, standing, record };
    this.out.send.push({ to: { type: 'node', node: from.node }, message: { type: 'greeting', nonce: hello.nonce, ...known } });
  }

  private onGreeting(from: Proposer, greeting: Greeting, at: Instant): void {
    if (this.founder) return this.stepFounder(from, greeting, at);
    const found = this.inquiry.onGreeting(from, greeting, this.record);
    if (found) this.enter(found, at);
  }

  private onTick(at: Instant): void {
    const { monotonicMs: nowMs, wallMs } = at;
    if (this.founder) this.takeFounder(this.founder.step({ type: 'tick', nowMs, wallMs }), at);
    else if (!this.synod) this.inquire(at);
    this.stepSynod({ type: 'tick', nowMs });
  }

  private inquire({ monotonicMs, wallMs }: Instant): void {
    const hello = this.inquiry.ask(monotonicMs, wallMs);
    if (hello) this.out.send.push({ to: { type: 'voters' }, message: hello });
  }

  private stepFounder(from: Proposer, message: FoundingMessage, at: Instant): void {
    if (!this.founder) return;
    this.takeFounder(this.founder.step({ type: 'message', from, message, nowMs: at.monotonicMs, wallMs: at.wallMs }), at);
  }

  private takeFounder({ send, events }: FounderOutput, at: Instant): void {
    this.out.send.push(...send);
    for (const event of events) {
      this.out.events.push(event);
      if (event.type === 'founded' || event.type === 'groupExists') this.enter(event.record, at);
    }
  }

  private enter(record: FoundingRecord, at: Instant): void {
    const { self, random, roundMs } = this.options;
    this.record = record;
    this.synod = new Synod<string>({ self, configuration: record.configuration, random, roundMs });
    const nowMs = at.monotonicMs;
    if (this.wanted) this.stepSynod({ type: 'propose', value: this.wanted.value, nowMs });
    if (this.isAsking) this.stepSynod({ type: 'ask', nowMs });
  }

  private stepSynod(input: SynodInput<string>): void {
    if (!this.synod) return;
    const { send, decided } = this.synod.step(input);
    this.out.send.push(...send);
    if (decided) this.out.decided = decided;
  }
}
