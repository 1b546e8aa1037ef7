/** What the processes of a world do with locks and elections while all this happens: everything that users may call, at random. */
import type { Lease } from '../api/lease-contract.ts';
import type { Quorate } from '../api/quorate.ts';
import { isQuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import { pick } from './circumstances.ts';
import type { SimulatedProcess, World } from './world.ts';

const locks = ['one', 'two', 'three'];
const elections = ['head'];

/** What a call may end with while things go wrong; any other error is a broken contract. */
const expectedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABORTED',
  'CLOSED',
  'LEASE_LOST',
  'LOCK_TIMEOUT',
  'MAILBOX_FULL',
  'NOT_HELD',
  'NO_QUORUM',
  'MAJORITY_LOST',
  'SESSION_LOST',
  'STORAGE_FAILED',
]);

interface Taken {
  readonly process: SimulatedProcess;
  readonly lease: Lease;
}

/** A store that checks tokens, and knows who believes to hold what. */
export class GuardedStore {
  readonly #tokens = new Map<string, number>();
  readonly #leases = new Map<string, Set<Taken>>();
  staleRefused = 0;

  constructor(private readonly world: World) {}

  /** Notes that a lease was given out, and that no other one on it is valid now. */
  taken(process: SimulatedProcess, lease: Lease): () => void {
    const leases = this.#leases.get(lease.name) ?? new Set();
    this.#leases.set(lease.name, leases);
    const entry: Taken = { process, lease };
    if (lease.valid) for (const other of leases) this.#checkApart(entry, other);
    leases.add(entry);
    return () => leases.delete(entry);
  }

  /** A write under a lease: refused under an older token than one that was seen. */
  write({ name, token, valid }: Lease): boolean {
    const highest = this.#tokens.get(name) ?? 0;
    if (token >= highest) {
      this.#tokens.set(name, token);
      return true;
    }
    this.staleRefused += 1;
    this.world.marks.reach('staleWriteRefused');
    if (valid && this.world.circumstances.driftIsBounded) {
      this.world.fail('leases', `a valid lease on ${name} has the token ${token}, after ${highest}`);
    }
    return false;
  }

  #checkApart(one: Taken, other: Taken): void {
    const { isAlive, member, now } = other.process;
    // Asked without consequence: `valid` would end a lease that it finds over, and hide what comes of one that nobody looked at.
    // Whoever was told to stop, because the lease is lost or its process leaves, relies on it no more.
    const isValid = isAlive && !other.lease.signal.aborted && (member?.inspect.holder.peekRemainingMs(now()) ?? 0) > 0;
    if (!isValid || !this.world.circumstances.driftIsBounded) return;
    const { name } = one.lease;
    const both = `${one.process.node} (${one.lease.token}) and ${other.process.node} (${other.lease.token})`;
    this.world.fail('leases', `${both} have valid leases on ${name}`);
  }
}

/** The program of every process: so many users of it at once, until peace comes. */
export function workload(world: World, store: GuardedStore): (process: SimulatedProcess, quorate: Quorate) => Promise<void> {
  return async (process, quorate) => {
    const { actorsPerNode, seed } = world.circumstances;
    const users: Promise<void>[] = [];
    for (let index = 0; index < actorsPerNode; index += 1) {
      const random = seededRandom(seed * 65_537 + process.number * 101 + index);
      users.push(new User(world, store, process, quorate, random, index).act());
    }
    await Promise.all(users);
  };
}

class User {
  private doing = '';

  constructor(
    private readonly world: World,
    private readonly store: GuardedStore,
    private readonly process: SimulatedProcess,
    private readonly quorate: Quorate,
    private readonly random: Random,
    private readonly index: number,
  ) {}

  async act(): Promise<void> {
    while (!this.isOver) {
      await this.sleep(pick(this.random, [5, 30, 160, 600]));
      try {
        await this.actOnce();
        this.process.underWay.delete(this.doing);
      } catch (error) {
        this.process.underWay.delete(this.doing);
        this.check(error);
      }
    }
  }

  private get isOver(): boolean {
    return this.world.isPeace || this.world.leaving.has(this.process.node);
  }

  private actOnce(): Promise<unknown> {
    const { random, quorate } = this;
    const lock = quorate.lock(pick(random, locks));
    const timeoutMs = pick(random, [50, 400, 3_000]);
    const action = random.below(8);
    this.doing = `user ${this.index}: action ${action} on ${lock.name}, within ${timeoutMs} ms, from ${this.world.nowMs.toFixed(0)} ms`;
    this.process.underWay.add(this.doing);
    switch (action) {
      case 0:
        return this.acquireAndAbort(lock.name);
      case 1:
        return this.tryOnce(lock.name);
      case 2:
        return this.campaignForAWhile();
      case 3:
        return quorate.election(pick(random, elections)).lead((term) => this.work(term), { timeoutMs, value: 'v' });
      case 4:
        return this.acquireAndForget(lock.name, timeoutMs);
      default:
        return lock.run((lease) => this.work(lease), { timeoutMs });
    }
  }

  /** Holds the lease for a while, looks before it writes, as one should, and now and then writes without looking. */
  private async work(lease: Lease): Promise<void> {
    const leave = this.store.taken(this.process, lease);
    try {
      const writes = 1 + this.random.below(3);
      for (let index = 0; index < writes; index += 1) {
        if (this.random.below(2) === 0) await this.sleep(pick(this.random, [1, 20, 200]));
        if (lease.valid || this.random.below(2) === 0) this.store.write(lease);
      }
      if (this.random.below(8) === 0) await lease.note(`n${this.random.below(9)}`);
    } finally {
      leave();
    }
  }

  private async acquireAndAbort(name: string): Promise<void> {
    const abort = new AbortController();
    this.process.host.startTimer(() => abort.abort(), pick(this.random, [0, 1, 3, 10, 100]));
    const lease = await this.quorate.lock(name).acquire({ timeoutMs: 3_000, signal: abort.signal });
    const leave = this.store.taken(this.process, lease);
    await this.sleep(1);
    leave();
    await lease.release();
  }

  private async tryOnce(name: string): Promise<void> {
    const lease = await this.quorate.lock(name).tryAcquire({ timeoutMs: 1_000 });
    if (!lease) return;
    await this.work(lease).finally(() => lease.release());
  }

  /** Disposed of, not released. */
  private async acquireAndForget(name: string, timeoutMs: number): Promise<void> {
    await using lease = await this.quorate.lock(name).acquire({ timeoutMs });
    await this.work(lease);
  }

  private async campaignForAWhile(): Promise<void> {
    const candidacy = this.quorate.election(pick(this.random, elections)).campaign(`${this.process.number}`);
    try {
      for (let index = 0; index < 4 && !this.isOver; index += 1) {
        await this.sleep(pick(this.random, [10, 100]));
        const { current } = candidacy;
        if (current) this.store.write(current);
        if (current && this.random.below(2) === 0) await candidacy.proclaim(`p${index}`);
        if (this.random.below(4) === 0) await candidacy.resign();
      }
    } finally {
      await candidacy.stop();
    }
  }

  private sleep(ms: number): Promise<void> {
    return this.world.sleep(this.process, ms);
  }

  private check(error: unknown): void {
    if (isQuorateError(error, 'LOCK_TIMEOUT')) this.world.marks.reach('lockTimedOut');
    if (isQuorateError(error) && expectedCodes.has(error.code)) return;
    this.world.fail('API contract', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
