/** One name among the voters, in whatever incarnation it lives, for the model of founding. */
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import type { FoundingMessage, FoundingRecord } from '../../../packages/core/src/paxos/founding-message.ts';
import type { SynodMemberMessage } from '../../../packages/core/src/paxos/synod-message.ts';
import { SynodMember } from '../../../packages/core/src/group/synod-member.ts';
import type { SynodMemberInput } from '../../../packages/core/src/group/synod-member.ts';

export interface FoundingFrame {
  readonly from: Proposer;
  readonly to: string;
  readonly message: FoundingMessage;
}

export interface FoundingActed {
  readonly frames: readonly FoundingFrame[];
  /** Answers to its earlier questions count no more. */
  readonly isNewNonce: boolean;
  readonly gaveUp: boolean;
}

const periodMs = 1;
/** Later than any nonce, or any group that gave no sign of life, lasts. */
const longMs = 1_000;

/**
 * A voter from hello to the knowledge of completion: a member of a synod, which founds as a member of a group does and is not much else.
 * Time is cut down to what it decides. A tick is always due, and comes soon (the nonce stays) or late (a new nonce, and a group that
 * was heard of is taken for gone). Nonces are told apart from the present one only, so they need no number.
 */
export class FoundingNode {
  life = 0;
  incarnation = '';
  /** Foundings that this incarnation accepted. */
  readonly accepted = new Set<string>();
  readonly marks = new Set<string>();
  private member: SynodMember;

  constructor(
    private readonly name: string,
    private readonly voters: readonly string[],
  ) {
    this.member = this.mint();
  }

  /** The founding that it knows to be complete. */
  get founded(): string | null {
    return this.record('founded')?.configuration.founding ?? null;
  }

  get hasAccepted(): boolean {
    return this.record('acceptedRecord') !== null;
  }

  /** It accepted the record of this founding in its present incarnation. */
  isListedIn(founding: string): boolean {
    return this.record('acceptedRecord')?.configuration.founding === founding;
  }

  /** It knows of a group that lives without it. */
  get recognises(): boolean {
    return Reflect.get(this.founder, 'existing') !== null;
  }

  /** What it asks all others, as long as its nonce lives. */
  get question(): FoundingFrame | null {
    if (this.nonce === '' || this.founded !== null) return null;
    return { from: this.self, to: '', message: { type: 'hello', nonce: this.nonce, voters: this.voters, wallMs: 0 } };
  }

  mayJoin({ configuration }: FoundingRecord): boolean {
    return configuration.voters.some(({ incarnation }) => incarnation === this.incarnation);
  }

  /** A founding is named after the incarnation that proposes it. */
  mayComplete(founding: string): boolean {
    const own = this.record('acceptedRecord');
    return own === null || own.configuration.founding === founding;
  }

  hear({ from, message }: FoundingFrame): FoundingActed {
    return this.take({ type: 'message', from, founding: '', message, at: { monotonicMs: 0, wallMs: 0 } });
  }

  askAnew(): FoundingActed {
    return this.take({ type: 'tick', at: { monotonicMs: longMs, wallMs: 0 } });
  }

  wipe(): FoundingActed {
    this.member = this.mint();
    return this.start();
  }

  start(): FoundingActed {
    return { ...this.take({ type: 'tick', at: { monotonicMs: 0, wallMs: 0 } }), isNewNonce: true };
  }

  /** A voter repeats itself whenever it can: what it says may be lost, so it need not be a step of its own. */
  private take(input: SynodMemberInput): FoundingActed {
    const before = this.nonce;
    const first = this.member.step(input);
    const gaveUp = first.events.some(({ type }) => type === 'gaveUp');
    const said = first.send.map((send) => ({ ...send, from: this.self }));
    if (gaveUp) {
      this.member = this.mint();
      this.marks.add('an incarnation is given up');
    }
    const again = this.member.step({ type: 'tick', at: { monotonicMs: 0, wallMs: 0 } });
    for (const event of [...first.events, ...again.events]) {
      if (event.type === 'foundingAccepted' && !gaveUp) this.accepted.add(event.founding);
      if (event.type === 'groupExists') this.marks.add('a group is recognised');
    }
    const isNewNonce = this.nonce !== before;
    this.forgetTime();
    const frames = [...said, ...again.send.map((send) => ({ ...send, from: this.self }))].flatMap(({ from, to, message }) =>
      (to.type === 'node' ? [to.node] : this.voters)
        .filter((node) => node !== this.name)
        .flatMap((node) => (isOfFounding(message) ? [{ from, to: node, message }] : [])),
    );
    return { frames, isNewNonce, gaveUp };
  }

  private get self(): Proposer {
    return { node: this.name, incarnation: this.incarnation, run: 1 };
  }

  private mint(): SynodMember {
    this.life += 1;
    this.incarnation = `${this.name}#${this.life}`;
    this.accepted.clear();
    return new SynodMember({ self: this.self, voters: this.voters, periodMs, roundMs: 1, random: { next: () => 0, below: () => 0 } });
  }

  private get founder(): object {
    return Reflect.get(this.member, 'founder') as object;
  }

  private get nonce(): string {
    return String(Reflect.get(this.founder, 'nonce'));
  }

  private get plainNonce(): string {
    return `${this.incarnation}.now`;
  }

  private record(field: 'founded' | 'acceptedRecord'): FoundingRecord | null {
    return Reflect.get(this.founder, field) as FoundingRecord | null;
  }

  private forgetTime(): void {
    const { founder } = this;
    Reflect.set(founder, 'dueMs', -Infinity);
    Reflect.set(founder, 'nonces', 0);
    if (this.nonce !== '') {
      Reflect.set(founder, 'nonce', this.plainNonce);
      Reflect.set(founder, 'nonceAtMs', 0);
    }
    const existing = Reflect.get(founder, 'existing') as { readonly record: FoundingRecord } | null;
    if (existing) Reflect.set(founder, 'existing', { ...existing, atMs: 0 });
  }
}

function isOfFounding(message: SynodMemberMessage): message is FoundingMessage {
  return message.type !== 'hello' && !message.type.startsWith('synod');
}
