/** The cache is filled once, whole or not at all, and a lock whose holder died does not stop anyone. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { cachedFolder } from '../cache.ts';
import { runCommand } from '../command.ts';
import { holderOf, removeStale, takeLock } from '../fill-lock.ts';

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

  const lock = (): string => join(folder, 'broker-1.lock');

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
    writeFileSync(lock(), JSON.stringify({ id: 'first', pid: gone, began: '1' }));
    await cachedFolder('broker-1', () => Promise.resolve());
    expect(readdirSync(folder)).toEqual(['broker-1']);
  });

  test('takes over a lock whose holder died before it said who it is, and one whose process id is another process by now', async () => {
    mkdirSync(lock());
    await cachedFolder('broker-1', () => Promise.resolve());
    writeFileSync(join(folder, 'broker-2.lock'), JSON.stringify({ id: 'first', pid: process.pid, began: '1' }));
    await cachedFolder('broker-2', () => Promise.resolve());
    expect(readdirSync(folder)).toEqual(['broker-1', 'broker-2']);
  });

  test('keeps the lock of the first of two that saw the same holder gone, and one that died while it took it away stops nobody', () => {
    const gone = { id: 'first', pid: spawnSync('true').pid, began: '1' };
    writeFileSync(lock(), JSON.stringify(gone));
    // The claim of one that died on the way: taken away by the first look, passed by the second.
    writeFileSync(`${lock()}.first`, JSON.stringify({ ...gone, id: 'second' }));
    removeStale(lock(), gone);
    removeStale(lock(), gone);
    const holder = takeLock(lock());
    expect(holder).toBeDefined();
    // The other one saw the holder that is gone before that, and acts on it only now.
    removeStale(lock(), gone);
    expect(holderOf(lock())).toEqual(holder);
    expect(takeLock(lock())).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['broker-1.lock']);
  });

  test('is filled by one of three processes that find the same dead holder', async () => {
    writeFileSync(lock(), JSON.stringify({ id: 'first', pid: spawnSync('true').pid, began: '1' }));
    const script = `
      const { cachedFolder } = require('./scripts/brokers/cache.ts');
      const { writeFileSync } = require('node:fs');
      cachedFolder('broker-1', async (target) => { console.log('filled'); writeFileSync(target + '/server', 'x'); });`;
    const args = ['-C', 'quorate-source', '-r', 'ts-node/register', '-e', script];
    const runs = [1, 2, 3].map(() => runCommand(process.execPath, args, { cwd: resolve(__dirname, '../../..'), timeoutMs: 50_000 }));
    expect((await Promise.all(runs)).join('')).toBe('filled\n');
    expect(readdirSync(folder)).toEqual(['broker-1']);
  });
});
