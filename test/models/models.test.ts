/** Every small model to its end, and every planted mistake found: what the models say is checked like any other promise. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { models, planted } from './checker/catalog.ts';
import { modelsOf, ruleNumbers, withoutModel } from './rules.ts';

interface Report {
  readonly models: readonly { readonly name: string; readonly ok: boolean; readonly complete: boolean }[];
  readonly planted: readonly { readonly name: string; readonly found: boolean }[];
}

const root = join(__dirname, '..', '..');
const generousMs = 900_000;

/** In a process of its own: the search runs several times slower inside of the test runner, which stands behind every global name. */
function runModels(): Promise<Report> {
  const args = ['-C', 'quorate-source', '-r', 'ts-node/register', 'scripts/model/main.ts', '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 24 }, (_, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      if (last.startsWith('{"command"')) resolve(JSON.parse(last) as Report);
      else reject(new Error(`The command ended without a report.\n${stdout}${stderr}`));
    });
  });
}

describe('the models, all together', () => {
  let report: Report;
  beforeAll(async () => {
    report = await runModels();
  }, generousMs);

  test.each(models.map(({ name }) => name))('hold in every state: %s', (name) => {
    expect(report.models.find((model) => model.name === name)).toMatchObject({ ok: true, complete: true });
  });

  test.each(planted.map(({ name }) => name))('find what is planted: %s', (name) => {
    expect(report.planted.find((mistake) => mistake.name === name)).toMatchObject({ found: true });
  });
});

test('names are names of one thing', () => {
  const names = [...models, ...planted].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('every rule has a model, or the reason why it has none, and not both', () => {
  const wrong = ruleNumbers.filter((rule) => modelsOf(rule).length > 0 === (withoutModel[rule] ?? '') > '');
  expect(wrong).toEqual([]);
  expect([...new Set(models.flatMap((model) => model.rules))].filter((rule) => !ruleNumbers.includes(rule))).toEqual([]);
});
