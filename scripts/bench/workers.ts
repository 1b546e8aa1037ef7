/** The processes of a benchmark: started, connected, and replaced where one was killed. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { kafkaBroker, natsBroker } from '../brokers/index.ts';
import { ChildProcess } from '../processes/child-process.ts';
import type { Carrier } from '../processes/carrier.ts';
import type { TimingHints } from '@quorate/core/adapter';
import type { WorkerCommands } from './worker-program.ts';

export type Worker = ChildProcess<WorkerCommands>;

export type BrokerName = 'nats' | 'kafka';

export interface BenchBroker {
  readonly carrier: Carrier;
  /** For people: name, version and where it came from. */
  readonly text: string;
  close(): Promise<void>;
}

export async function startBroker(name: BrokerName): Promise<BenchBroker> {
  if (name === 'nats') {
    const broker = await natsBroker();
    return { carrier: { type: 'nats', urls: broker.urls }, text: textOf('NATS', broker), close: () => broker.close() };
  }
  const broker = await kafkaBroker();
  return { carrier: { type: 'kafka', brokers: broker.brokers }, text: textOf('Kafka', broker), close: () => broker.close() };
}

export interface WorkerOptions {
  readonly carrier: Carrier;
  readonly name: string;
  /** A folder for the CPU profile that the worker writes when it ends. */
  readonly profile?: string | undefined;
}

export async function startWorker({
  carrier,
  name,
  profile,
}: WorkerOptions): Promise<{ readonly worker: Worker; readonly timing: TimingHints }> {
  const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`];
  const worker = await ChildProcess.start<WorkerCommands>({ program: join(__dirname, 'worker-program.ts'), name, nodeArgs });
  return { worker, timing: await worker.request('connect', { carrier, name }) };
}

/** Frames of an earlier run may still be kept by a broker that is not ours. */
export function freshGroup(purpose: string): string {
  return `${purpose}-${randomBytes(6).toString('hex')}`;
}

function textOf(title: string, { version, source }: { readonly version: string; readonly source: string }): string {
  return `${title} ${version} (${source})`;
}
