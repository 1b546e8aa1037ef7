/** What happens inside a storm at set times, each by name: things that users meet, and that chance would not bring about in time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosBroker } from '../chaos-broker.ts';
import type { ChaosTiming } from '../timing.ts';
import type { Sink } from './sink.ts';
import type { Storm } from './storm.ts';
import type { HandoffStream } from './stream.ts';
import type { Worker, Workers } from './workers.ts';

export interface ScenarioParts {
  readonly storm: Storm;
  readonly workers: Workers;
  readonly sink: Sink;
  readonly stream: HandoffStream;
  readonly broker: ChaosBroker;
  readonly cluster: 1 | 3;
  readonly timing: ChaosTiming;
  readonly count: { now: number };
  readonly isBaseline: boolean;
}

/** How often each came about; null where it cannot. */
export interface Happened {
  /** A handler took longer than the session's TTL and owned its partition all the time. */
  slowHandler: number | null;
  /** A handler outlasted the drain of its partition, and came back when there was a new owner. */
  stuckHandler: number | null;
  /** Partitions were added, filled at once, and owned. */
  grown: number | null;
  /** Members of an earlier deployment under the same group were noticed, and waited for. */
  oldGroup: number | null;
  brokerKilled: number | null;
}

const added = 8;
const reachWithinMs = 5_000;
const patienceMs = 45_000;
const lookMs = 50;
const brokerDownMs = 3_000;

type Name = keyof Happened;

/** When, as a share of the storm. */
const times: readonly (readonly [Name, number])[] = [
  ['stuckHandler', 0.03],
  ['slowHandler', 0.08],
  ['brokerKilled', 0.25],
  ['grown', 0.4],
  ['stuckHandler', 0.45],
  ['slowHandler', 0.55],
  ['oldGroup', 0.65],
  ['stuckHandler', 0.7],
  ['brokerKilled', 0.8],
];

export class Scenarios {
  readonly happened: Happened;
  /** What was tried and did not come about: the storm was in the way. */
  readonly missed: string[] = [];

  constructor(private readonly parts: ScenarioParts) {
    const { isBaseline, stream, cluster } = parts;
    const owned = isBaseline ? null : 0;
    this.happened = {
      slowHandler: owned,
      stuckHandler: owned,
      grown: owned,
      oldGroup: isBaseline || stream.startOldConsumer === undefined ? null : 0,
      brokerKilled: cluster === 3 ? 0 : null,
    };
  }

  /** Resolves when all have been, and what they disturbed is as it was. */
  async run(seconds: number): Promise<void> {
    await Promise.all(
      times.map(async ([name, share]) => {
        if (this.happened[name] === null) return;
        await sleep(share * seconds * 1_000);
        try {
          if (await this.play(name)) this.happened[name] = (this.happened[name] ?? 0) + 1;
          else this.missed.push(name);
        } catch (error) {
          this.missed.push(`${name}: ${String(error)}`);
        }
      }),
    );
  }

  private play(name: Name): Promise<boolean> {
    switch (name) {
      case 'slowHandler':
        return this.withWorkers(1, ([one]) => this.slow(one));
      case 'stuckHandler':
        return this.withWorkers(2, ([one, other]) => this.stick(one, other));
      case 'grown':
        return this.grow();
      case 'oldGroup':
        return this.meetOldGroup();
      case 'brokerKilled':
        return this.killBroker();
    }
  }

  private async withWorkers(size: number, act: (workers: readonly Worker[]) => Promise<boolean>): Promise<boolean> {
    const taken: Worker[] = [];
    const { storm } = this.parts;
    await until(() => {
      const one = storm.take(({ isVoter }) => !isVoter);
      if (one) taken.push(one);
      return taken.length === size;
    });
    try {
      return await act(taken);
    } finally {
      for (const one of taken) one.isBusy = false;
    }
  }

  /** Pinned, so that nobody asks for the partition meanwhile. */
  private async slow(one: Worker | undefined): Promise<boolean> {
    const { timing } = this.parts;
    const occupied = await this.occupy(one, 4 * timing.sessionTtlMs);
    if (!one || !occupied) return false;
    const { partition, token } = occupied;
    await one.running.request('pin', { partition, node: one.name });
    await sleep(1.3 * timing.sessionTtlMs);
    const isKept = await one.running.request('holds', token);
    await one.running.request('letGo', undefined);
    await one.running.request('unpin', partition);
    return isKept;
  }

  private async stick(one: Worker | undefined, other: Worker | undefined): Promise<boolean> {
    const { sink } = this.parts;
    const occupied = await this.occupy(one, patienceMs);
    if (!one || !other || !occupied) return false;
    const { partition, lock, token } = occupied;
    await other.running.request('pin', { partition, node: other.name });
    const isPassed = await until(() => sink.hasNewer(lock, token));
    const isHeld = await one.running.request('holds', token);
    await one.running.request('letGo', undefined);
    await other.running.request('unpin', partition);
    return isPassed && !isHeld;
  }

  private async occupy(one: Worker | undefined, longestMs: number) {
    const reached = one?.running.request('occupy', longestMs);
    const over = new AbortController();
    const late = sleep(reachWithinMs, undefined, { signal: over.signal }).catch(() => undefined);
    const occupied = await Promise.race([reached, late]);
    over.abort();
    if (!occupied) await one?.running.request('letGo', undefined);
    return occupied;
  }

  /** From the moment that there is room for it something comes, long before somebody owns it. */
  private async grow(): Promise<boolean> {
    const { stream, sink, count } = this.parts;
    const before = count.now;
    const how = await stream.grow(before + added);
    count.now = before + added;
    if (how === 'resize') await this.resize(count.now);
    return until(() => Array.from({ length: added }, (_, index) => before + index).every((one) => sink.opened.has(one)));
  }

  /** Until it is done: the worker that is asked may die of the storm, and what has come is owed. */
  private async resize(to: number): Promise<void> {
    const ask = ([one]: readonly Worker[]): Promise<boolean> =>
      one?.running.request('resize', to).then(() => true) ?? Promise.resolve(false);
    const endMs = performance.now() + patienceMs;
    while (!(await this.withWorkers(1, ask).catch(() => false)) && performance.now() < endMs) await sleep(lookMs);
  }

  private async meetOldGroup(): Promise<boolean> {
    const { stream, workers } = this.parts;
    const leave = await stream.startOldConsumer?.();
    const isNoticed = await until(() => (workers.events.get('groupHasMembers') ?? 0) > 0);
    await leave?.();
    return isNoticed && (await until(() => (workers.events.get('groupFree') ?? 0) > 0));
  }

  private async killBroker(): Promise<boolean> {
    const { broker } = this.parts;
    await broker.killMember((this.happened.brokerKilled ?? 0) + 1);
    await sleep(brokerDownMs);
    await broker.startAll();
    return true;
  }
}

async function until(holds: () => boolean): Promise<boolean> {
  const endMs = performance.now() + patienceMs;
  while (!holds()) {
    if (performance.now() > endMs) return false;
    await sleep(lookMs);
  }
  return true;
}
