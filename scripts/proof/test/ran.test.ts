/** A run of CI that proved nothing is red: what ran is counted from what was shown, and `.ci/run` asks for it last. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { proofCommands } from '../commands.ts';
import { brief, modelsRanIn, ranIn } from '../ran.ts';

const size = { seeds: 2_000, from: 1, jobs: 2, fuzzRuns: 100_000, episodes: 3, rounds: 1, seed: 5, fastMutants: true };
const commands = proofCommands(size, '/histories');
const enough = brief.map((name) => ({ name, done: commands.find((command) => command.name === name)?.least ?? 0, wrong: null }));

const printed = (steps: readonly object[], command = 'proof'): string => `--> pnpm sim\n${JSON.stringify({ ok: true, command, steps })}\n`;
const wrongIn = (text: string): readonly (string | null)[] => ranIn(text, commands).map(({ wrong }) => wrong);

test('everything that did its least, and found nothing, ran (10 commands)', () => {
  expect(wrongIn(printed(enough))).toEqual(brief.map(() => null));
});

test.each([
  ['nothing was printed', ''],
  ['the run never came to its last line', '--> pnpm sim\n2000 seeds\n'],
  ['another command printed the last line', printed(enough, 'check')],
  ['no step was taken', printed([])],
])('nothing ran where %s (10 commands)', (_what, text) => {
  expect(wrongIn(text)).toEqual(brief.map((name) => `${name} did not run`));
});

test.each(brief)('a run without %s, with too little of it, or with something found by it, is red', (name) => {
  const step = enough.find((one) => one.name === name);
  const others = enough.filter((one) => one !== step);
  const faults = [
    [others, 'did not run'],
    [[...others, { ...step, done: (step?.done ?? 0) - 1 }], 'did '],
    [[...others, { ...step, wrong: `${name} found something` }], 'found something'],
  ] as const;
  for (const [steps, fault] of faults) {
    expect(wrongIn(printed(steps)).filter((wrong) => wrong !== null)).toEqual([expect.stringContaining(`${name} ${fault}`)]);
  }
});

test('the models ran where the tests say so, and not where they were left out, or one did not hold', () => {
  const line = 'system test/models/models.test.ts (231.2 s)';
  expect(modelsRanIn(`PASS unit other.test.ts\nPASS ${line}\n`)).toMatchObject({ done: 1, wrong: null });
  for (const printed of ['', 'PASS unit other.test.ts\n', 'RUNS system test/models/models.test.ts\n']) {
    expect(modelsRanIn(printed)).toMatchObject({ done: 0, wrong: 'models did not run' });
  }
  expect(modelsRanIn(`FAIL ${line}\n`)).toMatchObject({ wrong: 'models found something' });
});

test('CI proves, keeps what was shown, and counts it as its last step', () => {
  const lines = readFileSync(join(resolve(__dirname, '..', '..', '..'), '.ci', 'run'), 'utf8').split('\n');
  const steps = lines.filter((line) => line.startsWith('step '));
  expect(steps.at(-2)).toMatch(/^step proof \S.* proof --json$/);
  expect(steps.at(-1)).toMatch(/^step ran \d+ proof --ran "\$logs\/proof" --tests "\$logs\/test" --json$/);
});
