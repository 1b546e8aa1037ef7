/** The cache is filled once, whole or not at all, and a lock whose holder died does not stop anyone. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { cachedFolder } from '../cache.ts';

describe('cache of fetched brokers', () => {
  let folder = '';
  const before = process.env['QUORATE_CACHE'];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-cache-'));
    process.env['QUORATE_CACHE'] = folder;
  });

  afterEach(() => {
    if (before === undefined) delete process.env['QUORATE_CACHE'];
    else process.env['QUORATE_CACHE'] = before;
    rmSync(folder, { recursive: true, force: true });
  });

  test('is filled once by five that ask at the same time', async () => {
    let fills = 0;
    const fill = async (target: string): Promise<void> => {
      fills++;
      await turn();
      writeFileSync(join(target, 'server'), 'x');
    };
    const folders = await Promise.all([1, 2, 3, 4, 5].map(() => cachedFolder('broker-1', fill)));
    expect(fills).toBe(1);
    expect(new Set(folders)).toEqual(new Set([join(folder, 'broker-1')]));
    expect(readdirSync(folder)).toEqual(['broker-1']);
  });

  test('keeps nothing of a fill that failed, and lets the next one try', async () => {
    const broken = cachedFolder('broker-1', (target) => {
      writeFileSync(join(target, 'half'), 'x');
      return Promise.reject(new Error('no network'));
    });
    await expect(broken).rejects.toThrow('no network');
    expect(readdirSync(folder)).toEqual([]);
    await cachedFolder('broker-1', () => Promise.resolve());
    expect(existsSync(join(folder, 'broker-1'))).toBe(true);
  });

  test('takes over a lock whose holder is gone', async () => {
    const gone = spawnSync('true').pid;
    mkdirSync(join(folder, 'broker-1.lock'));
    writeFileSync(join(folder, 'broker-1.lock', 'pid'), String(gone));
    await cachedFolder('broker-1', () => Promise.resolve());
    expect(readdirSync(folder)).toEqual(['broker-1']);
  });
});
