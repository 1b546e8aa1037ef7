/** What the run itself needs of a broker: an input to fill, an output to read, partitions to add, an old deployment to start. */
import type { TokenStamp } from '@quorate/core/adapter';
import type { Piece, Said } from './piece.ts';

export interface Arrived {
  readonly said: Said;
  readonly stamp: TokenStamp | undefined;
}

export interface HandoffStream {
  /** Makes the input with so many partitions, and the output. */
  open(count: number): Promise<void>;
  /** In order; resolves once the broker has them all. A failure may have stored some. */
  produce(pieces: readonly Piece[]): Promise<void>;
  /** Each output once, those of one partition in their order. Resolves once reading has begun. */
  readOutputs(onArrived: (arrived: Arrived) => void): Promise<void>;
  /** Makes room for more partitions in the input, and says whether consumers are to notice it by themselves. */
  grow(count: number): Promise<'noticed' | 'resize'>;
  /** Somebody of an earlier deployment, reading under the same group; undefined where there is no such thing. Resolves to its end. */
  startOldConsumer?(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
