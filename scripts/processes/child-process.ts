/** A child process as its parent sees it: started from the project's sources, asked over IPC, and hurt by its own process id. */
import { fork } from 'node:child_process';
import type { ChildProcess as NodeChild } from 'node:child_process';
import { machineTimeMs } from './protocol.ts';
import type { AnswerOf, ArgumentOf, ChildMessage, Commands, Failure, RequestMessage } from './protocol.ts';

export interface ChildOptions<Notice> {
  /** The child's TypeScript file; it calls `serveCommands`. */
  readonly program: string;
  /** For messages about it. */
  readonly name: string;
  readonly args?: readonly string[];
  /** Flags of the child's own node, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  readonly onNotice?: (notice: Notice) => void;
}

/** A request that failed in the child, or whose child ended. */
export class ChildFailure extends Error {
  readonly code: string | undefined;

  constructor(name: string, { message, code }: Failure) {
    super(`${name}: ${message}`);
    this.code = code;
  }
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const stderrKeptChars = 4_000;
const endTimeoutMs = 10_000;

export class ChildProcess<C extends Commands, Notice = never> {
  private readonly child: NodeChild;
  private readonly asked = new Map<number, Asked>();
  private readonly ready: Promise<void>;
  private nextId = 1;
  private stderr = '';
  private hasEnded = false;
  /** Resolves when the process is gone, with how it went: `code 0`, a signal, or a code and what it complained of. */
  readonly ended: Promise<string>;

  static async start<C extends Commands, Notice = never>(options: ChildOptions<Notice>): Promise<ChildProcess<C, Notice>> {
    const child = new ChildProcess<C, Notice>(options);
    await child.ready;
    return child;
  }

  private constructor(private readonly options: ChildOptions<Notice>) {
    const { program, args = [], nodeArgs = [] } = options;
    this.child = fork(program, args, {
      execArgv: ['-C', 'quorate-source', '-r', 'ts-node/register', ...nodeArgs],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr = (this.stderr + text).slice(-stderrKeptChars)));
    let onReady: Asked | undefined;
    this.ready = new Promise((resolve, reject) => (onReady = { resolve: () => resolve(), reject }));
    this.child.on('message', (message: unknown) => this.onMessage(message as ChildMessage, () => onReady?.resolve(undefined)));
    this.ended = new Promise((resolve) => {
      const onEnd = (how: string): void => {
        if (this.hasEnded) return;
        this.hasEnded = true;
        const complaint = this.stderr === '' ? '' : `\n${this.stderr}`;
        const error = new ChildFailure(options.name, { message: `the process ended (${how})${complaint}`, code: 'ENDED' });
        onReady?.reject(error);
        for (const { reject } of this.asked.values()) reject(error);
        this.asked.clear();
        resolve(how === 'code 0' ? how : `${how}${complaint}`);
      };
      // What a killed child had said before may still be on its way at `exit`. After a parting of ours nothing is, nor does `close` come.
      this.child.once('close', (code, signal) => onEnd(signal ?? `code ${code}`));
      this.child.once('exit', (code, signal) => !this.child.connected && onEnd(signal ?? `code ${code}`));
      this.child.once('error', (error) => onEnd(error.message));
    });
  }

  get name(): string {
    return this.options.name;
  }

  get isRunning(): boolean {
    return !this.hasEnded;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  request<K extends keyof C & string>(name: K, argument: ArgumentOf<C, K>): Promise<AnswerOf<C, K>> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) return reject(new ChildFailure(this.name, { message: 'the process has ended', code: 'ENDED' }));
      const id = this.nextId++;
      this.asked.set(id, { resolve: (value) => resolve(value as AnswerOf<C, K>), reject });
      this.child.send({ type: 'request', id, name, argument } satisfies RequestMessage, (error) => {
        if (error && this.asked.delete(id)) reject(error);
      });
    });
  }

  /** SIGKILL. Resolves once the process is gone, with the moment before the signal was sent. */
  async kill(): Promise<number> {
    const atMs = machineTimeMs();
    this.child.kill('SIGKILL');
    await this.ended;
    return atMs;
  }

  /** SIGTERM: the process is asked to go, and has the time it takes. */
  terminate(): void {
    this.child.kill('SIGTERM');
  }

  /** SIGSTOP: the process does not run, and does not know that it does not. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Lets it go in good order; a child that does not is killed. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.resume();
    const hurry = setTimeout(() => this.child.kill('SIGKILL'), endTimeoutMs);
    if (this.child.connected) this.child.disconnect();
    await this.ended;
    clearTimeout(hurry);
  }

  private onMessage(message: ChildMessage, onReady: () => void): void {
    switch (message.type) {
      case 'ready':
        return onReady();
      case 'notice':
        return this.options.onNotice?.(message.notice as Notice);
      case 'answer':
        return this.take(message.id)?.resolve(message.value);
      case 'failure':
        return this.take(message.id)?.reject(new ChildFailure(this.name, message.failure));
    }
  }

  private take(id: number): Asked | undefined {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    return asked;
  }
}
