/** The judge of chaos runs is judged first: planted faults are found, each by the rule that stands for it, and honest histories pass. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildChecker, goIsThere } from '../../scripts/chaos/checker.ts';
import type { Checker, Verdict } from '../../scripts/chaos/checker.ts';
import { linesOf } from '../../scripts/chaos/history.ts';
import { honestHistory } from './honest-history.ts';
import type { HonestHistory } from './honest-history.ts';
import { spoilers } from './spoiled-history.ts';

const isRequired = process.env['QUORATE_REQUIRE_BROKERS'] === '1';
const buildTimeoutMs = 5 * 60_000;
const honestSeeds = Array.from({ length: 24 }, (_, index) => index + 1);
const spoiledSeeds = [101, 102, 103];

if (!goIsThere() && !isRequired) process.stderr.write('\n*** SKIPPED: the checker of histories: `go` is not on the PATH\n');
const describeWithGo = goIsThere() || isRequired ? describe : describe.skip;

describeWithGo('the checker of histories', () => {
  let checker: Checker;
  const folder = mkdtempSync(join(tmpdir(), 'quorate-planted-'));
  beforeAll(async () => void (checker = await buildChecker()), buildTimeoutMs);
  afterAll(() => {
    checker.close();
    rmSync(folder, { recursive: true });
  });

  function verdictOn(text: string): Promise<Verdict> {
    const file = join(folder, 'history.jsonl');
    writeFileSync(file, text);
    return checker.check(file);
  }

  /** Without the making of it: a line out of order in the file is no fault. */
  function textOf({ lines }: HonestHistory): string {
    return linesOf(lines);
  }

  test.each(honestSeeds)('accepts an honest history (4 processes, 2 locks, 1 election, seed %i)', async (seed) => {
    const history = honestHistory(seed);
    expect(await verdictOn(textOf(history))).toEqual({
      ok: true,
      operations: history.lines.length,
      illegal: 0,
      unknown: 0,
      violations: [],
    });
  });

  describe.each(spoilers)('rejects $name', ({ rule, spoil }) => {
    test.each(spoiledSeeds)('by the rule that stands for it (4 processes, 2 locks, 1 election, seed %i)', async (seed) => {
      const history = honestHistory(seed);
      spoil(history);
      const verdict = await verdictOn(textOf(history));
      expect(verdict.ok).toBe(false);
      expect(verdict.unknown).toBe(0);
      expect(verdict.violations.map((violation) => violation.rule)).toContain(rule);
    });
  });

  test('rejects a history of nothing', async () => {
    expect(await verdictOn('')).toMatchObject({ ok: false, operations: 0, violations: [{ rule: 'empty' }] });
  });

  test('rejects a line that is cut short (4 processes)', async () => {
    const text = textOf(honestHistory(1));
    expect(await verdictOn(text.slice(0, -20))).toMatchObject({ ok: false, violations: [{ rule: 'format' }] });
  });

  test('tells groups apart: the tokens of one say nothing of the other (2 groups)', async () => {
    const { lines } = honestHistory(1);
    const other = lines.map((line) => ({ ...line, group: 'another' }));
    expect(await verdictOn(linesOf([...lines, ...other]))).toMatchObject({ ok: true, operations: 2 * lines.length });
  });
});
