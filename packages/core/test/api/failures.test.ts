/** What the API does when something under it fails: every failure is told to whoever asked, and to nobody twice. */
import { lockEvents$ } from '../../src/api/lock-events.ts';
import { synod } from '../../src/api/synod.ts';
import { QuorateError } from '../../src/errors.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { EventReaderOptions, Transport } from '../../src/transport/transport.ts';
import { arrange } from './arranged.ts';
import { fastTiming, gate, rejection, until } from './group.ts';

const unavailable = new QuorateError('TRANSPORT_FAILED', 'The broker refused.');

/** Promises that were rejected with nobody listening. */
async function unheardDuring(work: () => Promise<unknown>): Promise<unknown[]> {
  const unheard: unknown[] = [];
  const note = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', note);
  await work();
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  return unheard;
}

describe('a reader of lock events', () => {
  function readerThat(readEvents: Transport['readEvents']): ReturnType<typeof lockEvents$> {
    return lockEvents$({ transport: { ...memoryTransport({ timing: fastTiming }), readEvents }, group: 'g' });
  }

  test('that cannot be opened errors with what the transport said', async () => {
    const failed = gate<unknown>();
    const unheard = await unheardDuring(async () => {
      readerThat(() => Promise.reject(unavailable)).subscribe({ error: failed.open });
      expect(await failed.promise).toBe(unavailable);
    });
    expect(unheard).toEqual([]);
  });

  test('that is given up while it opens says nothing, and neither does the transport’s ABORTED', async () => {
    const errors: unknown[] = [];
    const openUntilAborted = ({ signal }: EventReaderOptions): Promise<never> =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new QuorateError('ABORTED', 'Given up.'))));
    const unheard = await unheardDuring(() => {
      readerThat(openUntilAborted)
        .subscribe({ error: (error) => errors.push(error) })
        .unsubscribe();
      return Promise.resolve();
    });
    expect(errors).toEqual([]);
    expect(unheard).toEqual([]);
  });
});

describe('a synod whose transport does not open', () => {
  test('tells whoever proposes and whoever watches, and closes (1 voter)', async () => {
    const transport: Transport = { ...memoryTransport({ timing: fastTiming }), open: () => Promise.reject(unavailable) };
    const unheard = await unheardDuring(async () => {
      const decree = synod<string>({ transport, voters: ['a'], node: 'a' });
      const watched = gate<unknown>();
      decree.decision$.subscribe({ error: watched.open });
      expect(await rejection(decree.propose('v'), 'TRANSPORT_FAILED')).toBe(unavailable);
      expect(await watched.promise).toBe(unavailable);
      await decree.close();
    });
    expect(unheard).toEqual([]);
  });

  test('is let alone by whoever neither proposes nor watches (1 voter)', async () => {
    const transport: Transport = { ...memoryTransport({ timing: fastTiming }), open: () => Promise.reject(unavailable) };
    const unheard = await unheardDuring(() => synod({ transport, voters: ['a'], node: 'a' }).close());
    expect(unheard).toEqual([]);
  });
});

describe('a campaign', () => {
  test('whose new value is refused in its first moment leads on', async () => {
    const { engine, quorate } = arrange();
    const unheard = await unheardDuring(async () => {
      const candidacy = quorate.election('e').campaign('one');
      await until(() => engine.ops.length === 1);
      void candidacy.proclaim('two');
      engine.answer([1, resultCode.granted, 7, null]);
      await until(() => engine.ops.length === 2);
      expect(engine.ops[1]?.[0]).toBe(lockOp.proclaim);
      engine.answer([2, resultCode.limit, 0, null]);
      await until(() => candidacy.current?.token === 7);
    });
    expect(unheard).toEqual([]);
  });
});
