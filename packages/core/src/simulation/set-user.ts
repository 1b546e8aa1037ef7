/** What the processes of a world do with partitions: they own them, work on them in every manner, stop, come back, and operate on them. */
import type { OwnedPartition, Partitions } from '../api/partitions-contract.ts';
import type { Quorate } from '../api/quorate.ts';
import { isQuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import { pick } from './circumstances.ts';
import type { Handovers } from './handovers.ts';
import type { OwningPlan } from './owning-plan.ts';
import type { SimulatedProcess, World } from './world.ts';

/** What calls on partitions may end with while things go wrong. */
const expectedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLOSED',
  'LEASE_LOST',
  'LIMIT_REACHED',
  'MAILBOX_FULL',
  'NOT_A_MEMBER',
  'NOT_HELD',
  'NOT_OWNER',
  'NO_QUORUM',
  'MAJORITY_LOST',
  'SESSION_LOST',
  'STORAGE_FAILED',
]);

/** The failure of a handler that is meant to fail. */
class Planned extends Error {}

/** Everything that a process does with the sets of the plan, until all is right in peace. */
export async function useSets(
  world: World,
  handovers: Handovers,
  plan: OwningPlan,
  process: SimulatedProcess,
  quorate: Quorate,
): Promise<void> {
  const users = plan.sets.map(({ name, count }, index) => {
    const random = seededRandom(world.circumstances.seed * 40_503 + process.number * 211 + index);
    const partitions = quorate.partitions(name, { count, graceMs: plan.graceMs, settleMs: plan.settleMs });
    return new SetUser(world, handovers, plan, process, partitions, random);
  });
  quorate.events$.subscribe((event) => {
    if (event.type === 'drainOverrun' || event.type === 'partitionLost') world.marks.reach(event.type);
    if (event.type === 'partitionReleased') users.find((user) => user.name === event.name)?.onReleased(event.partition, event.token);
    if (event.type === 'partitionFailed' && event.retryMs === null) users.find((user) => user.name === event.name)?.onFailed(event.token);
    if (event.type.startsWith('partition') || event.type === 'drainOverrun') world.tell(`${process.node} ${describe(event)}`);
  });
  await Promise.all(users.flatMap((user) => user.act()));
}

function describe(event: object): string {
  return JSON.stringify(event, (key, value: unknown) => (key === 'error' ? undefined : value)).replaceAll('"', '');
}

class SetUser {
  /** Given up by a handler that failed: whether what it left went along is not told. */
  private readonly failed = new Set<number>();

  constructor(
    private readonly world: World,
    private readonly handovers: Handovers,
    private readonly plan: OwningPlan,
    private readonly process: SimulatedProcess,
    private readonly partitions: Partitions,
    private readonly random: Random,
  ) {}

  get name(): string {
    return this.partitions.name;
  }

  act(): readonly Promise<void>[] {
    const owns = this.plan.bystanders.includes(this.process.node) ? [] : [this.own()];
    return [...owns, this.callNowAndThen(), ...(this.plan.hasOperators ? [this.operate()] : [])];
  }

  onReleased(partition: number, token: number): void {
    if (!this.failed.has(token)) this.handovers.released(this.process, `${this.name}/${partition}`, token);
  }

  onFailed(token: number): void {
    this.failed.add(token);
  }

  // Owning.

  private async own(): Promise<void> {
    while (!this.isLeaving && !this.handovers.isRight) {
      await this.sleep(pick(this.random, [1, 40, 700]));
      const doing = `owning ${this.name} from ${this.world.nowMs.toFixed(0)} ms`;
      this.process.underWay.add(doing);
      await this.attempt(() => this.ownForAWhile());
      this.process.underWay.delete(doing);
    }
  }

  private async ownForAWhile(): Promise<void> {
    const { random, plan, world } = this;
    const stop = new AbortController();
    void this.sleep(pick(random, [200, 1_500, 5_000, 15_000])).then(() => {
      if (!world.isPeace) stop.abort();
    });
    const inPeace = world.whenPeace.then(() => this.stayUntilRight(stop));
    const weight = pick(random, [1, 1, 1, 2, 0.5]);
    try {
      await this.partitions.own((owned) => this.handle(owned), { weight, drainTimeoutMs: plan.drainTimeoutMs, signal: stop.signal });
    } finally {
      if (!world.isPeace) stop.abort();
    }
    if (world.isPeace) await inPeace;
  }

  private async stayUntilRight(stop: AbortController): Promise<void> {
    if (stop.signal.aborted) return;
    this.handovers.wants(this.process, this.name);
    while (!this.handovers.isRight && !this.isLeaving) await this.sleep(40);
    stop.abort();
  }

  private async handle(owned: OwnedPartition): Promise<void> {
    const ends = this.handovers.begins(this.process, owned, 'handler');
    try {
      await this.work(owned);
    } finally {
      ends();
    }
  }

  private async work(owned: OwnedPartition): Promise<void> {
    const { random, plan } = this;
    const kind = this.world.isPeace ? 'obedient' : pick(random, plan.handlers);
    await this.touch(owned);
    if (kind === 'throwing' || kind === 'returning') {
      await this.sleep(pick(random, [1, 30, 200]));
      if (kind === 'throwing') throw new Planned();
      return;
    }
    await signalOf(owned);
    await this.touch(owned);
    if (kind === 'slow') await this.sleep(plan.drainTimeoutMs * 0.8);
    if (kind === 'stuck') await this.sleep(plan.drainTimeoutMs + 2 * this.world.circumstances.sessionTtlMs);
    if (random.below(3) === 0) await this.sleep(pick(random, [1, 20]));
    // Looks before it writes, as one should, or not at all.
    if (random.below(2) === 0 || owned.valid) this.handovers.write(owned);
    if (random.below(3) === 0) owned.handOver(this.handovers.leaves(this.process, owned));
  }

  private async touch(owned: OwnedPartition): Promise<void> {
    if (owned.valid) this.handovers.write(owned);
    if (this.random.below(5) > 0) return;
    const note = this.handovers.asks(this.process, owned);
    try {
      await owned.note(note.value);
      note.kept();
    } catch (error) {
      this.check(error);
    }
  }

  // Calls beside the handler, and operators.

  private async callNowAndThen(): Promise<void> {
    while (!this.isOver) {
      await this.sleep(pick(this.random, [60, 300, 900]));
      await this.attempt(() => {
        return this.partitions.whileOwned(`k${this.random.below(20)}`, async (owned) => {
          const ends = this.handovers.begins(this.process, owned, 'call');
          this.world.marks.reach('workedUnderPartition');
          await this.sleep(pick(this.random, [1, 40, 250]));
          ends();
        });
      });
    }
  }

  private async operate(): Promise<void> {
    while (!this.isOver) {
      await this.sleep(pick(this.random, [900, 3_000, 9_000]));
      if (!this.isOver) await this.attempt(() => this.operateOnce());
    }
  }

  private operateOnce(): Promise<void> {
    const { partitions, random, world } = this;
    const node = pick(random, world.nodes);
    switch (random.below(8)) {
      case 0:
        return partitions.pin(random.below(partitions.count), node);
      case 1:
        return partitions.unpin(random.below(partitions.count));
      case 2:
        return partitions.drain(node);
      case 3:
        return partitions.exclude(node);
      case 4:
        return partitions.resize(1 + random.below(8));
      default:
        return partitions.include(node);
    }
  }

  // What is common.

  private get isLeaving(): boolean {
    return this.world.leaving.has(this.process.node);
  }

  private get isOver(): boolean {
    return this.world.isPeace || this.isLeaving;
  }

  private sleep(ms: number): Promise<void> {
    return this.world.sleep(this.process, ms);
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.check(error);
    }
  }

  private check(error: unknown): void {
    if (isQuorateError(error) && expectedCodes.has(error.code)) return;
    this.world.fail('API contract', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function signalOf({ signal }: OwnedPartition): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
