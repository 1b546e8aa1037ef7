/** Who of a group's voters answers: whether its majority may be called lost. The safety rule 22; `docs/protocol.md`, "Founding by count". */
import type { Proposer } from './ballot.ts';
import type { Configuration, Seat } from './configuration.ts';
import { isVoter } from './configuration.ts';
import type { FoundingRecord, Greeting } from './founding-message.ts';

/**
 * 1. Only answers to the present nonce count, and only by seats of the founding that is asked about.
 * 2. Who votes now is what the latest configuration says that any of them knows.
 */
export class Survivors {
  private configuration: Configuration;
  private readonly seats = new Map<string, Seat>();
  private isLed = false;
  /** The second of the highest token that any of them remembers. */
  tokenSecond: number;

  constructor(
    record: FoundingRecord,
    private readonly nonce: string,
  ) {
    ({ configuration: this.configuration, tokenSecond: this.tokenSecond } = record);
  }

  onGreeting({ node, incarnation }: Proposer, { nonce, record, standing, tokenSecond }: Greeting): void {
    if (nonce !== this.nonce || record?.configuration.founding !== this.configuration.founding) return;
    if (record.configuration.id > this.configuration.id) this.configuration = record.configuration;
    this.seats.set(incarnation, { node, incarnation });
    this.tokenSecond = Math.max(this.tokenSecond, tokenSecond);
    if (standing === 'led') this.isLed = true;
  }

  /** Somebody leads it; that the frame may be an old one only makes an operator ask again. */
  onHeartbeat(founding: string): void {
    if (founding === this.configuration.founding) this.isLed = true;
  }

  get voters(): readonly string[] {
    return this.configuration.voters.map(({ node }) => node);
  }

  /** Voters of the latest configuration that answered, under the incarnation that it names. */
  get heard(): readonly string[] {
    return [...this.seats.values()]
      .filter((seat) => isVoter(this.configuration, seat))
      .map(({ node }) => node)
      .sort();
  }

  /** It is led, or could be within moments. */
  get isAlive(): boolean {
    return this.isLed || 2 * this.heard.length > this.configuration.voters.length;
  }
}
