/**
 * The lock of whoever fills a folder of the cache: a file that says who holds it, whole from the moment it is there, so that one whose
 * holder died is known as such at once, and taken away exactly once.
 */
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface Holder {
  /** Of this one taking: a process may take the lock again. */
  readonly id: string;
  readonly pid: number;
  /** When the process began, as the system says it: a process id is used again. Empty where the system does not say. */
  readonly began: string;
}

/** Undefined where another holds it. */
export function takeLock(lock: string): Holder | undefined {
  const holder: Holder = { id: randomUUID(), pid: process.pid, began: beganOf(process.pid) };
  const written = `${lock}.${holder.id}`;
  writeFileSync(written, JSON.stringify(holder));
  try {
    // A link is made whole or, where the name is taken, not at all.
    linkSync(written, lock);
    return holder;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return undefined;
  } finally {
    rmSync(written, { force: true });
  }
}

/** Only for the lock's living holder: nobody else takes away the lock of a process that lives. */
export function giveBackLock(lock: string): void {
  rmSync(lock, { force: true });
}

/** What stands in the lock: null where that is nothing a holder writes, undefined where there is no lock. */
export function holderOf(lock: string): Holder | null | undefined {
  try {
    const { id, pid, began } = JSON.parse(readFileSync(lock, 'utf8')) as Partial<Holder>;
    if (typeof id !== 'string' || typeof pid !== 'number' || typeof began !== 'string') return null;
    return { id, pid, began };
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : null;
  }
}

/** Nobody is between two steps here: a lock without a holder's words is of nobody. */
export function isGone(holder: Holder | null): boolean {
  return holder === null || beganOf(holder.pid) !== holder.began || !isAlive(holder.pid);
}

/**
 * Takes the lock away if it is still the one of `seen`, whose holder is gone; another that stands there by now stays. One at a time may
 * take away the lock of one holder, by a lock of its own with that holder's name: between the look and the removal nothing changes.
 */
export function removeStale(lock: string, seen: Holder | null): void {
  const claim = `${lock}.${seen?.id ?? 'nobody'}`;
  if (!takeLock(claim)) {
    const claimant = holderOf(claim);
    if (claimant !== undefined && isGone(claimant)) removeStale(claim, claimant);
    return;
  }
  try {
    const found = holderOf(lock);
    if (found !== undefined && found?.id === seen?.id) rmSync(lock, { recursive: true, force: true });
  } finally {
    giveBackLock(claim);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Empty for a process that is not there. */
function beganOf(pid: number): string {
  try {
    if (!existsSync('/proc/self/stat')) return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold blanks; the start is the 22nd field of all, in ticks since the system booted.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
