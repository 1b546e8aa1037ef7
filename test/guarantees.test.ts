/** `docs/guarantees.md` names tests that exist: every one, in the file where it says, for every promise and every hazard. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planted } from './models/checker/catalog.ts';
import { documentText, root, tableRows } from './readme/readme.ts';
import { liveTitles } from './support/live-titles.ts';

const text = documentText('docs/guarantees.md');
const testFile = /^`((?:packages|test)\/[^`]+\.ts|scripts\/[^`]+\.test\.ts)`$/;

/** How many hazards of each kind there are: consensus, sessions and locks, ring, transport. */
const hazards = { C: 17, S: 14, R: 6, T: 7 } as const;
/** What later versions bring; a hazard of something that is not there cannot come true. */
const laterParts = ['reconfiguration', 'snapshots between replicas'];

const plantedHeading = '## What is planted in the models';

interface NamedTest {
  readonly title: string;
  readonly file: string;
}

function namedTests(part: string): NamedTest[] {
  return tableRows(part).flatMap(([, title = '', place = '']) => {
    const [, file] = testFile.exec(place) ?? [];
    return file === undefined ? [] : [{ title, file }];
  });
}

const modelTests = 'test/models/models.test.ts';
const plantedTitle = (name: string): string => `find what is planted: ${name}`;

/** A test that runs once for each row is named by its title as written; one of the models also with the name that stands in it. */
function titlesIn(file: string): ReadonlySet<string> {
  const titles = new Set(liveTitles(readFileSync(join(root, file), 'utf8')));
  if (file !== modelTests || !titles.has(plantedTitle('%s'))) return titles;
  return new Set([...titles, ...planted.map(({ name }) => plantedTitle(name))]);
}

test('names tests that exist, where it says', () => {
  const missing = namedTests(text).filter(({ title, file }) => !existsSync(join(root, file)) || !titlesIn(file).has(title));
  expect(missing).toEqual([]);
  expect(namedTests(text).length).toBeGreaterThan(190);
});

test('names every mistake that is planted in a model, in the words of the model, and none that is not', () => {
  const rows = tableRows(text.slice(text.indexOf(plantedHeading), text.indexOf('## Hazards and')));
  expect(rows.slice(1)).toEqual(planted.map(({ name, hazard }) => [hazard, plantedTitle(name), `\`${modelTests}\``]));
});

test.each([
  ['a title alone', "test('does it', act);", true],
  ['a title of many rows', "it.each(rows)('does it', act);", true],
  ['a title in a suite', "describe('a group', () => { it(`does it`, act); });", true],
  ['a row of a table of tests', "const tests = [['does it', act]];", true],
  ['a title beside a stream that skips', "test('does it', () => frames.skip(1));", true],
  ['test.skip', "test.skip('does it', act);", false],
  ['it.skip.each', "it.skip.each(rows)('does it', act);", false],
  ['test.todo', "test.todo('does it');", false],
  ['test.failing', "test.failing('does it', act);", false],
  ['xit', "xit('does it', act);", false],
  ['describe.skip', "describe.skip('a group', () => { it('does it', act); });", false],
  ['xdescribe around a suite', "xdescribe('all', () => { describe('a group', () => { it('does it', act); }); });", false],
  ['another test.only', "test('does it', act); test.only('does another', act);", false],
  ['a comment', "// test('does it', act);", false],
  ['a suite of that name', "describe('does it', () => { it('acts', act); });", false],
])('tells whether a test runs: %s', (_what, source, runs) => {
  expect(liveTitles(source).has('does it')).toBe(runs);
});

test('names at least one test for every promise and every contract of this version', () => {
  const parts = text.split(/^##+ /m).slice(1);
  const named = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), namedTests(part).length]));
  const promises = [...named.keys()].filter((heading) => /^\d\. /.test(heading));
  expect(promises.map((heading) => heading[0])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  const without = [...named].filter(([, count]) => count === 0).map(([heading]) => heading);
  expect(without).toEqual(['The contracts of the calls that run user code', 'Hazards and the tests that would fail if they came true']);
});

interface HazardRow {
  readonly key: string;
  readonly isTested: boolean;
  readonly waitsFor: string | undefined;
}

function hazardRows(): HazardRow[] {
  return tableRows(text.slice(text.indexOf('## Hazards'))).flatMap(([what = '', title = '', place = '']) => {
    const [, key] = /^([CSRT]\d+): /.exec(what) ?? [];
    return key === undefined ? [] : [{ key, isTested: testFile.test(place), waitsFor: /^waits for (.+)$/.exec(title)?.[1] }];
  });
}

test('has a test for every hazard, or says which later part it waits for', () => {
  const rows = hazardRows();
  const all = Object.entries(hazards).flatMap(([kind, count]) => Array.from({ length: count }, (_, at) => `${kind}${at + 1}`));
  expect([...new Set(rows.map(({ key }) => key))]).toEqual(all);
  const bare = rows.filter(({ isTested, waitsFor }) => isTested === (waitsFor !== undefined));
  expect(bare).toEqual([]);
  expect(rows.filter(({ waitsFor }) => waitsFor !== undefined && !laterParts.includes(waitsFor))).toEqual([]);
  const untested = all.filter((key) => !rows.some((row) => row.key === key && row.isTested));
  expect(untested).toEqual([]);
});

test('points at files that exist', () => {
  const paths = [...text.matchAll(/`((?:packages|test|scripts|docs)\/[^`\s]+)`/g)].map(([, path = '']) => path);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
