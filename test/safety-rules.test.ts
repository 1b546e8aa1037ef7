/** The safety rules of `docs/protocol.md` are numbered as code, tests and models cite them, and each says where it is followed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { models } from './models/checker/catalog.ts';
import { ruleNumbers } from './models/rules.ts';
import { documentText, root } from './readme/readme.ts';

const text = documentText('docs/protocol.md');
const [section = ''] = text.slice(text.indexOf('## Safety rules\n')).split('\n## ');
const headings = [...text.matchAll(/^##+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-'));
/** What a rule may wait for. */
const laterParts = ['groups without names'];

const rules = section
  .split(/^(?=\d+\. )/m)
  .slice(1)
  .map((rule) => {
    const [, number = '', what = ''] = /^(\d+)\. \*\*(.+?)\*\*/.exec(rule) ?? [];
    return {
      number: Number(number),
      what,
      sections: [...rule.matchAll(/\]\(#([a-z-]+)\)/g)].map(([, anchor = '']) => anchor),
      tests: [...rule.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = '']) => file),
      isWaiting: rule.includes('Not followed yet: '),
      waitsFor: laterParts.filter((part) => rule.includes(`needs ${part}`)),
    };
  });

test('are numbered from 1 on, each with what it says', () => {
  expect(rules.map(({ number }) => number)).toEqual(ruleNumbers);
  expect(rules.filter(({ what }) => what === '')).toEqual([]);
});

test('each names the section and the test in which it is followed, or what it waits for', () => {
  for (const { number, sections, tests, isWaiting, waitsFor } of rules) {
    expect([number, sections.filter((anchor) => !headings.includes(anchor))]).toEqual([number, []]);
    expect([number, tests.filter((file) => !existsSync(join(root, file)))]).toEqual([number, []]);
    expect([number, sections.length > 0]).toEqual([number, tests.length > 0]);
    expect([number, tests.length > 0 || isWaiting]).toEqual([number, true]);
    expect([number, waitsFor.length > 0]).toEqual([number, isWaiting]);
  }
});

test('none that a model searches is said to be followed nowhere', () => {
  const followedNowhere = rules.filter(({ tests }) => tests.length === 0).map(({ number }) => number);
  expect(models.flatMap((model) => model.rules).filter((rule) => followedNowhere.includes(rule))).toEqual([]);
});

test('none is cited that is not there', () => {
  const files = ['packages', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { encoding: 'utf8', recursive: true }).map((file) => join(folder, file)),
  );
  const sources = files.filter((file) => file.endsWith('.ts') && !/node_modules|dist/.test(file));
  const cited = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\bsafety (?:rules? )?(\d+)(?:(?:, | and | to )(\d+))*/g)].map(
      ([, first, last = first]) => [file, Number(first), Number(last)] as const,
    ),
  );
  expect(cited.length).toBeGreaterThan(50);
  expect(cited.filter(([, ...numbers]) => numbers.some((number) => !ruleNumbers.includes(number)))).toEqual([]);
});
