/** A process under chaos: it joins one group after another through its own wire, works, and says who leads. */
import { isQuorateError, join } from '@quorate/core';
import type { JoinOptions, LockInfo, Quorate, Status } from '@quorate/core';
import { distinctUntilChanged, filter, firstValueFrom, map, timeout } from 'rxjs';
import { readinessOf } from '../../examples/15-readiness/readiness.ts';
import type { Verdict } from '../../examples/15-readiness/readiness.ts';
import type { Connected } from '../processes/carrier.ts';
import { notice, serveCommands } from '../processes/child-program.ts';
import { connectThrough } from './connection.ts';
import type { Wire } from './connection.ts';
import { goOnSigterm } from './going.ts';
import { StoreClient } from './guarded-store.ts';
import { HistoryRecorder, machineTimeNs } from './history.ts';
import { blockLoop, StopPoint } from './stop-point.ts';
import type { Standing, StopOrder } from './stop-point.ts';
import type { ChaosTiming } from './timing.ts';
import { Workload } from './workload.ts';
import type { Work } from './workload.ts';

export interface ChaosMembership {
  readonly wire: Wire;
  readonly group: string;
  readonly node: string;
  readonly voters: JoinOptions['voters'];
  readonly standby: boolean;
  readonly timing: ChaosTiming;
  readonly storePort: number;
  /** The name in the history: a node that was killed comes back under another. */
  readonly author: string;
  readonly historyFile: string;
}

export type ChaosNotice = { readonly type: 'leader'; readonly leader: string | undefined; readonly atNs: number };

export interface RecoveryOrder extends Pick<Work, 'locks' | 'election'> {
  readonly withinMs: number;
}

/** What a process knows of its group. */
export interface Look {
  readonly probe: Verdict;
  readonly configuration: number;
  readonly voters: readonly string[];
  /** Voters that the leader does not hear. */
  readonly unheard: readonly string[];
}

const goodbyeMs = 1_000;

let connected: Connected | undefined;
let store: StoreClient | undefined;
let quorate: Quorate | undefined;
let recorder: HistoryRecorder | undefined;
let workload: Workload | undefined;
const stopPoint = new StopPoint();

function member(): Quorate {
  if (!quorate) throw new Error('this process is in no group');
  return quorate;
}

/** One that starts into a broken world tries again: so does a pod. */
async function joinUntilIn(membership: ChaosMembership, transport: Connected['transport']): Promise<Quorate> {
  const { group, node, voters, standby, timing } = membership;
  const { heartbeatMs, electionTimeoutMs, sessionTtlMs } = timing;
  for (;;) {
    try {
      return await join({
        group,
        node,
        voters,
        standby,
        transport,
        session: { ttlMs: sessionTtlMs },
        timing: { heartbeatMs, electionTimeoutMs, maxSessionTtlMs: sessionTtlMs },
        firstFounding: true,
      });
    } catch (error) {
      if (!isQuorateError(error) || !error.retriable) throw error;
    }
  }
}

const commands = {
  join: async (membership: ChaosMembership): Promise<void> => {
    connected ??= await connectThrough(membership.wire, membership.node);
    store ??= new StoreClient(membership.storePort);
    recorder = new HistoryRecorder(membership.historyFile, { process: membership.author, group: membership.group });
    quorate = await joinUntilIn(membership, connected.transport);
    quorate.status$
      .pipe(
        map(({ leader }) => leader),
        distinctUntilChanged(),
      )
      .subscribe((leader) => void notice({ type: 'leader', leader, atNs: machineTimeNs() } satisfies ChaosNotice));
  },
  whenAllHeard: async (): Promise<string> => {
    const isWhole = ({ leader, missing }: Status): boolean => leader !== undefined && missing.length === 0;
    return (await firstValueFrom(member().status$.pipe(filter(isWhole)))).leader ?? '';
  },
  /** As a readiness probe would see it. */
  whenReady: async (withinMs: number): Promise<void> => {
    try {
      await firstValueFrom(
        member().status$.pipe(
          filter(({ ready }) => ready),
          timeout(withinMs),
        ),
      );
    } catch (cause) {
      throw new Error(`not ready within ${withinMs} ms: ${member().status.text}`, { cause });
    }
  },
  /** What its readiness probe would answer, and who votes as far as it knows. */
  look: (): Promise<Look> => {
    const { configuration, voters } = member().members;
    const unheard = voters.filter(({ heard }) => !heard).map(({ node }) => node);
    return Promise.resolve({ probe: readinessOf(member().status), configuration, voters: voters.map(({ node }) => node), unheard });
  },
  work: (work: Work): Promise<void> => {
    if (!store || !recorder) throw new Error('this process is in no group');
    workload = new Workload({ quorate: member(), store, recorder, stopPoint }, work);
    return Promise.resolve();
  },
  stopAtPoint: (order: StopOrder): Promise<Standing | undefined> => stopPoint.order(order),
  /** Answers first. */
  block: (forMs: number): Promise<void> => {
    setTimeout(() => blockLoop(forMs), 5);
    return Promise.resolve();
  },
  rest: async (): Promise<void> => {
    await workload?.stop();
    workload = undefined;
  },
  /** Has every lock once and leads once; rejects with the first that could not be had. */
  recover: async ({ locks, election, withinMs }: RecoveryOrder): Promise<void> => {
    for (const lock of locks) await (await member().lock(lock).acquire({ timeoutMs: withinMs })).release();
    await member()
      .election(election)
      .lead(() => undefined, { timeoutMs: withinMs });
  },
  /** The locks that are held or waited for though nobody uses them, after `withinMs` at the latest. */
  orphans: async ({ locks, withinMs }: { readonly locks: readonly string[]; readonly withinMs: number }): Promise<LockInfo[]> => {
    const busy = await Promise.all(locks.map((lock) => whenFree(lock, withinMs)));
    return busy.flatMap((info) => (info ? [info] : []));
  },
  status: (): Promise<string> => Promise.resolve(quorate ? quorate.status.text : 'in no group'),
  leave: async (): Promise<void> => {
    await quorate?.close({ timeoutMs: goodbyeMs });
    quorate = undefined;
    recorder?.close();
    recorder = undefined;
  },
};

async function whenFree(lock: string, withinMs: number): Promise<LockInfo | undefined> {
  let last: LockInfo | undefined;
  const isFree = (info: LockInfo): boolean => {
    last = info;
    return !info.held && info.waiting === 0;
  };
  try {
    await firstValueFrom(member().lock(lock).state$.pipe(filter(isFree), timeout(withinMs)));
    return undefined;
  } catch {
    return last ?? { name: lock, held: false, holders: [], token: undefined, queue: ['unknown'], waiting: NaN, note: undefined };
  }
}

goOnSigterm(async (timeoutMs) => {
  await workload?.stop();
  const left = await quorate?.close({ timeoutMs });
  await connected?.close();
  if (left && !left.drained) throw new Error(`it left ${left.lapsed.join(', ')} to lapse`);
});

export type ChaosCommands = typeof commands;

serveCommands(commands, async () => {
  await quorate?.close({ timeoutMs: goodbyeMs });
  await connected?.close();
});
