/** Engines over the in-memory bus, for tests of the loop. */
import { firstValueFrom } from 'rxjs';
import { filter, timeout } from 'rxjs/operators';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockResult } from '../../src/lock/command.ts';
import type { Engine, EngineEvent, EngineOptions, RequestOutcome } from '../../src/runtime/engine.ts';
import { openEngine } from '../../src/runtime/open-engine.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import { volatileStorage } from '../../src/storage/memory.ts';
import { memoryBus } from '../../src/transport/memory-bus.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

/** Nothing here waits by the clock; this only ends a test that would hang. */
export const patienceMs = 30_000;

export class Engines {
  readonly bus = memoryBus();
  readonly transport = memoryTransport({ bus: this.bus });
  private readonly open: Engine[] = [];

  async start(node: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
    const engine = await openEngine({
      group: 'g',
      node,
      voters: ['a', 'b', 'c'],
      transport: this.transport,
      heartbeatMs: 20,
      electionTimeoutMs: 100,
      sessionTtlMs: 2_000,
      maxSessionTtlMs: 2_000,
      firstFounding: true,
      standsBy: false,
      reads: 'lease',
      secrets: [],
      publish: 'none',
      storage: volatileStorage(),
      host: systemHost,
      mailboxMax: 10_000,
      ...options,
    });
    this.open.push(engine);
    return engine;
  }

  async startAll(nodes: readonly string[], options: Partial<EngineOptions> = {}): Promise<Engine[]> {
    const engines = await Promise.all(nodes.map((node) => this.start(node, options)));
    await Promise.all(engines.map(hasSession));
    return engines;
  }

  async stop(): Promise<void> {
    await Promise.all(this.open.splice(0).map((engine) => engine.close(0)));
    this.bus.close();
  }
}

export async function hasSession(engine: Engine): Promise<void> {
  await firstValueFrom(
    engine.status$.pipe(
      filter(({ session }) => session === 'healthy'),
      timeout(patienceMs),
    ),
  );
}

export async function next<T extends EngineEvent['type']>(engine: Engine, type: T): Promise<Extract<EngineEvent, { type: T }>> {
  const isIt = (event: EngineEvent): event is Extract<EngineEvent, { type: T }> => event.type === type;
  return firstValueFrom(engine.events$.pipe(filter(isIt), timeout(patienceMs)));
}

/** The final outcome of an acquire. */
export function acquire(engine: Engine, name: string): Promise<RequestOutcome> {
  return new Promise((resolve) => {
    engine.submit(
      (seq) => [lockOp.acquire, seq, `l/${name}`, 0, 0, null],
      (outcome) => {
        if (outcome.type === 'sessionLost' || outcome.result[1] !== resultCode.queued) resolve(outcome);
      },
    );
  });
}

export async function granted(engine: Engine, name: string): Promise<LockResult> {
  const outcome = await acquire(engine, name);
  if (outcome.type !== 'result') throw new Error(`session lost: ${outcome.reason}`);
  return outcome.result;
}
