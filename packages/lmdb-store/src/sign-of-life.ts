/**
 * Whether the process that has a folder still lives. It listens on a socket that the kernel closes with it, however it ends: that holds
 * across containers that share the folder, where process numbers say nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who has a folder, in words that are written into it. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly socket: string;
  /** The machine's start and the space in which `pid` counts; empty where the system does not say. */
  readonly space: string;
  /** When the process began, by the machine's own count; empty where the system does not say. */
  readonly birth: string;
}

export interface SignOfLife {
  readonly owner: Owner;
  /** Resolves when it is dead to others. */
  end(): Promise<void>;
}

/** Those of this process. */
const living = new Set<string>();

/** The name of a socket in the file system has no room for more. */
const socketPathMax = 100;
/** Whoever accepts no connection for so long is alive, and stopped or very busy. */
const patienceMs = 2_000;

export async function showLife(folder: string): Promise<SignOfLife> {
  const socket = socketIn(folder);
  // Whoever connects has its answer by that alone.
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  server.unref();
  const since = new Date().toISOString();
  const owner = { pid: process.pid, host: hostname(), since, socket, space: pidSpace(), birth: birthOf(process.pid) };
  living.add(socket);
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      living.delete(socket);
      server.close(() => resolve());
    });
  return { owner, end };
}

/** True also where it cannot be told: a living process must not lose its folder. */
export async function isAlive(owner: Owner): Promise<boolean> {
  const refusal = await refusalOf(owner.socket);
  if (refusal === 'ECONNREFUSED') return false;
  if (refusal !== 'ENOENT') return true;
  // The socket is gone, as after a clean end; or somebody tidied up under a living process of this machine.
  const isHere = owner.space !== '' && owner.space === pidSpace() && owner.birth !== '' && birthOf(owner.pid) === owner.birth;
  return isHere && (owner.pid !== process.pid || living.has(owner.socket));
}

/** What a process that died left behind. */
export function buryRemains({ socket }: Owner): void {
  if (!socket.startsWith('\\\\')) rmSync(socket, { force: true });
}

function socketIn(folder: string): string {
  const nonce = randomBytes(4).toString('hex');
  if (process.platform === 'win32') return `\\\\.\\pipe\\quorate-${nonce}`;
  const real = realpathSync(folder);
  const inside = join(real, `run-${nonce}.sock`);
  if (Buffer.byteLength(inside) <= socketPathMax) return inside;
  const place = createHash('sha256').update(real).digest('hex').slice(0, 16);
  return join(tmpdir(), `quorate-${place}-${nonce}.sock`);
}

/** Null if it was accepted. */
function refusalOf(socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const timer = setTimeout(() => settle('ETIMEDOUT'), patienceMs);
    const settle = (refusal: string | null): void => {
      clearTimeout(timer);
      connection.destroy();
      resolve(refusal);
    };
    connection.once('connect', () => settle(null));
    connection.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'unknown'));
  });
}

function pidSpace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may hold anything, brackets and blanks too.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
