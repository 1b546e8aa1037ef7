/** Where fetched brokers are kept: a folder outside version control, filled once however many processes ask at a time. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveBackLock, holderOf, isGone, removeStale, takeLock } from './fill-lock.ts';

const waitForOtherMs = 15 * 60_000;
const pollMs = 250;

export function cacheFolder(): string {
  const chosen = process.env['QUORATE_CACHE'];
  if (chosen) return chosen;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'quorate', 'brokers');
}

/**
 * The folder `name` of the cache, filled by `fill` if it is not there yet. It appears by one rename, so it is whole or
 * absent; a lock makes a second process wait for the first instead of fetching the same again.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  const lock = `${folder}.lock`;
  const deadlineMs = performance.now() + waitForOtherMs;
  while (!takeLock(lock)) {
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (isGone(holder)) removeStale(lock, holder);
    else await sleep(pollMs);
    if (existsSync(folder)) return folder;
    if (performance.now() > deadlineMs)
      throw new Error(`another process has been filling ${folder} for too long; remove ${lock} if none does`);
  }
  try {
    // The one that held the lock before may have filled the folder between the first look and the lock.
    if (!existsSync(folder)) await fillByRename(folder, fill);
    return folder;
  } finally {
    giveBackLock(lock);
  }
}

async function fillByRename(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = mkdtempSync(`${folder}.part-`);
  try {
    await fill(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
