/** What is wrong with a run, from what its processes believed, what was sent in, and what came out: pure, so that it can be tried. */
import type { Output, Piece } from './piece.ts';
import type { Tenure } from './tenure-log.ts';

export interface Overlap {
  readonly partition: number;
  readonly first: Tenure;
  readonly second: Tenure;
  readonly forMs: number;
}

/** Two processes that believed to own a partition at one moment. */
export function overlapsOf(tenures: readonly Tenure[]): Overlap[] {
  return [...byPartition(tenures).values()].flatMap((ones) => {
    const found: Overlap[] = [];
    let open: Tenure[] = [];
    for (const second of ones) {
      open = open.filter(({ untilNs }) => untilNs > second.fromNs);
      for (const first of open) {
        const overNs = Math.min(first.untilNs, second.untilNs) - second.fromNs;
        if (first.process !== second.process && overNs > 0) {
          found.push({ partition: second.partition, first, second, forMs: overNs / 1e6 });
        }
      }
      open.push(second);
    }
    return found;
  });
}

/** How often a partition went from one process to another. */
export function movesOf(tenures: readonly Tenure[]): number {
  let moves = 0;
  for (const ones of byPartition(tenures).values()) {
    moves += ones.filter(({ process }, index) => index > 0 && ones[index - 1]?.process !== process).length;
  }
  return moves;
}

export interface Gap {
  readonly partition: number;
  readonly forMs: number;
  /** Of the run's machine time. */
  readonly fromNs: number;
}

/** The longest time without an owner, of any partition, from its first owner on. What a dead process would have relied on counts for nothing. */
export function longestGap(tenures: readonly Tenure[], killedNs: ReadonlyMap<string, number>, endNs: number): Gap | undefined {
  let longest: Gap | undefined;
  for (const [partition, ones] of byPartition(tenures)) {
    let ownedUntilNs = ones[0]?.fromNs ?? endNs;
    for (const fromNs of [...ones.map(({ fromNs: begin }) => begin), endNs].sort((a, b) => a - b)) {
      const begun = ones.filter((one) => one.fromNs < fromNs);
      ownedUntilNs = Math.max(ownedUntilNs, ...begun.map((one) => Math.min(one.untilNs, killedNs.get(one.process) ?? Infinity)));
      const forMs = (fromNs - ownedUntilNs) / 1e6;
      if (forMs > (longest?.forMs ?? 0)) longest = { partition, forMs, fromNs: ownedUntilNs };
    }
  }
  return longest;
}

function byPartition(tenures: readonly Tenure[]): Map<number, Tenure[]> {
  const partitions = new Map<number, Tenure[]>();
  for (const tenure of [...tenures].sort((a, b) => a.fromNs - b.fromNs)) {
    const ones = partitions.get(tenure.partition);
    if (ones) ones.push(tenure);
    else partitions.set(tenure.partition, [tenure]);
  }
  return partitions;
}

/** An output that the sink took, in the order in which it did; the token is undefined where none was stamped. */
export type Accepted = Output & { readonly token: number | undefined };

export interface Account {
  /** What was sent in and never came out. */
  readonly lost: readonly Piece[];
  /** What came out of two processes that were at it at one time. */
  readonly doubled: readonly Piece[];
  /** What came out again, one after the other, as after a crash. */
  readonly repeats: number;
  /** What came out for the first time after something later of its key. */
  readonly orderBroken: readonly Piece[];
  /** Different pieces that came out. */
  readonly processed: number;
}

/** `produced`: the last number of each key. */
export function accountOf(produced: ReadonlyMap<string, Piece>, accepted: readonly Accepted[]): Account {
  const outputs = new Map<string, Map<number, Accepted[]>>();
  const latest = new Map<string, number>();
  const orderBroken: Piece[] = [];
  const doubled: Piece[] = [];
  let repeats = 0;
  let processed = 0;
  for (const output of accepted) {
    const { key, number } = output;
    const ofKey = outputs.get(key) ?? new Map<number, Accepted[]>();
    outputs.set(key, ofKey);
    const before = ofKey.get(number);
    if (before) {
      repeats += 1;
      if (before.some((other) => other.process !== output.process && atOnce(other, output))) doubled.push(pieceOf(output));
      before.push(output);
      continue;
    }
    ofKey.set(number, [output]);
    processed += 1;
    if (number < (latest.get(key) ?? 0)) orderBroken.push(pieceOf(output));
    latest.set(key, Math.max(number, latest.get(key) ?? 0));
  }
  const lost: Piece[] = [];
  for (const { partition, key, number: last } of produced.values()) {
    for (let number = 1; number <= last; number += 1) if (!outputs.get(key)?.has(number)) lost.push({ partition, key, number });
  }
  return { lost, doubled, repeats, orderBroken, processed };
}

function atOnce(a: Output, b: Output): boolean {
  return Math.max(a.beganNs, b.beganNs) < Math.min(a.sentNs, b.sentNs);
}

function pieceOf({ partition, key, number }: Piece): Piece {
  return { partition, key, number };
}
