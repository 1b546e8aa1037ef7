/** What a hand-off run comes to: its figures, and whether every promise was kept and everything that it is for has happened. */
import { accountOf, longestGap, movesOf, overlapsOf } from './judge.ts';
import type { Producer } from './producer.ts';
import type { HandoffOptions } from './run.ts';
import type { Scenarios } from './scenarios.ts';
import type { Sink } from './sink.ts';
import type { Storm } from './storm.ts';
import { readLife } from './tenure-log.ts';
import type { Life } from './tenure-log.ts';
import { workerNames } from './workers.ts';
import type { Workers } from './workers.ts';

export interface ResultParts {
  readonly options: HandoffOptions;
  readonly partitions: number;
  readonly isFormed: boolean;
  readonly endNs: number;
  /** Kept as evidence where something is wrong. */
  readonly folder: string;
  readonly workers: Workers;
  readonly sink: Sink;
  readonly producer: Producer;
  readonly storm: Storm;
  readonly scenarios: Scenarios;
}

export type HandoffResult = ReturnType<typeof resultOf>;

const shownMax = 5;
const troublesShownMax = 12;
/** From this length on, everything must have happened. */
const completeSeconds = 60;

export function resultOf({ options, partitions, isFormed, endNs, folder, workers, sink, producer, storm, scenarios }: ResultParts) {
  const { broker, cluster, seconds, seed, baseline } = options;
  const lives = workers.lives.map(({ life, logFile }) => readLife(life, logFile));
  const tenures = lives.flatMap((life) => life.tenures);
  const overlaps = overlapsOf(tenures);
  const account = accountOf(producer.last, sink.accepted);
  const gap = longestGap(tenures, workers.killedNs, endNs);
  const owned = new Set(tenures.map(({ partition }) => partition));
  const happened = { ...scenarios.happened, orderAcrossCrash: crashesMidWork(lives, workers.killedNs) };
  const failures = [
    ...(isFormed ? [] : ['the group did not form']),
    ...(baseline || owned.size >= partitions ? [] : ['a partition was never owned']),
    ...workers.failures,
    ...storm.failures,
  ];
  const isAllThere = seconds < completeSeconds || Object.values(happened).every((times) => times === null || times > 0);
  const isKept = overlaps.length + account.lost.length + account.doubled.length + account.orderBroken.length === 0;
  const ok = baseline || (isKept && isAllThere && failures.length === 0 && sink.staleDropped > 0 && producer.produced > 0);
  return {
    ok,
    ...(ok ? {} : { evidence: folder }),
    scenario: 'handoff',
    broker,
    cluster,
    baseline,
    seconds,
    seed,
    members: workerNames.length,
    partitions,
    overlaps: overlaps.length,
    lost: account.lost.length,
    doubled: account.doubled.length,
    staleDropped: sink.staleDropped,
    // A broker that deals messages out one by one has no owners to be without.
    longestUnownedMs: baseline && broker === 'nats' ? null : Math.round(gap?.forMs ?? 0),
    orderBroken: account.orderBroken.length,
    repeats: account.repeats,
    produced: producer.produced,
    processed: account.processed,
    moves: movesOf(tenures),
    ...storm.strikes,
    scenarios: happened,
    events: Object.fromEntries([...workers.events].sort()),
    troubles: Object.fromEntries([...workers.troubles].sort(([, a], [, b]) => b - a).slice(0, troublesShownMax)),
    examples: {
      unowned: gap ?? null,
      overlaps: overlaps.slice(0, shownMax),
      lost: account.lost.slice(0, shownMax),
      doubled: account.doubled.slice(0, shownMax),
      orderBroken: account.orderBroken.slice(0, shownMax),
    },
    missed: scenarios.missed,
    failures,
  };
}

/** Processes that were killed with a piece in hand: their keys must go on in order. */
function crashesMidWork(lives: readonly Life[], killedNs: ReadonlyMap<string, number>): number {
  return lives.filter(({ process, unfinished }) => killedNs.has(process) && unfinished.length > 0).length;
}
