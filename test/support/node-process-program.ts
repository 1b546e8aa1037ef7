/** A process that is one node of a group: it takes, keeps and gives back locks as its parent says, and tells when it did. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { isQuorateError, join } from '@quorate/core';
import type { Candidacy, Lease, Quorate, QuorateEvent, Status } from '@quorate/core';
import { distinctUntilChanged, filter, firstValueFrom, map, takeWhile, toArray } from 'rxjs';
import { notice, serveCommands } from '../../scripts/processes/child-program.ts';
import { connectTo } from '../../scripts/processes/carrier.ts';
import type { Carrier, Connected } from '../../scripts/processes/carrier.ts';
import { openKeeping } from '../../scripts/processes/keeping.ts';
import type { Keeping, Kept } from '../../scripts/processes/keeping.ts';
import { machineTimeMs } from '../../scripts/processes/protocol.ts';

export interface NodeMembership {
  readonly carrier: Carrier;
  readonly group: string;
  readonly node: string;
  readonly voters: readonly string[] | { readonly count: number };
  /** How long to wait for a session. */
  readonly joinTimeoutMs?: number;
  readonly timing?: { readonly heartbeatMs: number; readonly electionTimeoutMs: number };
  readonly sessionTtlMs?: number;
  /** Where a voter keeps its memory. Default nowhere. */
  readonly keeping?: Keeping;
  readonly whenMajorityIsLost?: 'stop' | 'refound';
}

export type NodeNotice =
  | { readonly type: 'granted'; readonly lock: string; readonly token: number; readonly askedAtMs: number; readonly atMs: number }
  /** Not told by a process that dies. */
  | { readonly type: 'over'; readonly token: number; readonly atMs: number; readonly how: 'released' | 'lost' }
  | { readonly type: 'leader'; readonly election: string; readonly leader: string | undefined; readonly token: number | undefined };

export interface GrantedLease {
  readonly token: number;
  readonly previous: string | undefined;
  /** Until when it may be relied on if nothing more is heard. */
  readonly usableUntilMs: number;
}

export interface LeaseLook {
  readonly valid: boolean;
  readonly usableUntilMs: number;
}

export interface NodeView extends Pick<Status, 'role' | 'leader' | 'quorum' | 'session' | 'seat' | 'missing' | 'voters'> {
  readonly sessionsLost: number;
  /** How often the group changed its voters since this process joined. */
  readonly votersChanged: number;
  /** What it had to say as an error, since it began to join. */
  readonly errors: readonly string[];
}

const goodbyeMs = 1_000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

let connected: Connected | undefined;
let quorate: Quorate | undefined;
let kept: Kept | undefined;
let stopped: Promise<QuorateEvent | undefined> | undefined;
let sessionsLost = 0;
let votersChanged = 0;
let errors: string[] = [];
let contention: { readonly stop: AbortController; readonly loops: Promise<PromiseSettledResult<void>[]> } | undefined;
const leases = new Map<number, Lease>();
const candidacies = new Map<string, Candidacy>();

function member(): Quorate {
  if (!quorate) throw new Error('this process is in no group');
  return quorate;
}

function leaseOf(token: number): Lease {
  const lease = leases.get(token);
  if (!lease) throw new Error(`this process has no lease with the token ${token}`);
  return lease;
}

async function take(lock: string, options: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Lease> {
  const askedAtMs = machineTimeMs();
  const lease = await member().lock(lock).acquire(options);
  const { token } = lease;
  leases.set(token, lease);
  tell({ type: 'granted', lock, token, askedAtMs, atMs: machineTimeMs() });
  void lease.lost.then(() => tell({ type: 'over', token, atMs: lastSeenValidMs.get(token) ?? 0, how: 'lost' }));
  return lease;
}

function tell(given: NodeNotice): void {
  void notice(given);
}

/** By token: when the lease was last looked at and found valid. */
const lastSeenValidMs = new Map<number, number>();

function look(lease: Lease): LeaseLook {
  const atMs = machineTimeMs();
  const { valid, remainingMs } = lease;
  if (valid) lastSeenValidMs.set(lease.token, atMs);
  return { valid, usableUntilMs: atMs + remainingMs };
}

/** The end is told before the group hears of it: killed in between, the process has not held it longer than it said. */
async function giveBack(lease: Lease): Promise<'released' | 'lost'> {
  if (look(lease).valid) {
    await notice({ type: 'over', token: lease.token, atMs: machineTimeMs(), how: 'released' } satisfies NodeNotice);
  }
  return lease.release();
}

/** A lost session ends what was held and what was waited for, and the next one is used: that is a user's life too. */
async function contend(locks: readonly string[], signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    try {
      const lease = await take(locks[turn % locks.length] ?? '', { timeoutMs: Infinity, signal });
      // A turn of the event loop under the lock, so that another holder would have time to show.
      await new Promise((resolve) => setImmediate(resolve));
      await giveBack(lease);
    } catch (error) {
      if (!isQuorateError(error, 'SESSION_LOST') && !isQuorateError(error, 'ABORTED')) throw error;
    }
  }
}

const commands = {
  join: async (membership: NodeMembership): Promise<void> => {
    const { carrier, group, node, voters, timing, sessionTtlMs, keeping, joinTimeoutMs: timeoutMs, whenMajorityIsLost } = membership;
    connected ??= await connectTo(carrier, node);
    const { transport } = connected;
    const session = sessionTtlMs === undefined ? undefined : { ttlMs: sessionTtlMs };
    const groupTiming = timing && { ...timing, maxSessionTtlMs: sessionTtlMs };
    kept = keeping && ('count' in voters || voters.includes(node)) ? await openKeeping(keeping, { group, node }) : undefined;
    const storage = kept?.storage;
    sessionsLost = 0;
    votersChanged = 0;
    errors = [];
    const logger = { ...silent, error: (_: object, message: string) => void errors.push(message) };
    // Where the group lives already, its own word counts; and it may have to bury a namesake first.
    const options = { session, timing: groupTiming, firstFounding: true, timeoutMs, logger, whenMajorityIsLost };
    quorate = await join({ group, node, voters, transport, storage, ...options });
    quorate.events$.subscribe((event) => {
      if (event.type === 'sessionLost') sessionsLost += 1;
      if (event.type === 'votersChanged') votersChanged += 1;
    });
    stopped = firstValueFrom(quorate.events$.pipe(filter(({ type }) => type === 'stopped')), { defaultValue: undefined });
  },
  /** Of those who leave together, the last have no majority any more to say goodbye to. */
  leave: async (): Promise<void> => {
    await quorate?.close({ timeoutMs: goodbyeMs });
    quorate = undefined;
    await kept?.close();
    kept = undefined;
    leases.clear();
    candidacies.clear();
  },
  look: (): Promise<NodeView> => {
    const { role, leader, quorum, session, seat, missing, voters } = member().status;
    return Promise.resolve({ role, leader, quorum, session, seat, missing, voters, sessionsLost, votersChanged, errors });
  },
  /** A leader is known that is none of these, and it reaches a majority. */
  whenLed: async ({ notBy }: { readonly notBy: readonly string[] }): Promise<string> => {
    const isLed = ({ leader, quorum }: Status): boolean => leader !== undefined && quorum && !notBy.includes(leader);
    const { leader } = await firstValueFrom(member().status$.pipe(filter(isLed)));
    return leader ?? '';
  },
  whenAllHeard: async (): Promise<void> => {
    await firstValueFrom(member().status$.pipe(filter(({ leader, missing }) => leader !== undefined && missing.length === 0)));
  },
  /** As a readiness probe would see it. */
  whenReady: async (): Promise<void> => {
    await firstValueFrom(member().status$.pipe(filter(({ ready }) => ready)));
  },
  /** It knows that more voters than the group can spare came back without memory. */
  whenMajorityIsKnownLost: async (): Promise<void> => {
    await firstValueFrom(member().status$.pipe(filter(({ majorityLost }) => majorityLost !== undefined)));
  },
  whenConnected: async (): Promise<void> => {
    await firstValueFrom(member().status$.pipe(filter(({ connection, session }) => connection === 'connected' && session === 'healthy')));
  },
  /** Resolves with the code of the error by which this node stopped by itself. */
  whenStopped: async (): Promise<string> => {
    const event = await stopped;
    return event?.type === 'stopped' && isQuorateError(event.error) ? event.error.code : 'not by itself';
  },
  whenDisconnected: async (): Promise<void> => {
    await firstValueFrom(member().status$.pipe(filter(({ connection }) => connection === 'disconnected')));
  },
  /** Resolves, once the session is lost, with what a user would have read of the connection and the session until then, each that differs. */
  seenUntilLost: async (): Promise<string[]> => {
    const seen$ = member().status$.pipe(
      map(({ connection, session }) => `${connection} ${session}`),
      distinctUntilChanged(),
      takeWhile((seen) => !seen.endsWith(' lost'), true),
      toArray(),
    );
    return firstValueFrom(seen$);
  },
  /** Whoever asks in turn is in the queue before the next asks. */
  whenWaiting: async ({ lock, count }: { readonly lock: string; readonly count: number }): Promise<void> => {
    await firstValueFrom(
      member()
        .lock(lock)
        .state$.pipe(filter(({ waiting }) => waiting >= count)),
    );
  },
  acquire: async ({ lock, timeoutMs }: { readonly lock: string; readonly timeoutMs: number }): Promise<GrantedLease> => {
    const lease = await take(lock, { timeoutMs });
    return { token: lease.token, previous: lease.previous, usableUntilMs: look(lease).usableUntilMs };
  },
  release: (token: number): Promise<'released' | 'lost'> => giveBack(leaseOf(token)),
  lookAt: (token: number): Promise<LeaseLook> => Promise.resolve(look(leaseOf(token))),
  /** Works under the lease without a turn of the event loop until the file is there, and looks at the lease before anything else happens. */
  workUntil: ({ token, file }: { readonly token: number; readonly file: string }): Promise<LeaseLook> => {
    const lease = leaseOf(token);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(file)) Atomics.wait(pause, 0, 0, 5);
    return Promise.resolve(look(lease));
  },
  whenLost: async (token: number): Promise<string> => (await leaseOf(token).lost).code,
  /** Resolves with the code of the reason for which the work under the lease was to stop. */
  whenAborted: async (token: number): Promise<string> => {
    const { signal } = leaseOf(token);
    if (!signal.aborted) await once(signal, 'abort');
    return isQuorateError(signal.reason) ? signal.reason.code : String(signal.reason);
  },
  contend: ({ locks, loops }: { readonly locks: readonly string[]; readonly loops: number }): Promise<void> => {
    const stop = new AbortController();
    contention = { stop, loops: Promise.allSettled(Array.from({ length: loops }, () => contend(locks, stop.signal))) };
    return Promise.resolve();
  },
  /** Resolves with what ended loops before their time. */
  rest: async (): Promise<string[]> => {
    contention?.stop.abort();
    const results = (await contention?.loops) ?? [];
    contention = undefined;
    return results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  },
  campaign: ({ election, value }: { readonly election: string; readonly value: string }): Promise<void> => {
    candidacies.set(election, member().election(election).campaign(value));
    return Promise.resolve();
  },
  watchElection: (election: string): Promise<void> => {
    member()
      .election(election)
      .leader$.subscribe(({ leader, token }) => tell({ type: 'leader', election, leader, token }));
    return Promise.resolve();
  },
};

export type NodeCommands = typeof commands;

serveCommands(commands, async () => {
  await quorate?.close({ timeoutMs: goodbyeMs });
  await connected?.close();
});
