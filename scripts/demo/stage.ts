/** The demo's threads and what they report: who lives, who leads, who holds the lock. */
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GuardedStore } from './guarded-store.ts';
import { HoldRecord } from './hold-record.ts';
import type { FromThread, ThreadOptions, ToThread } from './thread-message.ts';

/** Something the demo waits for did not come: the demo fails, it never hangs. */
const patienceMs = 60_000;

export class Stage {
  readonly store = new GuardedStore();
  readonly holds = new HoldRecord();
  readonly elected: { readonly node: string; readonly token: number }[] = [];
  readonly joined = new Set<string>();
  readonly done = new Set<string>();
  leader = '';
  leaderChanges = 0;
  lateWrite: { readonly node: string; readonly token: number } | undefined;
  holder: { readonly node: string; readonly token: number } | undefined;
  failure: string | undefined;
  private readonly threads = new Map<string, Worker>();
  private readonly changed = new EventEmitter();

  constructor(private readonly say: (line: string) => void) {}

  start(options: ThreadOptions): void {
    const worker = new Worker(join(__dirname, 'node-thread.ts'), {
      workerData: options,
      execArgv: ['-C', 'quorate-source', '-r', 'ts-node/register'],
    });
    this.threads.set(options.node, worker);
    worker.on('message', (message: FromThread) => {
      this.onMessage(message);
      this.changed.emit('change');
    });
    worker.on('error', (error) => {
      this.failure = `${options.node}: ${error.message}`;
      this.changed.emit('change');
    });
  }

  order(node: string, message: ToThread): void {
    this.threads.get(node)?.postMessage(message);
  }

  /** Without warning, as a pod is killed. */
  async terminate(node: string): Promise<void> {
    await this.threads.get(node)?.terminate();
    this.threads.delete(node);
    this.holds.terminated(node, process.hrtime.bigint());
    if (this.leader === node) this.leader = '';
  }

  async terminateAll(): Promise<void> {
    await Promise.all([...this.threads.keys()].map((node) => this.terminate(node)));
  }

  get living(): readonly string[] {
    return [...this.threads.keys()];
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    while (!holds()) {
      if (this.failure) throw new Error(this.failure);
      await once(this.changed, 'change', { signal }).catch(() => {
        throw new Error(`Not within ${patienceMs / 1000} s: ${what}.`);
      });
    }
  }

  private onMessage(message: FromThread): void {
    switch (message.type) {
      case 'joined':
        this.joined.add(message.node);
        return this.noteRole(message.node, message.leads);
      case 'role':
        return this.noteRole(message.node, message.leads);
      case 'elected':
        this.say(line(`★ ${message.node} is the reporter`, message.token, this.elected.at(-1)?.token));
        this.elected.push(message);
        return;
      case 'granted':
        this.holder = message;
        this.holds.granted(message.node, message.token, message.atNs);
        return;
      case 'released':
        return this.holds.released(message.token, message.atNs);
      case 'write':
        if (message.late) this.lateWrite = message;
        else this.write(message.node, message.token);
        return;
      case 'done':
        this.done.add(message.node);
        return;
      case 'failed':
        this.failure = `${message.node}: ${message.error}`;
    }
  }

  write(node: string, token: number): void {
    const last = this.store.fence;
    const what = this.store.write(token) ? `✔ ${node} wrote under invoice:42` : `✘ ${node}'s late write is refused`;
    this.say(line(what, token, last === 0 ? undefined : last));
  }

  private noteRole(node: string, leads: boolean): void {
    if (!leads || this.leader === node || !this.threads.has(node)) return;
    this.leader = node;
    this.leaderChanges += 1;
    this.say(`  ● ${node} leads the group`);
  }
}

/** What happened under a token, beside the last token of the same lock or election. */
function line(what: string, token: number, last: number | undefined): string {
  const beside = last === undefined ? 'the first' : `${token > last ? 'above' : 'BELOW'} the last, ${last}`;
  return `  ${what.padEnd(37)}token ${token}, ${beside}`;
}
