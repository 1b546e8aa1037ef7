/** Groups of several instances in one process over an in-memory bus, with fast timing, closed after each test. */
import { firstValueFrom, filter, timeout } from 'rxjs';
import type { Observable } from 'rxjs';
import { join } from '../../src/api/join.ts';
import type { JoinOptions } from '../../src/api/join-options.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { ErrorCode, QuorateError } from '../../src/errors.ts';
import { memoryBus } from '../../src/transport/memory-bus.ts';
import type { MemoryBus } from '../../src/transport/memory-bus.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';

export const fastTiming = { heartbeatMs: 20, electionTimeoutMs: 100, sessionTtlMs: 1_500 } as const;
const threeVoters = ['a', 'b', 'c'];

export class TestGroup {
  readonly bus: MemoryBus = memoryBus();
  readonly transport: Transport = memoryTransport({ bus: this.bus, timing: fastTiming });
  readonly #joined: Quorate[] = [];

  async join(node: string, options: Partial<JoinOptions> = {}): Promise<Quorate> {
    const quorate = await join({ group: 'g', node, voters: threeVoters, transport: this.transport, firstFounding: true, ...options });
    this.#joined.push(quorate);
    return quorate;
  }

  joinAll(nodes: readonly string[] = threeVoters, options: Partial<JoinOptions> = {}): Promise<Quorate[]> {
    return Promise.all(nodes.map((node) => this.join(node, options)));
  }

  async closeAll(): Promise<void> {
    this.bus.filter = undefined;
    this.bus.heal();
    await Promise.all(this.#joined.map((quorate) => quorate.close({ timeoutMs: 200 })));
  }
}

/** One group for each test of a file. */
export function useGroup(): () => TestGroup {
  let group = new TestGroup();
  beforeEach(() => {
    group = new TestGroup();
  });
  afterEach(() => group.closeAll());
  return () => group;
}

/** The first value that passes, with a generous deadline. */
export function first<T>(values$: Observable<T>, passes: (value: T) => boolean = () => true): Promise<T> {
  return firstValueFrom(values$.pipe(filter(passes), timeout(20_000)));
}

/** The error of a promise that must reject with this code. */
export async function rejection(promise: Promise<unknown>, code: ErrorCode): Promise<QuorateError> {
  const outcome: unknown = await promise.then(
    (value) => `resolved with ${String(value)}`,
    (error: unknown) => error,
  );
  if (isQuorateError(outcome, code)) return outcome;
  throw outcome instanceof Error ? outcome : new Error(`expected ${code}; it ${String(outcome)}`);
}

export function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('expected an item');
  return item;
}

export interface Gate<T = void> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open: (value) => open(value) };
}

/** Turn by turn of the event loop until it holds; fails after a generous while. */
export async function until(holds: () => boolean): Promise<void> {
  const dueMs = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > dueMs) throw new Error(`never: ${String(holds)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
