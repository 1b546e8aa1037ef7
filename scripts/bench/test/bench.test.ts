/** The benchmarks do what they say: a summary that programs can read, and figures that agree with each other. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { Latencies, quantile } from '../latency.ts';
import type { MovementRow } from '../movement-bench.ts';

const root = resolve(__dirname, '..', '..', '..');
const timeoutMs = 60_000;

interface Ran {
  readonly code: number;
  readonly summary: Readonly<Record<string, unknown>>;
}

function bench(...args: readonly string[]): Promise<Ran> {
  const nodeArgs = ['-C', 'quorate-source', '-r', 'ts-node/register', 'scripts/bench/main.ts', ...args, '--json'];
  return new Promise((done, reject) => {
    execFile(process.execPath, nodeArgs, { cwd: root, timeout: timeoutMs }, (error, stdout) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      try {
        done({ code: typeof error?.code === 'number' ? error.code : 0, summary: JSON.parse(last) as Ran['summary'] });
      } catch {
        reject(new Error(`the last line is no JSON object: ${last}`));
      }
    });
  });
}

test(
  'a lock benchmark measures the work and its floor (3 voters, 2 clients, in memory)',
  async () => {
    const { code, summary } = await bench('lock', '--transport', 'memory', '--clients', '2', '--seconds', '1');
    expect(code).toBe(0);
    expect(summary).toMatchObject({
      ok: true,
      command: 'bench lock',
      transport: 'memory',
      processes: 1,
      voters: 3,
      clients: 2,
      at: 'leader',
    });
    const { cycles, cyclesPerSecond, p50Ms, p99Ms, floorMs, ratio, frameBytes, floorSamples } = summary as Record<string, number>;
    for (const figure of [cycles, cyclesPerSecond, p50Ms, p99Ms, floorMs, ratio, frameBytes, floorSamples])
      expect(figure).toBeGreaterThan(0);
    expect(p99Ms).toBeGreaterThanOrEqual(p50Ms ?? Infinity);
    expect((ratio ?? 0) * (floorMs ?? 0)).toBeCloseTo(p50Ms ?? 0, 1);
  },
  timeoutMs,
);

test(
  'in every row of the movement benchmark ours is the ideal (10 and 11, 3 and 4 members)',
  async () => {
    const { code, summary } = await bench('movement');
    expect(code).toBe(0);
    expect(summary).toMatchObject({ ok: true, command: 'bench movement' });
    const rows = summary['rows'] as readonly MovementRow[];
    expect(rows).toHaveLength(18);
    for (const { ours, ideal } of rows) expect(ours).toEqual(ideal);
    expect(rows.find(({ partitions, from, weights }) => partitions === 100 && from === 10 && weights === 'equal')).toMatchObject({
      ours: { moved: 9, maxOverMean: 1.1 },
      roundRobin: { moved: 90, maxOverMean: 1.1 },
    });
  },
  timeoutMs,
);

test(
  'a ring benchmark measures three rings in turns (100 nodes, 1 round)',
  async () => {
    const { summary } = await bench('ring', '--rounds', '1');
    expect(summary).toMatchObject({ command: 'bench ring', nodes: 100, rounds: 1 });
    const { ours, hashring, consistentHash, ratio } = summary as Record<string, number>;
    for (const figure of [ours, hashring, consistentHash]) expect(figure).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo((ours ?? 0) / (hashring ?? 1), 1);
    for (const costs of ['buildMs', 'changeMs', 'memoryBytes'])
      for (const cost of Object.values(summary[costs] as Record<string, number>)) expect(cost).toBeGreaterThan(0);
  },
  timeoutMs,
);

test.each([
  [['lock', '--transport', 'pigeon'], '--transport is pigeon, not one of memory, nats, kafka'],
  [['lock', '--clients', '0'], '--clients is 0, not a whole number from 1 to 4096'],
  [['takeover', '--transport', 'memory'], '--transport is memory, not one of nats, kafka'],
  [['ring', '--rounds', '0'], '--rounds is 0, not a whole number from 1 to 1000'],
  [['fly'], 'usage: bench lock'],
])(
  'a call that cannot be meant is refused: %p',
  async (args, message) => {
    const { code, summary } = await bench(...args);
    expect(code).toBe(1);
    expect(summary).toMatchObject({ ok: false, error: expect.stringContaining(message) as string });
  },
  timeoutMs,
);

test('quantiles of latencies are those of what was added, to three digits', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms);
  const { count, p50Ms, p99Ms, maxMs } = latencies.quantiles;
  expect(count).toBe(100);
  for (const [found, meant] of [
    [p50Ms, 50],
    [p99Ms, 99],
    [maxMs, 100],
  ] as const)
    expect(Math.abs(found / meant - 1)).toBeLessThan(0.001);
});

test('a quantile of a few values is one of them', () => {
  expect(quantile([5, 1, 9], 0.5)).toBe(5);
  expect(quantile([5, 1, 9], 0.99)).toBe(9);
  expect(quantile([5], 0.5)).toBe(5);
});
