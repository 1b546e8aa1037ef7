/** A soak says what it saw: a log that stays within its limit while far more is chosen, and growth where there is some. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { coursesOf, isFlat } from '../verdict.ts';
import type { Courses, Sample } from '../verdict.ts';

const root = resolve(__dirname, '..', '..', '..');
const timeoutMs = 120_000;

function soak(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const nodeArgs = ['-C', 'quorate-source', '-r', 'ts-node/register', 'scripts/soak/main.ts', ...args, '--json'];
  return new Promise((done, reject) => {
    execFile(process.execPath, nodeArgs, { cwd: root, timeout: timeoutMs }, (_, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      if (last.startsWith('{')) done(JSON.parse(last) as Readonly<Record<string, unknown>>);
      else reject(new Error(`the last line is no JSON object: ${last}\n${stderr}`));
    });
  });
}

test(
  'the log stays within its limit while many times as much is chosen (3 voters, in memory)',
  async () => {
    const result = await soak('--broker', 'memory', '--seconds', '10', '--loops', '4', '--slots-kept', '64');
    expect(result).toMatchObject({ command: 'soak', broker: 'memory', storage: 'memory', processes: 1, settled: true, failures: [] });
    const { cycles, slotsChosen, samples, voters } = result as unknown as {
      readonly cycles: number;
      readonly slotsChosen: number;
      readonly samples: number;
      readonly voters: Readonly<Record<string, Courses>>;
    };
    expect(cycles).toBeGreaterThan(0);
    expect(samples).toBeGreaterThan(3);
    expect(slotsChosen).toBeGreaterThan(1_000);
    expect(Object.keys(voters)).toEqual(['v1', 'v2', 'v3']);
    for (const { logSlots, storeBytes } of Object.values(voters)) {
      // Between two heartbeats as much as they choose lies above what is kept.
      expect(logSlots?.max).toBeLessThan(slotsChosen / 2);
      expect(logSlots?.flat).toBe(true);
      expect(storeBytes).toBeNull();
    }
  },
  timeoutMs,
);

const still: Sample = {
  atMs: 0,
  logSlots: 8_192,
  logBytes: 2e6,
  heapBytes: 3e7,
  rssBytes: 9e7,
  storeBytes: null,
  floor: 1,
  chosenIndex: 9_000,
};

test('what goes to and fro is flat, and a store that is not there is no growth', () => {
  const samples = Array.from({ length: 30 }, (_, at) => ({ ...still, logSlots: 8_192 + (at % 7) * 100, heapBytes: 3e7 + (at % 5) * 1e6 }));
  expect(isFlat(coursesOf(samples))).toBe(true);
});

test.each(['logSlots', 'logBytes', 'heapBytes', 'rssBytes', 'storeBytes'] as const)('%s that grows for ever is not flat', (measure) => {
  const samples = Array.from({ length: 30 }, (_, at) => ({ ...still, storeBytes: 4e7, [measure]: 4e7 * (1 + at) }));
  const courses = coursesOf(samples);
  expect(courses[measure]).toMatchObject({ flat: false });
  expect(isFlat(courses)).toBe(false);
});

test.each([
  [['--seconds', '1'], '--broker is missing, not one of nats, kafka, memory'],
  [['--broker', 'pigeon', '--seconds', '1'], '--broker is pigeon, not one of nats, kafka, memory'],
  [['--broker', 'nats'], '--seconds is missing, not a whole number from 1 to 86400'],
  [['--broker', 'nats', '--seconds', '0'], '--seconds is 0, not a whole number from 1 to 86400'],
  [['--broker', 'nats', '--seconds', '1', '--storage', 'kafka'], '--storage kafka lies in the broker of --broker kafka'],
])(
  'a call that cannot be meant is refused: %p',
  async (args, message) => {
    expect(await soak(...args)).toMatchObject({ ok: false, error: expect.stringContaining(message) as string });
  },
  timeoutMs,
);
