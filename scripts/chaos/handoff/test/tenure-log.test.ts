/** What a life's file says: until when it relied on what it had, and what it left undone. */
import { mkdtempSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifeOf, readLife, TenureLog } from '../tenure-log.ts';
import type { TenureLine } from '../tenure-log.ts';

const granted: TenureLine = { type: 'granted', at: 10, partition: 3, token: 7 };
const piece = { partition: 3, key: '3-0', number: 5, token: 7 };

function looked(at: number, untilNs: number): TenureLine {
  return { type: 'looked', at, owned: [[3, 7, untilNs]] };
}

test('lets a tenure last as long as its process would have relied on it at any look', () => {
  const { tenures } = lifeOf('w', [granted, looked(11, 100), looked(50, 140), looked(60, 120)]);
  expect(tenures).toEqual([{ process: 'w', partition: 3, token: 7, fromNs: 10, untilNs: 140 }]);
});

test('ends a tenure where its handler settled, and not where it was started again', () => {
  const settled: TenureLine = { type: 'settled', at: 70, partition: 3, token: 7 };
  expect(lifeOf('w', [granted, looked(11, 100), settled]).tenures[0]?.untilNs).toBe(70);
  expect(lifeOf('w', [granted, looked(11, 100), { ...granted, at: 90 }]).tenures[0]).toMatchObject({ fromNs: 10, untilNs: 100 });
});

test('says what was begun and never done', () => {
  const began: TenureLine = { type: 'began', at: 20, ...piece };
  expect(lifeOf('w', [granted, began]).unfinished).toEqual([{ partition: 3, key: '3-0', number: 5 }]);
  expect(lifeOf('w', [granted, began, { type: 'done', at: 21, ...piece }]).unfinished).toEqual([]);
});

test('reads what a killed process had written, without the line that was cut short', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-tenures-'));
  const file = join(folder, 'life.jsonl');
  const log = new TenureLog(file);
  log.write(granted);
  log.write(looked(11, 100));
  log.close();
  log.write(looked(12, 900));
  appendFileSync(file, '{"type":"looked","at":13,"own');
  expect(readLife('w', file).tenures).toEqual([expect.objectContaining({ untilNs: 100 })]);
  expect(readLife('w', join(folder, 'none.jsonl')).tenures).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});
