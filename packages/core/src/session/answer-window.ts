/**
 * What one session was answered: a floor, and the answers above it until the session has received them. So a command that
 * comes twice takes effect once. "Implementing Linearizability at Large Scale and Low Latency" (RIFL, 2015) §3.2.
 */
import { invariant } from '../errors.ts';

/** An answer's first field is the sequence it answers. */
export type Numbered = readonly [seq: number, ...rest: unknown[]];

/** How far above its floor a session may number its commands. */
export const answersMax = 8192;

const capacityMin = 16;
/** A ring that was larger than this is given back when it is empty. */
const capacityKept = 256;

/**
 * 1. Every remembered answer stands under its own sequence, above the floor and at most `answersMax` above it.
 * 2. `size` is how many there are.
 */
export class AnswerWindow<Answer extends Numbered> {
  #floor = 0;
  #size = 0;
  /** The answer to `seq` stands at `seq` modulo the length, a power of two: all that are remembered lie within it above the floor. */
  #ring: (Answer | undefined)[] = emptyRing(capacityMin);

  /** Sequences at or under it are applied and their answers received. */
  get floor(): number {
    return this.#floor;
  }

  get size(): number {
    return this.#size;
  }

  /** Too far ahead of the floor to be remembered, and so not to be applied either. */
  isBeyond(seq: number): boolean {
    return seq - this.#floor > answersMax;
  }

  recall(seq: number): Answer | undefined {
    if (seq <= this.#floor || seq - this.#floor > this.#ring.length) return undefined;
    return this.#ring[seq & (this.#ring.length - 1)];
  }

  /** Keeps `answer` in place of an earlier one to the same sequence; forgotten already if the floor has passed it. */
  remember(answer: Answer): void {
    const seq = answer[0];
    if (seq <= this.#floor) return;
    invariant(!this.isBeyond(seq), 'an answer is remembered within its window');
    if (seq - this.#floor > this.#ring.length) this.#growTo(seq - this.#floor);
    const place = seq & (this.#ring.length - 1);
    if (this.#ring[place] === undefined) this.#size += 1;
    this.#ring[place] = answer;
  }

  /** Forgets every answer at or under `floor`. A floor never falls. */
  raiseFloor(floor: number): void {
    if (floor <= this.#floor) return;
    const last = Math.min(floor, this.#floor + this.#ring.length);
    for (let seq = this.#floor + 1; seq <= last && this.#size > 0; seq += 1) this.#forget(seq);
    this.#floor = floor;
    if (this.#size === 0 && this.#ring.length > capacityKept) this.#ring = emptyRing(capacityMin);
  }

  /** By sequence. */
  answers(): Answer[] {
    const found: Answer[] = [];
    const last = this.#floor + this.#ring.length;
    for (let seq = this.#floor + 1; seq <= last && found.length < this.#size; seq += 1) {
      const answer = this.recall(seq);
      if (answer !== undefined) found.push(answer);
    }
    return found;
  }

  #forget(seq: number): void {
    const place = seq & (this.#ring.length - 1);
    if (this.#ring[place] === undefined) return;
    this.#ring[place] = undefined;
    this.#size -= 1;
  }

  #growTo(length: number): void {
    const answers = this.answers();
    let capacity = this.#ring.length;
    while (capacity < length) capacity *= 2;
    this.#ring = emptyRing(capacity);
    for (const answer of answers) this.#ring[answer[0] & (capacity - 1)] = answer;
  }
}

function emptyRing<Answer>(capacity: number): (Answer | undefined)[] {
  return new Array<Answer | undefined>(capacity).fill(undefined);
}

/** The rules of `AnswerWindow` that do not hold, as sentences. */
export function checkAnswerWindow(window: AnswerWindow<Numbered>): string[] {
  const broken: string[] = [];
  const answers = window.answers();
  let last = window.floor;
  for (const [seq] of answers) {
    if (seq <= last || window.isBeyond(seq)) broken.push(`answers 1: the answer to ${seq} stands above ${last}, floor ${window.floor}`);
    last = seq;
  }
  if (answers.length !== window.size) broken.push(`answers 2: ${answers.length} of ${window.size} answers found`);
  return broken;
}
