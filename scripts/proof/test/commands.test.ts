/** What counts as a proof, and what does not. */
import { proofCommands, shortfall } from '../commands.ts';
import type { ProofCommand, ProofName } from '../commands.ts';

const size = { seeds: 2_000, from: 1, jobs: 2, fuzzRuns: 100_000, episodes: 3, rounds: 1, seed: 5, fastMutants: true };
const commands = proofCommands(size, '/histories');

function commandOf(name: ProofName): ProofCommand {
  const command = commands.find((one) => one.name === name);
  if (!command) throw new Error(`no command ${name}`);
  return command;
}

test('a command that showed nothing, did nothing or did too little does not count (14 commands)', () => {
  expect(commands).toHaveLength(14);
  for (const command of commands) {
    expect(shortfall(command, null)).toContain('showed nothing');
    expect(shortfall(command, { ok: true })).toContain('did 0 of');
  }
  expect(shortfall(commandOf('sim'), { ok: true, seeds: 1_999 })).toBe('sim did 1999 of at least 2000');
});

test('fuzzing counts by the decoder that had fewest runs, models by both their lists', () => {
  const runs = (...each: number[]) => ({ ok: true, decoders: each.map((one) => ({ runs: one })) });
  expect(shortfall(commandOf('fuzz'), runs(100_000, 100_000))).toBeNull();
  expect(shortfall(commandOf('fuzz'), runs(100_000, 99_999))).toContain('did 99999');
  const many = Array.from({ length: 9 }, () => ({}));
  expect(shortfall(commandOf('model'), { ok: true, models: many, planted: [] })).toContain('did 0');
  expect(shortfall(commandOf('model'), { ok: true, models: many, planted: many })).toBeNull();
});

test('a seed that broke a promise, and a mutant that survived, are named', () => {
  const failures = [{ seed: 7, promise: 'progress', what: 'not right' }];
  expect(shortfall(commandOf('sim'), { ok: false, seeds: 2_000, failures })).toBe('sim found something wrong; seed 7 broke progress');
  expect(shortfall(commandOf('sim'), { ok: false, seeds: 50, failures })).toBe('sim did 50 of at least 2000; seed 7 broke progress');
  const table = [
    { name: 'one', killedBy: 'unit: lock' },
    { name: 'two', killedBy: null },
  ];
  expect(shortfall(commandOf('mutants'), { ok: false, killed: 60, table })).toBe('mutants found something wrong; two survived');
});

test('a control that failed is told with what became of it, though every mutant was killed', () => {
  const table = [{ name: 'one', killedBy: 'unit: paxos' }];
  const faults = ['The project as it is timed out in unit runs: no end within 1200 s.'];
  expect(shortfall(commandOf('mutants'), { ok: false, killed: 60, table, faults })).toBe(
    `mutants found something wrong; ${faults.join('')}`,
  );
});

test('a command that did all and found something is red', () => {
  expect(shortfall(commandOf('chaos nats'), { ok: false, episodes: 3 })).toBe('chaos nats found something wrong');
  expect(shortfall(commandOf('chaos nats'), { ok: true, episodes: 3 })).toBeNull();
  expect(shortfall(commandOf('handoff kafka'), { ok: false, processed: 4_000 })).toBe('handoff kafka found something wrong');
  expect(shortfall(commandOf('handoff kafka'), { ok: true, processed: 4_000 })).toBeNull();
  expect(shortfall(commandOf('rollout nats'), { ok: true, restarts: 2 })).toBe('rollout nats did 2 of at least 3');
  expect(shortfall(commandOf('deployment nats'), { ok: true, restarts: 3 })).toBe('deployment nats did 3 of at least 4');
});
