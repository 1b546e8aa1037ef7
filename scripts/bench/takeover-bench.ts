/** `bench takeover`: the leading process is killed, and the time until another serves; a fresh group each time. */
import { quantile } from './latency.ts';
import { freshGroup, startBroker, startWorker } from './workers.ts';
import type { BrokerName, Worker } from './workers.ts';
import type { Carrier } from '../processes/carrier.ts';

export interface TakeoverOptions {
  readonly transport: BrokerName;
  readonly rounds: number;
  readonly onRound: (round: Round) => void;
}

/** From the moment before the signal was sent, in milliseconds. */
export interface Round {
  /** Until the first of the surviving processes held a lock it had asked for after the death: granted by the new leader. */
  readonly servedMs: number;
  /** Until the first of them knew that another leads. */
  readonly leaderMs: number;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface TakeoverResult {
  readonly transport: BrokerName;
  readonly carrier: string;
  readonly rounds: number;
  readonly servedMs: Spread;
  readonly leaderMs: Spread;
  /** The shortest silence after which a voter seeks election, and the longest. */
  readonly electionTimeoutMs: number;
  readonly electionTimeoutMaxMs: number;
  /** Four of the longest: a leader exists within this. */
  readonly boundMs: number;
  readonly withinBound: boolean;
}

const voters = ['v1', 'v2', 'v3'];
const observer = 'o1';
const boundElections = 4;

export async function takeoverBench(options: TakeoverOptions): Promise<TakeoverResult> {
  const { transport, rounds, onRound } = options;
  const broker = await startBroker(transport);
  const crew = new Crew(broker.carrier);
  try {
    await crew.fill();
    const measured: Round[] = [];
    while (measured.length < rounds) {
      const round = await takeOver(crew);
      measured.push(round);
      onRound(round);
    }
    const electionTimeoutMs = crew.electionTimeoutMs;
    const boundMs = boundElections * 2 * electionTimeoutMs;
    const servedMs = spreadOf(measured.map((round) => round.servedMs));
    return {
      transport,
      carrier: broker.text,
      rounds,
      servedMs,
      leaderMs: spreadOf(measured.map((round) => round.leaderMs)),
      electionTimeoutMs,
      electionTimeoutMaxMs: 2 * electionTimeoutMs,
      boundMs,
      withinBound: servedMs.max <= boundMs,
    };
  } finally {
    await crew.end();
    await broker.close();
  }
}

/** One process for each node; they stay from round to round, and a killed one is replaced. */
class Crew {
  readonly workers = new Map<string, Worker>();
  electionTimeoutMs = NaN;

  constructor(private readonly carrier: Carrier) {}

  async fill(): Promise<void> {
    for (const name of [...voters, observer]) {
      if (this.workers.get(name)?.isRunning) continue;
      const { worker, timing } = await startWorker({ carrier: this.carrier, name });
      this.workers.set(name, worker);
      this.electionTimeoutMs = timing.electionTimeoutMs;
    }
  }

  each<T>(act: (worker: Worker, name: string) => Promise<T>): Promise<T[]> {
    const running = [...this.workers].filter(([, worker]) => worker.isRunning);
    return Promise.all(running.map(([name, worker]) => act(worker, name)));
  }

  async end(): Promise<void> {
    await this.each((worker) => worker.end());
  }
}

async function takeOver(crew: Crew): Promise<Round> {
  const group = freshGroup('bench-takeover');
  await crew.each((worker, node) => worker.request('join', { group, node, voters, floor: false }));
  const [settled] = await crew.each((worker) => worker.request('whenSettled', undefined));
  const former = settled?.leader ?? '';
  const leader = crew.workers.get(former);
  if (!leader) throw new Error(`there is no process called ${former}`);

  const others = [...crew.workers.values()].filter((worker) => worker !== leader);
  const known = Promise.all(others.map((worker) => worker.request('whenLeaderIsNot', former)));
  const killedAtMs = await leader.kill();
  // Asked for after the death of the old leader, so that only a new one can have granted it.
  const granted = Promise.all(others.map((worker) => worker.request('whenGranted', `of ${worker.name}`)));
  const round = { servedMs: Math.min(...(await granted)) - killedAtMs, leaderMs: Math.min(...(await known)) - killedAtMs };
  await crew.each((worker) => worker.request('leave', undefined));
  await crew.fill();
  return round;
}

function spreadOf(values: readonly number[]): Spread {
  return { p50: Math.round(quantile(values, 0.5)), p99: Math.round(quantile(values, 0.99)), max: Math.round(Math.max(...values)) };
}
