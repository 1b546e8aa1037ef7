/** What the documents say is what the code does, as far as a program can tell. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diagnosticsChannels, errorCodes } from '@quorate/core';
import { codeBlocks, documentText, localLinks, root, tableRows } from './readme.ts';

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'packages/core/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test('the table of errors names every code, and says of each what the error itself says', () => {
  const rows = tableRows(documentText('README.md'));
  for (const [code, { means, remedy, retriable }] of Object.entries(errorCodes)) {
    expect(rows).toContainEqual([`\`${code}\``, means, remedy, retriable ? 'yes' : 'no']);
  }
  const named = rows.map(([first = '']) => first).filter((first) => /^`[A-Z_]+`$/.test(first));
  expect(named).toHaveLength(Object.keys(errorCodes).length);
});

test('every program in a document is a file here, which is compiled and run', () => {
  const files = readdirSync(__dirname).filter((name) => name.endsWith('.ts'));
  const programs = files.map((name) => readFileSync(join(__dirname, name), 'utf8').replace(/^\/\*\*.*\*\/\n/, ''));
  const shown = documents.flatMap((path) => codeBlocks(documentText(path), 'ts'));
  expect(shown).toHaveLength(6);
  for (const program of shown) expect(programs).toContain(program);
});

test('the guarded update of the quick start is the one that example 1 runs on a real store', () => {
  const [statement = 'none'] = /update invoice set .* fence <= \$3/.exec(documentText('README.md')) ?? [];
  expect(documentText('examples/01-guarded-write/main.ts')).toContain(statement);
});

test('the program of the core package holds a lock alone (1 voter)', () => {
  const args = ['-C', 'quorate-source', '-r', 'ts-node/register', join(__dirname, 'solo.ts')];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toMatch(/^held under \d+ false\n$/);
});

test('every script that a document calls exists', () => {
  const { scripts } = JSON.parse(documentText('package.json')) as { scripts: Record<string, string> };
  const called = documents.flatMap((path) =>
    [...documentText(path).matchAll(/`[^`\n]*\bpnpm(?:@[\d.]+)? ([a-z]+)\b|^npx --yes pnpm@[\d.]+ ([a-z]+)\b/gm)].map(
      ([, inText, inBlock]) => inText ?? inBlock ?? '',
    ),
  );
  const known = [...Object.keys(scripts), 'install', 'exec', 'changeset', 'start'];
  expect(called.length).toBeGreaterThan(0);
  expect(called.filter((script) => !known.includes(script))).toEqual([]);
});

test('every link inside the project leads somewhere', () => {
  const links = documents.flatMap((path) => localLinks(documentText(path)).map((target) => join(dirname(path), target)));
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

test('every diagnostics channel is documented', () => {
  const text = documentText('docs/operations.md');
  for (const name of Object.values(diagnosticsChannels)) expect(text).toContain(`\`${name}\``);
});

test('the README shows every example', () => {
  const text = documentText('README.md');
  for (const name of readdirSync(join(root, 'examples'))) expect(text).toContain(`(examples/${name}/)`);
});
