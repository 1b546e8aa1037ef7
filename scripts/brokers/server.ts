/** One server process: started, awaited until it serves, stopped or killed by its own process id, started again on the same data. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './command.ts';
import type { Keeper } from './keeper.ts';

export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Rejects for as long as the server does not serve yet. */
  readonly probe: () => Promise<void>;
  readonly readyTimeoutMs: number;
  /** Kills the server when this process dies; none for a server that is meant to stay. */
  readonly keeper?: Keeper;
}

const probeEveryMs = 50;
const stopTimeoutMs = 8_000;

export class Server {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  /** While it comes up: whoever starts it meanwhile waits for the same. */
  private starting: Promise<void> | undefined;

  constructor(private readonly options: ServerOptions) {}

  /** Of the running process, if one runs. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves once it serves; rejects if it ends, or is stopped or killed, before. */
  start(): Promise<void> {
    if (this.starting) return this.starting;
    if (this.child) return Promise.resolve();
    this.starting = this.bringUp().finally(() => (this.starting = undefined));
    return this.starting;
  }

  private async bringUp(): Promise<void> {
    this.launch();
    const deadlineMs = performance.now() + this.options.readyTimeoutMs;
    for (;;) {
      if (!this.child) throw new Error(`${this.options.command} ended while it was starting: ${this.logTail()}`);
      const failure = await this.options.probe().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) return;
      if (performance.now() > deadlineMs) {
        await this.kill();
        throw new Error(
          `${this.options.command} did not serve within ${this.options.readyTimeoutMs} ms (${String(failure)}): ${this.logTail()}`,
        );
      }
      await sleep(probeEveryMs);
    }
  }

  /** SIGTERM, then SIGKILL if it takes too long. */
  async stop(): Promise<void> {
    const child = this.child;
    if (!child) return;
    child.ref();
    child.kill('SIGTERM');
    const hurry = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await this.ended;
    clearTimeout(hurry);
  }

  /** SIGKILL at once: no goodbye, nothing flushed. */
  async kill(): Promise<void> {
    this.child?.ref();
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  private launch(): void {
    const log = openSync(this.options.logFile, 'a');
    const child = spawn(this.options.command, this.options.args, {
      env: { ...process.env, ...this.options.env },
      stdio: ['ignore', log, log],
      detached: this.options.keeper === undefined,
    });
    closeSync(log);
    this.child = child;
    this.ended = new Promise((resolve) => {
      const onEnd = (): void => {
        if (child.pid !== undefined) this.options.keeper?.drop(child.pid);
        this.child = undefined;
        resolve();
      };
      child.once('exit', onEnd);
      child.once('error', onEnd);
    });
    if (child.pid !== undefined) this.options.keeper?.add(child.pid);
    // A script that forgets to stop its broker still ends, and the keeper then ends the broker.
    child.unref();
  }

  private logTail(): string {
    return lastLines(readFileSync(this.options.logFile, 'utf8'), 12);
  }
}
