/** `docs/guarantees.md` names tests that exist: every one, in the file where it says, and at least one for every promise. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentText, root, tableRows } from './readme/readme.ts';

const text = documentText('docs/guarantees.md');
const testFile = /^`((?:packages|test)\/[^`]+\.ts)`$/;

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

/** As a title may be written in the source: between quotes, and with quotes of its own escaped. */
function holdsTitle(source: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title.replaceAll(quote, `\\${quote}`)}${quote}`));
}

test('names tests that exist, where it says', () => {
  const missing = namedTests(text).filter(
    ({ title, file }) => !existsSync(join(root, file)) || !holdsTitle(readFileSync(join(root, file), 'utf8'), title),
  );
  expect(missing).toEqual([]);
  expect(namedTests(text).length).toBeGreaterThan(80);
});

test('names at least one test for every promise and every contract of this version', () => {
  const parts = text.split(/^##+ /m).slice(1);
  const named = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), namedTests(part).length]));
  const promises = [...named.keys()].filter((heading) => /^\d\. /.test(heading));
  expect(promises.map((heading) => heading[0])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  const without = [...named].filter(([, count]) => count === 0).map(([heading]) => heading);
  expect(without).toEqual(['6. Exclusive hand-off', 'The contracts of the calls that run user code']);
});

test('points at files that exist', () => {
  const paths = [...text.matchAll(/`((?:packages|test|scripts|docs)\/[^`\s]+)`/g)].map(([, path = '']) => path);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
