/** A hand-off run: workers on a real broker, a storm over them, a quiet end, and what their files and the sink say about it. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../packages/core/src/time/random.ts';
import { startChaosBroker } from '../chaos-broker.ts';
import { machineTimeNs } from '../history.ts';
import { timingOf } from '../timing.ts';
import type { BrokerName } from '../timing.ts';
import { kafkaStream } from './kafka-stream.ts';
import { natsStream } from './nats-stream.ts';
import { Producer } from './producer.ts';
import { resultOf } from './result.ts';
import type { HandoffResult } from './result.ts';
import { Scenarios } from './scenarios.ts';
import { Sink } from './sink.ts';
import { Storm } from './storm.ts';
import { Workers } from './workers.ts';

export interface HandoffOptions {
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly seconds: number;
  readonly seed: number;
  /** What users have today instead: nothing is asked of it. */
  readonly baseline: boolean;
  readonly partitions: number;
  /** One line for people. */
  readonly onProgress: (text: string) => void;
  /** Called with what must be done before this process may end early. */
  readonly onStarted: (stop: () => Promise<void>) => void;
}

const perSecond = 150;
const workMs = 3;
const drainTimeoutMs = 2_500;
const spares = 2;
const formWithinMs = 120_000;
/** Nothing new for so long: what has not come out by then never will. */
const quietAfterMs = 30_000;
const leaveWithinMs = 20_000;
const lookMs = 50;
/** A client that insists on a broker's answer is not waited for. */
const goodbyeMs = 3_000;
export async function runHandoff(options: HandoffOptions): Promise<HandoffResult> {
  const { broker: name, cluster, seconds, seed, baseline, onProgress } = options;
  const timing = timingOf(name);
  const folder = mkdtempSync(join(tmpdir(), 'quorate-handoff-'));
  const broker = await startChaosBroker(name, cluster);
  const addresses = broker.ports.map((port) => `127.0.0.1:${port}`);
  const run = randomBytes(3).toString('hex');
  const names = { input: `orders-${run}`, output: `results-${run}`, group: `billing-${run}` };
  const { sessionTtlMs } = timing;
  const common = { broker: name, addresses, names, count: options.partitions, drainTimeoutMs, sessionTtlMs, timing, baseline, workMs };
  const workers = new Workers(folder, common, spares);
  const stream = await (name === 'nats' ? natsStream : kafkaStream)(addresses, names);
  const tellStatuses = async (): Promise<void> => {
    for (const one of workers.all) onProgress(`${one.life}: ${await one.running.request('status', undefined)}`);
  };
  let isEvidence = false;
  const stop = async (): Promise<void> => {
    await workers.close();
    await Promise.race([stream.close(), sleep(goodbyeMs)]);
    await broker.close();
    if (!isEvidence) rmSync(folder, { recursive: true, force: true });
  };
  options.onStarted(stop);
  options.onProgress(broker.text);
  try {
    const count = { now: options.partitions };
    const sink = new Sink(!baseline);
    await stream.open(count.now);
    await stream.readOutputs((arrived) => sink.take(arrived));
    await Promise.all(workers.all.map((one) => one.start()));
    const isFormed = baseline ? await sleep(5_000, true) : await until(() => workers.begun.size >= count.now, formWithinMs);
    onProgress(`formed: ${workers.begun.size} of ${count.now} partitions begun`);
    if (!isFormed) await tellStatuses();
    const producer = new Producer(stream, { count: () => count.now, perSecond });
    const storm = new Storm({ workers, sink, timing, random: seededRandom(seed) });
    const scenarios = new Scenarios({ storm, workers, sink, stream, broker, cluster, timing, count, isBaseline: baseline });
    await Promise.all([storm.run(seconds), scenarios.run(seconds)]);
    await producer.stop();
    onProgress(`calm: ${sink.different} of ${producer.produced} messages processed`);
    await untilQuiet(sink, producer.produced);
    if (sink.different < producer.produced) await tellStatuses();
    onProgress(`quiet: ${sink.different} of ${producer.produced} messages processed`);
    const endNs = machineTimeNs();
    await Promise.all(workers.all.map((one) => one.leave(leaveWithinMs)));
    const result = resultOf({ options, partitions: count.now, isFormed, endNs, folder, workers, sink, producer, storm, scenarios });
    isEvidence = !result.ok;
    return result;
  } finally {
    await stop();
  }
}

/** Resolves when all has come out, or nothing more does. */
async function untilQuiet(sink: Sink, produced: number): Promise<void> {
  while (sink.different < produced) {
    const before = sink.different;
    if (!(await until(() => sink.different > before, quietAfterMs))) return;
  }
}

async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > endMs) return false;
    await sleep(lookMs);
  }
  return true;
}
