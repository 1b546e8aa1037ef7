/** What a process watches, over whole groups: more than one frame has room for, and one more at a time. */
import { memoryTransport } from '../../src/transport/memory.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { Engines, patienceMs } from './engines.ts';

const frameBytesMax = 16_384;
/** A leader is not taken for dead while all of them encode in one process. */
const calm = { heartbeatMs: 200, electionTimeoutMs: 1_000, sessionTtlMs: 10_000, maxSessionTtlMs: 10_000 } as const;
const named = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `e/${'n'.repeat(228)}${first + index}`);

/** Resolves once each was told of. */
async function toldOf(engine: Engine, resources: readonly string[]): Promise<void> {
  const untold = new Set(resources);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${untold.size} of ${resources.length} were never told of`)), patienceMs);
    for (const resource of resources) {
      engine.watch(resource, () => {
        if (untold.delete(resource) && untold.size === 0) resolve();
      });
    }
  }).finally(() => clearTimeout(timer));
}

describe('watching', () => {
  let engines: Engines;
  let bytesOfWatcher = 0;

  beforeEach(() => {
    engines = new Engines();
    bytesOfWatcher = 0;
    engines.bus.filter = ({ from, to, bytes }) => {
      if (from === 'x' || to === 'x') bytesOfWatcher += bytes.length;
      return undefined;
    };
  });

  afterEach(() => engines.stop());

  async function watcher(): Promise<Engine> {
    const transport = memoryTransport({ bus: engines.bus, frameBytesMax });
    const all = await engines.startAll(['a', 'b', 'c', 'x'], { transport, ...calm });
    return all[3]!;
  }

  it('tells of all that is watched, and of what comes later, though no frame holds the list (3 voters, 1 client, frames of 16 KiB)', async () => {
    const x = await watcher();
    await toldOf(x, named(0, 1_000));
    await toldOf(x, named(1_000, 1));
  });

  it('asks for one more in as many bytes, however many there are (3 voters, 1 client, frames of 16 KiB)', async () => {
    const x = await watcher();
    await toldOf(x, named(0, 40));
    const few = await bytesOfOneMore(x, named(40, 20));
    await toldOf(x, named(60, 1_000));
    const many = await bytesOfOneMore(x, named(1_060, 20));
    // Keep-alives go on meanwhile.
    expect(many).toBeLessThan(1.5 * few);
  });

  /** What each costs on its way, one after the other. */
  async function bytesOfOneMore(x: Engine, resources: readonly string[]): Promise<number> {
    const before = bytesOfWatcher;
    for (const resource of resources) await toldOf(x, [resource]);
    return (bytesOfWatcher - before) / resources.length;
  }
});
