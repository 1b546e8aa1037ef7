/** The eight workers of a run, three of them voters: processes that are taken from a bench of started ones, so that a join is quick. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKeeper } from '../../brokers/keeper.ts';
import { ChildProcess } from '../../processes/child-process.ts';
import type { WorkerCommands, WorkerNotice, WorkerSettings } from './worker-program.ts';

export const voterNames = ['v1', 'v2', 'v3'] as const;
export const workerNames = [...voterNames, 'w4', 'w5', 'w6', 'w7', 'w8'] as const;

type Child = ChildProcess<WorkerCommands, WorkerNotice>;

/** What all are told alike. */
export type CommonSettings = Omit<WorkerSettings, 'name' | 'node' | 'voters' | 'life' | 'logFile'>;

export interface LifeRecord {
  readonly life: string;
  readonly logFile: string;
}

/** Processes that wait to be somebody; each knows whose notices it sends once it is. */
class Bench {
  private readonly waiting: Promise<Seated>[] = [];
  private readonly keeper = startKeeper(['true']);
  private isClosed = false;

  constructor(size: number) {
    for (let index = 0; index < size; index += 1) this.waiting.push(this.start());
  }

  take(): Promise<Seated> {
    const next = this.waiting.shift() ?? this.start();
    if (!this.isClosed) this.waiting.push(this.start());
    return next;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const one of this.waiting) await one.then(({ child }) => child.kill()).catch(() => undefined);
    await this.keeper.finish();
  }

  private start(): Promise<Seated> {
    const seated: { child?: Child; onNotice: (notice: WorkerNotice) => void } = { onNotice: () => undefined };
    const starting = ChildProcess.start<WorkerCommands, WorkerNotice>({
      program: join(__dirname, 'worker-program.ts'),
      name: 'worker',
      onNotice: (notice) => seated.onNotice(notice),
    }).then((child) => {
      const { pid } = child;
      if (pid !== undefined) {
        this.keeper.add(pid);
        void child.ended.then(() => this.keeper.drop(pid));
      }
      return Object.assign(seated, { child });
    });
    starting.catch(() => undefined);
    return starting;
  }
}

interface Seated {
  readonly child: Child;
  onNotice: (notice: WorkerNotice) => void;
}

export class Worker {
  private child: Child | undefined;
  private lives = 0;
  /** Something is being done to it: a second thing would undo or hide the first. */
  isBusy = false;

  constructor(
    readonly name: string,
    private readonly workers: Workers,
  ) {}

  /** A voter keeps its votes in memory: once its process has ended, it comes back as a client. */
  get isVoter(): boolean {
    return this.lives <= 1 && voterNames.some((voter) => voter === this.name);
  }

  get isRunning(): boolean {
    return this.child?.isRunning === true;
  }

  get running(): Child {
    if (!this.child) throw new Error(`${this.name} was not started`);
    return this.child;
  }

  get life(): string {
    return `${this.name}/${this.lives}`;
  }

  /** Resolves once it takes part. */
  async start(): Promise<void> {
    const { bench, folder, common } = this.workers;
    const seated = await bench.take();
    this.lives += 1;
    const logFile = join(folder, `${this.name}-${this.lives}.jsonl`);
    const { life } = this;
    this.workers.lives.push({ life, logFile });
    seated.onNotice = (notice) => this.workers.onNotice(this, notice);
    this.child = seated.child;
    await seated.child.request('start', { ...common, name: this.name, node: this.name, voters: voterNames, life, logFile });
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const { life } = this;
    const atMs = await this.running.kill();
    this.workers.killedNs.set(life, atMs * 1e6);
  }

  /** SIGTERM; one that does not go is killed. */
  async leave(withinMs: number): Promise<boolean> {
    const { pid } = this.running;
    if (!this.isRunning || pid === undefined) return true;
    process.kill(pid, 'SIGTERM');
    const over = new AbortController();
    const late = sleep(withinMs, true, { signal: over.signal }).catch(() => false);
    const isLate = await Promise.race([this.running.ended.then(() => false), late]);
    over.abort();
    if (isLate) await this.kill();
    return !isLate;
  }
}

/** Events of owned consumers, on Kafka and on NATS. */
const beginnings: readonly string[] = ['started', 'durableTaken'];

export class Workers {
  readonly bench: Bench;
  readonly all: readonly Worker[];
  readonly lives: LifeRecord[] = [];
  /** By life. */
  readonly killedNs = new Map<string, number>();
  /** How often each event was told of. */
  readonly events = new Map<string, number>();
  /** Partitions whose place in the input somebody has taken: whatever comes from then on is to be handled. */
  readonly begun = new Set<number>();
  /** What the events named as their cause, and how often. */
  readonly troubles = new Map<string, number>();
  readonly failures: string[] = [];

  constructor(
    readonly folder: string,
    readonly common: CommonSettings,
    spares: number,
  ) {
    this.bench = new Bench(workerNames.length + spares);
    this.all = workerNames.map((name) => new Worker(name, this));
  }

  onNotice(worker: Worker, notice: WorkerNotice): void {
    if (notice.type === 'failed') this.failures.push(`${worker.life}: ${notice.error}`);
    else {
      countUp(this.events, notice.name);
      if (notice.partition !== undefined && beginnings.includes(notice.name)) this.begun.add(notice.partition);
      if (notice.error !== undefined) countUp(this.troubles, `${notice.name}: ${notice.error}`.replace(/\d+/g, '#'));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((one) => one.kill()));
    await this.bench.close();
  }
}

function countUp(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
