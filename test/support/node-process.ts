/** Nodes in processes of their own, for tests that kill them: what each held is kept, so that a test can judge it at the end. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildProcess } from '../../scripts/processes/child-process.ts';
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { machineTimeMs } from '../../scripts/processes/protocol.ts';
import type { Hold } from './hold-history.ts';
import type { GrantedLease, LeaseLook, NodeCommands, NodeMembership, NodeNotice, NodeView } from './node-process-program.ts';

/** Generous: a test fails by what it sees, not by how long a loaded machine takes. */
const deadlineMs = 120_000;

export interface GroupSettings extends Pick<
  NodeMembership,
  'timing' | 'sessionTtlMs' | 'keeping' | 'joinTimeoutMs' | 'whenMajorityIsLost'
> {
  readonly carrier: Carrier;
  readonly group: string;
  readonly voters: NodeMembership['voters'];
}

interface OpenHold {
  readonly lock: string;
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  endedAtMs: number | null;
  how: 'released' | 'lost' | 'killed' | null;
}

export class NodeProcess {
  private child: ChildProcess<NodeCommands, NodeNotice> | undefined;
  private readonly held = new Map<number, OpenHold>();
  private readonly watchers = new Set<() => void>();
  private settings: GroupSettings | undefined;
  /** What `watchElection` reported, in order. */
  readonly leaders: { readonly leader: string | undefined; readonly token: number | undefined }[] = [];

  constructor(readonly name: string) {}

  async start(): Promise<void> {
    if (this.child?.isRunning) return;
    this.child = await ChildProcess.start<NodeCommands, NodeNotice>({
      program: join(__dirname, 'node-process-program.ts'),
      name: this.name,
      onNotice: (notice) => this.onNotice(notice),
    });
  }

  async join(settings: GroupSettings): Promise<void> {
    this.settings = settings;
    await this.ask('join', { ...settings, node: this.name });
  }

  /** The group it is in, or was in last. */
  get joined(): GroupSettings {
    if (!this.settings) throw new Error(`${this.name} was in no group`);
    return this.settings;
  }

  acquire(lock: string, timeoutMs = deadlineMs): Promise<GrantedLease> {
    return this.running.request('acquire', { lock, timeoutMs });
  }

  /** Takes locks and gives them back for so long, while the voters vote and report. */
  async workFor(forMs: number): Promise<void> {
    const endMs = machineTimeMs() + forMs;
    while (machineTimeMs() < endMs) await this.release((await this.acquire('work')).token);
  }

  release(token: number): Promise<'released' | 'lost'> {
    return this.ask('release', token);
  }

  lookAt(token: number): Promise<LeaseLook> {
    return this.ask('lookAt', token);
  }

  look(): Promise<NodeView> {
    return this.ask('look', undefined);
  }

  /** Any other command, within the deadline. */
  async ask<K extends keyof NodeCommands>(
    name: K,
    argument: Parameters<NodeCommands[K]>[0],
  ): Promise<Awaited<ReturnType<NodeCommands[K]>>> {
    const patience = new AbortController();
    const late = delay(deadlineMs, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`${this.name} did not answer "${name}" within ${deadlineMs} ms`);
    });
    try {
      return await Promise.race([this.running.request(name, argument), late]);
    } finally {
      patience.abort();
      late.catch(() => undefined);
    }
  }

  /** SIGKILL; what it held, it held until the signal was sent. */
  async kill(): Promise<void> {
    const atMs = await this.running.kill();
    for (const hold of this.held.values()) if (hold.how === null) Object.assign(hold, { endedAtMs: atMs, how: 'killed' });
  }

  pause(): void {
    this.running.pause();
  }

  resume(): void {
    this.running.resume();
  }

  /** A process under the same name, with nothing in its memory but what its storage kept. */
  async rejoin(): Promise<void> {
    await this.start();
    await this.join(this.joined);
  }

  async leave(): Promise<void> {
    if (this.child?.isRunning) await this.ask('leave', undefined);
  }

  async end(): Promise<void> {
    await this.child?.end();
  }

  /** Leases that ended by themselves. */
  get losses(): number {
    return [...this.held.values()].filter(({ how }) => how === 'lost').length;
  }

  get holds(): Hold[] {
    const nowMs = machineTimeMs();
    return Array.from(this.held, ([token, { lock, askedAtMs, grantedAtMs, endedAtMs }]) => ({
      node: this.name,
      lock,
      token,
      askedAtMs,
      grantedAtMs,
      // One that was never given up counts as held only when it was granted: nobody looked since.
      heldUntilMs: Math.max(grantedAtMs, Math.min(nowMs, endedAtMs ?? grantedAtMs)),
    }));
  }

  /** Resolves once it has been granted so many leases. */
  whenGranted(count: number): Promise<void> {
    return this.when(() => this.held.size >= count, `${count} grants at ${this.name}`);
  }

  whenLeaderSeen(isSo: (seen: NodeProcess['leaders']) => boolean, what: string): Promise<void> {
    return this.when(() => isSo(this.leaders), what);
  }

  forget(): void {
    this.held.clear();
    this.leaders.length = 0;
  }

  private when(isSo: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new Error(`waited ${deadlineMs} ms in vain for ${what}`));
      }, deadlineMs);
      const watcher = (): void => {
        if (!isSo()) return;
        clearTimeout(late);
        this.watchers.delete(watcher);
        resolve();
      };
      this.watchers.add(watcher);
      watcher();
    });
  }

  private get running(): ChildProcess<NodeCommands, NodeNotice> {
    if (!this.child?.isRunning) throw new Error(`${this.name} does not run`);
    return this.child;
  }

  private onNotice(notice: NodeNotice): void {
    switch (notice.type) {
      case 'granted':
        this.held.set(notice.token, {
          lock: notice.lock,
          askedAtMs: notice.askedAtMs,
          grantedAtMs: notice.atMs,
          endedAtMs: null,
          how: null,
        });
        break;
      case 'over': {
        const hold = this.held.get(notice.token);
        if (hold && hold.how === null) Object.assign(hold, { endedAtMs: notice.atMs, how: notice.how });
        break;
      }
      case 'leader':
        this.leaders.push({ leader: notice.leader, token: notice.token });
        break;
    }
    for (const watcher of [...this.watchers]) watcher();
  }
}
