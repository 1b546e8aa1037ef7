/** What the workers of a hand-off run work on: numbered messages of keys, and the outputs that tell of them. */

/** A message of the input: the numbers of a key count up from 1. */
export interface Piece {
  readonly partition: number;
  readonly key: string;
  readonly number: number;
}

/** What a worker says about a piece, as a message of the output. Times are the machine's monotonic nanoseconds. */
export interface Output extends Piece {
  /** The life of a process that worked on it. */
  readonly process: string;
  readonly beganNs: number;
  /** Read right before the output was handed to the client. */
  readonly sentNs: number;
}

/** The first output of an owner, about no piece: behind it the sink knows the owner's token, and takes nothing of earlier ones. */
export interface Opening {
  readonly partition: number;
  readonly process: string;
  readonly isOpening: true;
}

export type Said = Output | Opening;

/** How many keys each partition has. */
export const keysPerPartition = 4;

export function keyOf(partition: number, index: number): string {
  return `${partition}-${index}`;
}

export function encode(value: Piece | Said): string {
  return JSON.stringify(value);
}

/** What this run itself wrote; anything else would be a defect of the run. */
export function decodePiece(text: string): Piece {
  return JSON.parse(text) as Piece;
}

export function decodeSaid(text: string): Said {
  return JSON.parse(text) as Said;
}
