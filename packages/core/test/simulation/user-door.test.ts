/** Users' own terms and owners in the simulated world: what trusts a lease alone is caught, what checks its token is not. */
import { simulate } from '@quorate/core/simulation';
import type { FaultKind, SimulatedNode, SimulationReport } from '@quorate/core/simulation';

const minutes = 60_000;

/** What is written to, by resource: the token of the last write, and the first write that came after a newer one. */
class Store {
  readonly #last = new Map<string, number>();
  stale: string | null = null;
  writes = 0;

  write(resource: string, token: number, checks: boolean): void {
    const last = this.#last.get(resource) ?? 0;
    if (token < last && checks) return;
    if (token < last) this.stale ??= `${resource} was written to under ${token} after ${last}`;
    this.#last.set(resource, Math.max(last, token));
    this.writes += 1;
  }
}

type Program = (node: SimulatedNode<Store>, checks: boolean) => Promise<void>;

const leads: Program = async ({ quorate, state, sleep }, checks) => {
  await quorate.election('head').lead(async ({ token }) => {
    await sleep(150);
    state.write('head', token, checks);
  });
};

/** Owns for as long as it runs; a handler that is told to stop ends with what it is at. */
const owns: Program = async (node, checks) => {
  const { quorate, state, sleep } = node;
  const over = new AbortController();
  // It may end first, where the disk of its process fails.
  const owning = quorate
    .partitions('orders', { count: 4 })
    .own(
      async ({ resource, token, signal }) => {
        while (!signal.aborted) {
          await sleep(30);
          state.write(resource, token, checks);
        }
      },
      { drainTimeoutMs: 400, signal: over.signal },
    )
    .catch(() => undefined);
  while (node.isRunning) await sleep(50);
  over.abort();
  await owning;
};

interface User {
  readonly program: Program;
  readonly faults?: readonly FaultKind[];
}

async function run(
  { program, faults }: User,
  checks: boolean,
  seeds: number,
): Promise<{ readonly report: SimulationReport; readonly writes: number }> {
  const stores: Store[] = [];
  const report = await simulate<Store>({
    seeds,
    voters: ['a', 'b', 'c'],
    clients: ['x'],
    faults,
    setup: () => {
      const store = new Store();
      stores.push(store);
      return store;
    },
    program: async (node) => {
      while (node.isRunning) await program(node, checks);
    },
    invariant: ({ stale }) => stale,
  });
  return { report, writes: stores.reduce((sum, { writes }) => sum + writes, 0) };
}

describe.each([
  // Of all faults those that make a holder late, so that few seeds are enough.
  ['a term', { program: leads, faults: ['stop', 'isolate'] }],
  ['an owner of partitions', { program: owns }],
] as [string, User][])('%s of a user', (_what, user) => {
  test(
    'is caught writing after a newer one where it trusts its lease alone, with the story of it (3 voters, 1 client)',
    async () => {
      const { report } = await run(user, false, 200);
      expect(report.failure?.promise).toBe('invariant');
      expect(report.failure?.what).toContain('was written to under');
      expect(report.failure?.story.length).toBeGreaterThan(5);
    },
    15 * minutes,
  );

  test(
    'passes where the store checks the token (3 voters, 1 client, 20 seeds)',
    async () => {
      const { report, writes } = await run(user, true, 20);
      expect(report.failure).toBeNull();
      expect(writes).toBeGreaterThan(100);
    },
    15 * minutes,
  );
});
