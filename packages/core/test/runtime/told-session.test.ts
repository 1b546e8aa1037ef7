/** A turn that ends a session and begins the next: nobody makes a request under one of which nobody was told. The safety rule 17. */
import { systemHost } from '../../src/runtime/system-host.ts';
import { volatileStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { acquire, Engines, hasSession, next } from './engines.ts';

describe('a session that began in the turn in which the last one ended', () => {
  const engines = new Engines();
  afterAll(() => engines.stop());

  it('is none to ask under while that turn is being written (1 voter, its loop blocked beyond the TTL)', async () => {
    let skewMs = 0;
    const host = { ...systemHost, monotonicMs: () => systemHost.monotonicMs() + skewMs, wallMs: () => systemHost.wallMs() + skewMs };
    let onAppend: (() => Promise<void>) | undefined;
    const { isVolatile: _, ...kept } = volatileStorage();
    const storage: Storage = { ...kept, append: () => (onAppend ? onAppend() : Promise.resolve()) };
    const engine = await engines.start('a', { voters: ['a'], host, storage });
    await hasSession(engine);
    const before = engine.session;
    let release: (() => void) | undefined;
    const writing = new Promise<void>((resolve) => {
      onAppend = () => {
        onAppend = undefined;
        resolve();
        return new Promise((written) => (release = written));
      };
    });
    const told = Promise.allSettled([next(engine, 'sessionLost'), next(engine, 'sessionOpened')]);
    skewMs = 60_000;
    await writing;
    expect(engine.session).toBeNull();
    await expect(acquire(engine, 'x')).rejects.toMatchObject({ code: 'SESSION_LOST' });
    release?.();
    expect(await told).toMatchObject([{ value: { session: before } }, { value: { session: engine.session } }]);
    expect(await acquire(engine, 'x')).toMatchObject({ type: 'result' });
  });
});
