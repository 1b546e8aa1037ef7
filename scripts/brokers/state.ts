/** The brokers that `pnpm brokers up` left running: a file in the cache folder says which, and processes are ended by the ids in it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceName } from './availability.ts';
import { cacheFolder } from './cache.ts';
import { composeFile } from './docker.ts';
import type { ServiceName } from './docker.ts';
import { runCommand } from './command.ts';

export interface RunningBroker {
  readonly source: SourceName;
  readonly version: string;
  readonly addresses: readonly string[];
  readonly pids: readonly number[];
  readonly dataDir: string;
}

export type Running = Partial<Record<ServiceName, RunningBroker>>;

const stopTimeoutMs = 8_000;

export function dataFolder(service: ServiceName): string {
  return join(cacheFolder(), 'running', service);
}

export function readState(): Running {
  const file = stateFile();
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Running) : {};
}

export function writeState(running: Running): void {
  const file = stateFile();
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(running, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** How many of its servers still run: docker's and other people's are taken to. */
export function aliveCount(broker: RunningBroker): number {
  if (broker.pids.length === 0) return broker.addresses.length;
  return broker.pids.filter((pid) => belongsTo(pid, broker.dataDir)).length;
}

export async function endBroker(service: ServiceName, broker: RunningBroker): Promise<void> {
  if (broker.source === 'docker')
    await runCommand('docker', ['compose', '-f', composeFile, '-p', `quorate-${service}`, 'down', '-v'], { timeoutMs: 60_000 });
  const ours = broker.pids.filter((pid) => belongsTo(pid, broker.dataDir));
  for (const pid of ours) process.kill(pid, 'SIGTERM');
  const deadlineMs = performance.now() + stopTimeoutMs;
  while (ours.some((pid) => belongsTo(pid, broker.dataDir))) {
    if (performance.now() > deadlineMs) for (const pid of ours) if (belongsTo(pid, broker.dataDir)) process.kill(pid, 'SIGKILL');
    await sleep(50);
  }
  if (broker.dataDir !== '') rmSync(broker.dataDir, { recursive: true, force: true });
}

/** A process id is used again by the system sooner or later, so it counts only with our folder among its arguments. */
function belongsTo(pid: number, dataDir: string): boolean {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes(dataDir);
  } catch {
    return false;
  }
}

function stateFile(): string {
  return join(cacheFolder(), 'running.json');
}
