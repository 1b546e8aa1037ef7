/** One node of a benchmark: a member of the group, its end of the floor, and the loops that take and release locks. */
import { join } from '@quorate/core';
import type { Lease, Lock, Quorate, Status } from '@quorate/core';
import type { Transport } from '@quorate/core/adapter';
import { filter, firstValueFrom } from 'rxjs';
import { openKeeping } from '../processes/keeping.ts';
import type { Keeping } from '../processes/keeping.ts';
import { countedTransport } from './counted-transport.ts';
import type { SentCount } from './counted-transport.ts';
import { Floor } from './floor.ts';
import { Latencies } from './latency.ts';
import type { Quantiles } from './latency.ts';

export interface Membership {
  readonly group: string;
  readonly node: string;
  readonly voters: readonly string[];
  /** Whether it opens its end of the floor, which on Kafka takes a topic of its own. */
  readonly floor: boolean;
  /** Where a voter keeps its memory; nowhere without. */
  readonly keeping?: Keeping | undefined;
}

export interface Work {
  /** Loops at once, each on a lock of its own. */
  readonly clients: number;
  /** Of work; the time for the floor comes on top. */
  readonly seconds: number;
  readonly warmUp: WarmUp;
  /** The other end of the floor. */
  readonly peer: string;
}

/** Work that is not counted: compilers, caches and, on Kafka, the broker's own must have seen it first. */
export interface WarmUp {
  readonly clients: number;
  readonly seconds: number;
}

export interface WorkResult {
  readonly cycles: number;
  readonly workMs: number;
  readonly acquire: Quantiles;
  readonly floor: Quantiles;
  readonly frameBytes: number;
  readonly leaderChanges: number;
  /** Of this process while it worked, in parts of one core. */
  readonly cpu: number;
}

export interface NodeStatus {
  readonly role: string;
  readonly leader: string | undefined;
}

/** Short turns keep the floor close to the work; with many loops a turn must be long against its own end, when loops run dry. */
const turnMs = { one: { work: 100, floor: 100 }, many: { work: 500, floor: 100 } } as const;

/** Of those who leave together, the last have no majority any more to say goodbye to. */
const goodbyeMs = 500;

export class BenchNode {
  private constructor(
    private readonly quorate: Quorate,
    private readonly floor: Floor | undefined,
    private readonly sent: SentCount,
    private readonly node: string,
  ) {}

  static async open(transport: Transport, membership: Membership): Promise<BenchNode> {
    const { group, node, voters, keeping } = membership;
    const { transport: counted, sent } = countedTransport(transport);
    const floor = membership.floor ? await Floor.open({ transport, group: `${group}-floor`, node, voters }) : undefined;
    const storage = keeping && voters.includes(node) ? (await openKeeping(keeping, { group, node })).storage : undefined;
    return new BenchNode(await join({ group, node, voters, transport: counted, storage, firstFounding: true }), floor, sent, node);
  }

  get status(): NodeStatus {
    const { role, leader } = this.quorate.status;
    return { role, leader };
  }

  /** A leader is known and every voter is in touch with it. */
  async whenSettled(): Promise<NodeStatus> {
    await this.when(({ leader, missing }) => leader !== undefined && missing.length === 0);
    return this.status;
  }

  async whenLeaderIsNot(former: string): Promise<void> {
    await this.when(({ leader }) => leader !== undefined && leader !== former);
  }

  acquire(lock: string): Promise<Lease> {
    return this.quorate.lock(lock).acquire();
  }

  async run({ clients, seconds, warmUp, peer }: Work): Promise<WorkResult> {
    const { floor } = this;
    if (!floor) throw new Error('this node has no floor to compare with');
    const turns = clients === 1 ? turnMs.one : turnMs.many;
    await this.cycle(this.locks(warmUp.clients), warmUp.seconds * 1_000);
    const locks = this.locks(clients);
    const before = { ...this.sent };
    // A turn of one loop takes ways that a turn of many does not, so that it is warmed for as long.
    await this.cycle(locks, clients === 1 ? warmUp.seconds * 1_000 : turns.work * 2);
    const frameBytes = Math.round((this.sent.bytes - before.bytes) / Math.max(1, this.sent.frames - before.frames));
    await floor.ping(peer, { forMs: turns.floor * 5, frameBytes, counted: false });

    const acquire = new Latencies();
    let cycles = 0;
    let workMs = 0;
    let cpuMs = 0;
    let leaderChanges = 0;
    let { leader } = this.quorate.status;
    const watch = this.quorate.status$.subscribe((status) => {
      if (status.leader === undefined || status.leader === leader) return;
      leader = status.leader;
      leaderChanges += 1;
    });
    while (workMs < seconds * 1_000) {
      const startMs = performance.now();
      const cpuBefore = process.cpuUsage();
      cycles += await this.cycle(locks, turns.work, acquire);
      workMs += performance.now() - startMs;
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuMs += (user + system) / 1_000;
      await floor.ping(peer, { forMs: turns.floor, frameBytes, counted: true });
    }
    watch.unsubscribe();
    return { cycles, workMs, acquire: acquire.quantiles, floor: floor.quantiles, frameBytes, leaderChanges, cpu: cpuMs / workMs };
  }

  async close(): Promise<void> {
    await this.quorate.close({ timeoutMs: goodbyeMs });
    await this.floor?.close();
  }

  private when(isSo: (status: Status) => boolean): Promise<Status> {
    return firstValueFrom(this.quorate.status$.pipe(filter(isSo)));
  }

  private locks(count: number): Lock[] {
    return Array.from({ length: count }, (_, index) => this.quorate.lock(`${this.node}/${index}`));
  }

  /** All loops for a while; resolves with the cycles when the last has released. */
  private async cycle(locks: readonly Lock[], forMs: number, acquire?: Latencies): Promise<number> {
    const untilMs = performance.now() + forMs;
    let cycles = 0;
    await Promise.all(
      locks.map(async (lock) => {
        while (performance.now() < untilMs) {
          const startMs = performance.now();
          const lease = await lock.acquire();
          acquire?.add(performance.now() - startMs);
          await lease.release();
          cycles += 1;
        }
      }),
    );
    return cycles;
  }
}
