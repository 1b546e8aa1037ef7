/**
 * A member's part in how its group comes to be: the founder, if it may become one of the first voters, and the questions of a member that
 * founds nothing. `docs/protocol.md`, "Founding".
 */
import type { Proposer } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import { Founder } from '../paxos/founding.ts';
import type { FounderOutput } from '../paxos/founding.ts';
import { CountFounder } from '../paxos/founding-by-count.ts';
import type { ArbiterAnswer } from '../paxos/founding-log.ts';
import type { FoundingMessage, FoundingRecord, Greeting, Standing } from '../paxos/founding-message.ts';
import { sameVoters } from '../paxos/voters.ts';
import type { Voters } from '../paxos/voters.ts';
import type { Instant } from '../time/clock.ts';
import { Inquiry } from './inquiry.ts';
import type { MemberEvent, MemberOptions, MemberStatus } from './member-io.ts';
import type { MemberSend } from './member-message.ts';
import { founderFor } from './parts.ts';
import type { Place } from './place.ts';

export class FoundingDesk {
  readonly founder: Founder | CountFounder | null;
  /** Who is to vote, as this process was told. */
  readonly asked: Voters;
  private readonly self: Proposer;
  private readonly standsBy: boolean;
  private readonly inquiry: Inquiry;

  constructor(options: MemberOptions) {
    const { self, voters, count, timing, memory } = options;
    this.self = self;
    this.standsBy = options.standsBy === true;
    this.founder = founderFor(options);
    // A record that it accepted may have been replaced before it got its seat.
    const joined = memory?.record?.configuration.founding;
    if (joined !== undefined && memory?.founder.record?.configuration.founding !== joined) this.founder?.join(joined);
    this.asked = count === undefined ? voters : { count };
    this.inquiry = new Inquiry(self, this.asked, timing.heartbeatMs);
  }

  /** This process takes part in a group without a vote, and remembers it where it founds anew with others. */
  follow({ configuration: { founding }, tokenSecond, maxSessionTtlMs: longestTtlMs }: FoundingRecord): void {
    if (this.founder instanceof Founder) this.founder.legacy.know({ founding, tokenSecond, longestTtlMs });
  }

  onMessage(from: Proposer, message: FoundingMessage, { monotonicMs: nowMs, wallMs }: Instant): FounderOutput | null {
    return this.founder?.step({ type: 'message', from, message, nowMs, wallMs }) ?? null;
  }

  onTick({ monotonicMs: nowMs, wallMs }: Instant): FounderOutput | null {
    return this.founder?.step({ type: 'tick', nowMs, wallMs }) ?? null;
  }

  onArbiter(answer: ArbiterAnswer, { monotonicMs: nowMs, wallMs }: Instant): FounderOutput | null {
    return this.founder?.step({ type: 'arbiter', answer, nowMs, wallMs }) ?? null;
  }

  /** True while it may yet be a voter of the founding that comes, or is one. */
  get isFounding(): boolean {
    return this.founder !== null && !this.founder.isIdle;
  }

  /** Somebody belongs to another founding: an operator may have ended this one. */
  onForeign(node: string, founding: string): MemberEvent {
    this.lookAgain();
    return { type: 'foreignFounding', node, founding };
  }

  /** The group is known, and nobody leads it. */
  lookAgain(): void {
    if (this.founder instanceof CountFounder) this.founder.lookAgain();
  }

  get candidates(): MemberStatus['candidates'] {
    const { founder, asked } = this;
    return founder instanceof CountFounder && 'count' in asked ? { seen: founder.candidates, wanted: asked.count } : null;
  }

  /** Of a member that has no seat, or of one whose seat says nothing else. */
  standing(hasSeat: boolean): Standing {
    return this.founder?.standing ?? (hasSeat ? 'founded' : 'live');
  }

  nextDeadlineMs(hasSession: boolean): number {
    return Math.min(this.founder?.nextDeadlineMs ?? Infinity, hasSession ? Infinity : this.inquiry.nextDeadlineMs);
  }

  /** Without a session a node asks who is there; its own name too. */
  ask({ monotonicMs, wallMs }: Instant): readonly MemberSend[] {
    const message = this.inquiry.ask(monotonicMs, wallMs);
    if (!message) return [];
    const own: MemberSend = { to: { type: 'node', node: this.self.node }, message };
    if (this.isFounding) return [own];
    // Those who vote now need not be those who founded the group.
    return [own, { to: 'count' in this.asked ? { type: 'all' } : { type: 'voters' }, message }];
  }

  /** To whoever asks. A founder asks everybody: of a thousand clients only those answer that know of a group. Who stands by may be missed. */
  hasToSay({ seat, record }: Pick<Place, 'seat' | 'record'>): boolean {
    return this.isFounding || seat !== null || (!('count' in this.asked) && (this.standsBy || record !== null));
  }

  /** It answers a question that is still open, of whichever kind. */
  isFresh(greeting: Greeting): boolean {
    return this.inquiry.isAnswer(greeting) || (this.founder instanceof Founder && this.founder.isAnswer(greeting));
  }

  isAnswer(greeting: Greeting): boolean {
    return this.inquiry.isAnswer(greeting);
  }

  complaintOf({ node }: Proposer, { voters: theirs }: Greeting): Extract<MemberEvent, { type: 'votersDiffer' }> {
    return { type: 'votersDiffer', node, theirs, ours: this.asked };
  }

  differs(greeting: Greeting): boolean {
    return !this.isFounding && this.inquiry.isAnswer(greeting) && !this.isOfSameVoters(greeting);
  }

  isOfSameVoters({ voters }: Greeting): boolean {
    return sameVoters(voters, this.asked);
  }

  /** It was founded by the acceptance of this very incarnation, which its store does not hold any more. The safety rule 21. */
  hasForgotten({ configuration }: FoundingRecord): boolean {
    return (
      this.founder instanceof Founder && this.founder.acceptedRecord === null && configuration.id === 1 && isVoter(configuration, this.self)
    );
  }

  /** The group that an answer proves. Where the broker's log decides which founding counts, no word of mouth names another. */
  onGreeting(from: Proposer, greeting: Greeting, known: FoundingRecord | null): FoundingRecord | null {
    const found = this.inquiry.onGreeting(from, greeting, known);
    if (!found || !(this.founder instanceof CountFounder)) return found;
    return this.founder.settledFounding === found.configuration.founding ? found : null;
  }
}
