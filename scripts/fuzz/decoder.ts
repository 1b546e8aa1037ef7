/** What the fuzzer asks of a decoder: hostile input for it, and a reading of it that throws where anything is wrong. */
import type { Random } from '../../packages/core/src/time/random.ts';

/** `refused`: the decoder said that it is none of its own. Else what is to be checked of what it read, in a time that is not its own. */
export type Reading = 'refused' | (() => void);

export interface Decoder {
  readonly name: string;
  /** What it reads, for people. */
  readonly reads: string;
  /** The same input for the same state of `random`. */
  readonly input: (random: Random) => Uint8Array;
  /** Throws, as the check does, what is wrong, whatever the bytes are. Its time is bounded. */
  readonly read: (bytes: Uint8Array) => Reading;
  /** Of a decoder with a life: begins it anew. What was read since then may matter to what is read next. */
  readonly renew?: () => void;
  /** A life lasts this many runs. */
  readonly runsPerLife?: number;
}

export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
