/** What a started broker is to a test, an example or a benchmark: addresses, process ids and the ways to hurt it. */
import type { SourceName } from './availability.ts';
import { startKeeper } from './keeper.ts';
import type { Keeper } from './keeper.ts';
import type { Server } from './server.ts';

/** One server of a broker. */
export interface BrokerMember {
  /** `host:port` for clients. */
  readonly address: string;
  /** Of the running process; undefined while it is down and where the process is not ours. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** SIGTERM, then SIGKILL after a deadline. The data stays. */
  stop(): Promise<void>;
  /** SIGKILL. The data stays as it was at that moment. */
  kill(): Promise<void>;
  /** `stop`, then `start`. */
  restart(): Promise<void>;
}

/** `start`, `stop`, `kill` and `restart` act on all members at once. */
export interface Broker extends Omit<BrokerMember, 'address' | 'pid'>, AsyncDisposable {
  readonly source: SourceName;
  readonly version: string;
  readonly members: readonly BrokerMember[];
  readonly pids: readonly number[];
  readonly dataDir: string;
  /** Stops everything and removes the data. */
  close(): Promise<void>;
}

export function serverMember(address: string, server: Server): BrokerMember {
  return {
    address,
    get pid() {
      return server.pid;
    },
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: async () => {
      await server.stop();
      await server.start();
    },
  };
}

/** A server at an address somebody named: it can be used, and only that. */
export function foreignMember(address: string, namedBy: string): BrokerMember {
  const refuse = (): Promise<never> => Promise.reject(new Error(`${address} was named by ${namedBy}: it is not ours to start or stop`));
  return { address, pid: undefined, start: refuse, stop: refuse, kill: refuse, restart: refuse };
}

export interface BrokerParts {
  readonly source: SourceName;
  readonly version: string;
  readonly members: readonly BrokerMember[];
  readonly dataDir: string;
  readonly close: () => Promise<void>;
}

export function brokerOf(parts: BrokerParts): Broker {
  const each = async (act: (member: BrokerMember) => Promise<void>): Promise<void> => {
    await Promise.all(parts.members.map(act));
  };
  return {
    ...parts,
    get pids() {
      return parts.members.flatMap((member) => (member.pid === undefined ? [] : [member.pid]));
    },
    start: () => each((member) => member.start()),
    stop: () => each((member) => member.stop()),
    kill: () => each((member) => member.kill()),
    restart: async () => {
      await each((member) => member.stop());
      await each((member) => member.start());
    },
    [Symbol.asyncDispose]: parts.close,
  };
}

/** Starts all servers or, when one fails, none. */
export async function startAll(servers: readonly Server[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return;
  await Promise.all(servers.map((server) => server.kill()));
  throw failed.reason;
}

/** What was killed may write to the end, and a PATH need not have `rm`. */
const removal = `require('node:fs').rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 10 })`;

/** The keeper of servers that must not outlive this process; none for those that are meant to. */
export function keeperFor(dataDir: string, background: boolean): Keeper | undefined {
  return background ? undefined : startKeeper([process.execPath, '-e', removal, dataDir]);
}
