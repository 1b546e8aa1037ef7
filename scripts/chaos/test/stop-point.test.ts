/** The moment between the check of a lease and the write, made as long as somebody orders. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockLoop, StopPoint } from '../stop-point.ts';

const order = { how: 'wait', untilFile: '', longestMs: 0, withinMs: 60_000 } as const;

describe('a stop point', () => {
  test('is passed by whoever comes while nobody ordered anything', async () => {
    await new StopPoint().pass({ lock: 'x', token: 5 }, 0);
  });

  test('tells who stands there, once (2 holders)', async () => {
    const point = new StopPoint();
    const standing = point.order(order);
    await Promise.all([point.pass({ lock: 'x', token: 5 }, 0), point.pass({ lock: 'y', token: 6 }, 0)]);
    expect(await standing).toEqual({ lock: 'x', token: 5 });
  });

  test('gives an order up that nobody came for', async () => {
    const point = new StopPoint();
    expect(await point.order({ ...order, withinMs: 1 })).toBeUndefined();
    await point.pass({ lock: 'x', token: 5 }, 0);
  });

  test('lets no timer run while the loop is blocked, and ends when the file is there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-stop-'));
    const file = join(folder, 'go-on');
    let ran = false;
    const timer = setTimeout(() => (ran = true), 0);
    let looks = 0;
    blockLoop(60_000, () => {
      if (++looks === 3) writeFileSync(file, '');
      return existsSync(file);
    });
    clearTimeout(timer);
    expect(ran).toBe(false);
    expect(looks).toBe(3);
    rmSync(folder, { recursive: true });
  });
});
