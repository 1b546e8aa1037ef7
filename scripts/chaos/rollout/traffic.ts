/** The lock traffic of a rollout: everybody contends all through a round, and at the end everybody can have everything. */
import type { ChaosTiming } from '../timing.ts';
import type { ChaosProcess } from '../troupe.ts';

const lockNames = ['x', 'y', 'z'] as const;
const electionName = 'e';

export class Traffic {
  /** A round's locks are its own: the register of each is checked by itself, and the longer its history the longer that takes. */
  round = 0;

  constructor(private readonly timing: ChaosTiming) {}

  async begin(one: ChaosProcess): Promise<void> {
    const { locks, election } = this;
    const { sessionTtlMs } = this.timing;
    await one.running.request('work', { locks, election, patienceMs: 3 * sessionTtlMs, longHoldMs: sessionTtlMs });
  }

  async rest(one: ChaosProcess): Promise<void> {
    await one.running.request('rest', undefined);
  }

  /** Rejects where one of them cannot have every lock; resolves with what is left in queues that nobody waits in. */
  async leftovers(present: readonly ChaosProcess[], everyone: readonly ChaosProcess[]): Promise<string[]> {
    const { locks, election } = this;
    const withinMs = this.timing.recoveryBoundMs;
    await Promise.all(present.map((one) => one.running.request('recover', { locks, election, withinMs })));
    const own = everyone.map(({ name }) => `own-${name}`);
    const found = await Promise.all(present.map((one) => one.running.request('orphans', { locks: [...locks, ...own], withinMs })));
    return found.flat().map((info) => `${info.name} is held by ${info.holders[0]?.node ?? 'nobody'} and waited for`);
  }

  private get locks(): readonly string[] {
    return lockNames.map((lock) => `${this.round}/${lock}`);
  }

  private get election(): string {
    return `${this.round}/${electionName}`;
  }
}
