/**
 * The order of one partition's messages between the durable and the handler. The server promises none: what was refused, or lost on
 * the way, comes again after what was sent meanwhile. Deterministic; the loop around it does what it says.
 */
import type { Delivery } from './delivery.ts';

/** Rounds of the whole window; an owed message that is still in the stream takes one or two. */
const outOfTurnMax = 4;

export type Verdict =
  /** It is the handler's turn to see it, after those that wait already. */
  | 'queued'
  /** It was handled before: its acknowledgement was lost. */
  | 'handled'
  /** It waits, or is with the handler now: the server became impatient. */
  | 'repeated'
  /** An earlier one is to come first. */
  | 'outOfTurn'
  /** Something before it was lost, and may come after what follows or never: only a new beginning keeps the order. */
  | 'gap';

/**
 * 1. What waits is ordered by its place in the stream, and above all that was handled.
 * 2. What was refused (`owed`) is delivered again before anything above it is taken.
 * 3. A number left out in what the durable counts is a delivery that was lost. With `max_ack_pending` 1 nothing can overtake it.
 * 4. What is owed may be gone from the stream. It is not waited for when others keep coming out of turn.
 */
export class InOrder {
  readonly #waiting: Delivery[] = [];
  readonly #owed: number[] = [];
  #outOfTurn = 0;
  #handled: number;
  #consumerSequence: number;

  /** `consumerSequence`: of the durable's last delivery before. `handledUpTo`: what this owner handled before, with another durable. */
  constructor(
    private readonly maxAckPending: number,
    before: { readonly consumerSequence: number; readonly handledUpTo: number },
  ) {
    this.#consumerSequence = before.consumerSequence;
    this.#handled = before.handledUpTo;
  }

  /** The one whose turn it is, and those behind it. */
  get waiting(): readonly Delivery[] {
    return this.#waiting;
  }

  /** The place in the stream up to which all is handled, as far as this owner knows. */
  get handledUpTo(): number {
    return this.#handled;
  }

  /** How many the server is to deliver again. */
  get owed(): number {
    return this.#owed.length;
  }

  onDelivery(delivery: Delivery): Verdict {
    const { sequence } = delivery.message;
    const isGap = delivery.consumerSequence > this.#consumerSequence + 1;
    this.#consumerSequence = Math.max(this.#consumerSequence, delivery.consumerSequence);
    if (isGap && this.maxAckPending > 1) return 'gap';
    if (sequence <= this.#handled) return 'handled';
    const known = this.#waiting.findIndex(({ message }) => message.sequence === sequence);
    if (known >= 0) {
      // Its newer acknowledgement subject is the one that the server remembers.
      this.#waiting[known] = delivery;
      return 'repeated';
    }
    const [first] = this.#owed;
    if (first !== undefined && sequence > first) {
      this.#owe(sequence);
      this.#outOfTurn += 1;
      return this.#outOfTurn > outOfTurnMax * this.maxAckPending ? 'gap' : 'outOfTurn';
    }
    if (sequence === first) this.#owed.shift();
    this.#outOfTurn = 0;
    this.#waiting.push(delivery);
    return 'queued';
  }

  /** The first is handled, for good or for bad; returns it as the server knows it now. */
  onHandled(): Delivery | undefined {
    const delivery = this.#waiting.shift();
    if (delivery !== undefined) this.#handled = delivery.message.sequence;
    return delivery;
  }

  /** Gives all that waits back to the server, in order, to have it delivered again. */
  onRefused(): readonly Delivery[] {
    const refused = this.#waiting.splice(0);
    for (const { message } of refused) this.#owe(message.sequence);
    return refused;
  }

  #owe(sequence: number): void {
    const at = this.#owed.findIndex((owed) => owed >= sequence);
    if (at === -1) this.#owed.push(sequence);
    else if (this.#owed[at] !== sequence) this.#owed.splice(at, 0, sequence);
  }
}
