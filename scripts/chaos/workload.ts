/** What a process does all through an episode: contends for locks, writes under them, runs for an election, and records each step. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isQuorateError } from '@quorate/core';
import type { Lease, LockInfo, Quorate, Term } from '@quorate/core';
import type { Subscription } from 'rxjs';
import type { StoreClient } from './guarded-store.ts';
import type { HistoryRecorder } from './history.ts';
import { machineTimeNs } from './history.ts';
import type { StopPoint } from './stop-point.ts';

export interface Work {
  readonly locks: readonly string[];
  readonly election: string;
  readonly patienceMs: number;
  /** Some turns take this long at most: longer than a session that is not kept alive. */
  readonly longHoldMs: number;
}

export interface WorkloadParts {
  readonly quorate: Quorate;
  readonly store: StoreClient;
  readonly recorder: HistoryRecorder;
  readonly stopPoint: StopPoint;
}

const holdMsMax = 30;
const longHoldShare = 0.04;
const ownLockPauseMs = 100;
const afterFailureMs = 50;
const lookMs = 200;

export class Workload {
  private readonly stopping = new AbortController();
  private readonly watches: Subscription[] = [];
  private readonly waits = new Map<string, Wait>();
  private readonly loops: Promise<void>[];

  constructor(
    private readonly parts: WorkloadParts,
    private readonly work: Work,
  ) {
    for (const lock of work.locks)
      this.watches.push(parts.quorate.lock(lock).state$.subscribe((info) => this.waits.get(lock)?.onState(info)));
    // A lock that nobody else wants: how soon it is granted says how soon the group serves again.
    const own = `own-${parts.quorate.node}`;
    const locks = work.locks.map((lock) => this.repeat(() => this.contend(lock), afterFailureMs));
    this.loops = [
      ...locks,
      this.repeat(() => this.takeOwn(own), ownLockPauseMs),
      this.repeat(() => this.lead(work.election), afterFailureMs),
    ];
  }

  /** Withdraws what waits, gives back what is held, and resolves when nothing is left. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
    for (const watch of this.watches) watch.unsubscribe();
  }

  private async repeat(turn: () => Promise<void>, pauseMs: number): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await turn();
      await sleep(pauseMs * Math.random(), undefined, { signal }).catch(() => undefined);
    }
  }

  private async contend(lock: string): Promise<void> {
    const { store, recorder, stopPoint } = this.parts;
    const lease = await this.acquire(lock);
    if (!lease) return;
    const { token } = lease;
    const reading = recorder.begin({ op: 'read', key: lock, token });
    reading.end({ ok: true, value: await store.read(lock) });
    if (Math.random() < longHoldShare) await this.linger(lock, lease);
    // The check, the point where time may pass, and the write of somebody who has not heard of tokens.
    const validUntil = validUntilOf(lease);
    if (validUntil !== undefined) {
      await stopPoint.pass({ lock, token }, holdMsMax * Math.random());
      const value = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
      const writing = recorder.begin({ op: 'write', key: lock, token, value, validUntil });
      const accepted = await store.write({ key: lock, token, value });
      writing.end(accepted ? { ok: true } : { ok: false, error: 'STALE_TOKEN' });
    }
    await this.release(lock, lease);
  }

  /** Holds on for as long as the lease does, and says so with each look at the register. */
  private async linger(lock: string, lease: Lease): Promise<void> {
    const { store, recorder } = this.parts;
    const untilMs = performance.now() + Math.random() * this.work.longHoldMs;
    while (performance.now() < untilMs && !this.stopping.signal.aborted) {
      const validUntil = validUntilOf(lease);
      if (validUntil === undefined) return;
      const reading = recorder.begin({ op: 'read', key: lock, token: lease.token, validUntil });
      reading.end({ ok: true, value: await store.read(lock) });
      await sleep(lookMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async takeOwn(lock: string): Promise<void> {
    const lease = await this.acquire(lock);
    if (lease) await this.release(lock, lease);
  }

  /** Most are patient; some give up soon, by their deadline or by a signal, so that queues are left from every place. */
  async acquire(lock: string, patienceMs = this.patience()): Promise<Lease | undefined> {
    const { quorate, recorder } = this.parts;
    const wait = this.waits.get(lock) ?? new Wait(quorate.node);
    this.waits.set(lock, wait);
    wait.begin();
    const call = recorder.begin({ op: 'acquire', key: lock });
    try {
      const lease = await quorate.lock(lock).acquire({ timeoutMs: patienceMs, signal: this.stopping.signal });
      const { token } = lease;
      call.end({ ok: true, token, ...defined({ validUntil: validUntilOf(lease), queuedAt: wait.queuedAtNs }) });
      wait.end(token);
      void lease.lost.then(() => recorder.moment({ op: 'lost', key: lock, token }));
      return lease;
    } catch (error) {
      call.end({ ok: false, error: codeOf(error) });
      wait.end(undefined);
      return undefined;
    }
  }

  async release(lock: string, lease: Lease): Promise<void> {
    const call = this.parts.recorder.begin({ op: 'release', key: lock, token: lease.token });
    try {
      const how = await lease.release();
      call.end(how === 'released' ? { ok: true } : { ok: false, error: 'LOST' });
    } catch (error) {
      call.end({ ok: false, error: codeOf(error) });
    }
  }

  private async lead(election: string): Promise<void> {
    const { quorate, recorder } = this.parts;
    const call = recorder.begin({ op: 'lead', key: election });
    let unlead: ReturnType<HistoryRecorder['begin']> | undefined;
    try {
      await quorate.election(election).lead(
        async (term) => {
          call.end({ ok: true, token: term.token, ...defined({ validUntil: validUntilOf(term) }) });
          void term.lost.then(() => recorder.moment({ op: 'lost', key: election, token: term.token }));
          await this.serve(election, term);
          unlead = recorder.begin({ op: 'unlead', key: election, token: term.token });
        },
        { timeoutMs: this.work.patienceMs, signal: this.stopping.signal },
      );
      unlead?.end({ ok: true });
    } catch (error) {
      (unlead ?? call).end({ ok: false, error: codeOf(error) });
    }
  }

  /** Leads for a while, and says again and again for how long it still may. */
  private async serve(election: string, term: Term): Promise<void> {
    const untilNs = machineTimeNs() + Math.random() * this.work.longHoldMs * 1e6;
    while (machineTimeNs() < untilNs && !this.stopping.signal.aborted) {
      const validUntil = validUntilOf(term);
      if (validUntil === undefined) return;
      this.parts.recorder.moment({ op: 'lead', key: election, token: term.token, validUntil, renewal: true });
      await sleep(lookMs, undefined, { signal: AbortSignal.any([this.stopping.signal, term.signal]) }).catch(() => undefined);
    }
  }

  private patience(): number {
    return Math.random() < 0.15 ? 10 + Math.random() * 400 : this.work.patienceMs;
  }
}

/**
 * Whether the group had this process in the queue, and by when. What is watched comes late, so a place counts only where the lock
 * has been granted to somebody since this process was last granted it, and nothing it asked for in between failed.
 */
class Wait {
  queuedAtNs: number | undefined;
  private lastToken: number | undefined;
  private pending = false;

  constructor(private readonly node: string) {}

  begin(): void {
    this.queuedAtNs = undefined;
    this.pending = true;
  }

  end(token: number | undefined): void {
    this.lastToken = token;
    this.pending = false;
  }

  onState({ token, queue }: LockInfo): void {
    if (!this.pending || this.queuedAtNs !== undefined || this.lastToken === undefined || token === undefined) return;
    if (token > this.lastToken && queue.includes(this.node)) this.queuedAtNs = machineTimeNs();
  }
}

/** The clock is read first: what is claimed is never more than what the lease said. */
function validUntilOf(lease: Lease): number | undefined {
  const nowNs = machineTimeNs();
  const { remainingMs } = lease;
  return remainingMs > 0 ? Math.floor(nowNs + remainingMs * 1e6) : undefined;
}

function codeOf(error: unknown): string {
  return isQuorateError(error) ? error.code : String(error);
}

function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}
