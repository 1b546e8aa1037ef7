/** Leaving where the transport or the storage fails or is slow to let go: what is told, and that nobody waits past the deadline. */
import type { QuorateEvent } from '../../src/api/events.ts';
import { joinFrom } from '../../src/api/join.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { volatileStorage } from '../../src/storage/memory.ts';
import type { Channel, Transport } from '../../src/transport/transport.ts';
import { rejection, useGroup } from './group.ts';

const busy = new Error('still busy');
const never = new Promise<never>(() => undefined);

describe('closing where something under it cannot be let go (1 voter)', () => {
  const group = useGroup();

  afterEach(() => jest.restoreAllMocks());

  /** A transport that is left as `leave` says, once it is left indeed. */
  function leftBy(leave: () => Promise<void>): Transport {
    const { transport } = group();
    return {
      ...transport,
      open: async (options) => {
        const channel: Channel = await transport.open(options);
        return {
          get status() {
            return channel.status;
          },
          frameBytesMax: channel.frameBytesMax,
          send: (frames) => channel.send(frames),
          publishEvents: (events) => channel.publishEvents(events),
          close: () => channel.close().then(leave),
        };
      },
    };
  }

  function joinOn(transport: Transport, storage: Storage = volatileStorage()): Promise<Quorate> {
    const options = { group: 'g', node: 'a', voters: ['a'], transport, firstFounding: true };
    return joinFrom({ host: systemHost, mailboxMax: 1_000, storage }, options);
  }

  /** What it tells from now on, once both of its streams are complete. */
  async function toldBy({ events$, status$ }: Quorate): Promise<QuorateEvent[]> {
    const told: QuorateEvent[] = [];
    await Promise.all([
      new Promise<void>((resolve) => events$.subscribe({ next: (event) => void told.push(event), complete: resolve })),
      new Promise<void>((resolve) => status$.subscribe({ complete: resolve })),
    ]);
    return told;
  }

  function failuresIn(told: readonly QuorateEvent[]): unknown[] {
    return told.flatMap((event) => (event.type === 'closeFailed' ? [[event.what, event.error.code, event.error.cause]] : []));
  }

  test.each([
    ['rejects', () => Promise.reject(busy)],
    [
      'throws',
      () => {
        throw busy;
      },
    ],
  ])('resolves, says why and ends every stream where the transport %s', async (_how, leave) => {
    const quorate = await joinOn(leftBy(leave));
    const told = toldBy(quorate);
    expect(await quorate.close()).toEqual({ drained: true, lapsed: [] });
    expect(failuresIn(await told)).toEqual([['transport', 'TRANSPORT_FAILED', busy]]);
    expect(quorate.status).toMatchObject({ session: 'closed', connection: 'closed' });
  });

  test('resolves by its deadline where the transport never lets go, and closes the storage all the same', async () => {
    const close = jest.fn(() => Promise.resolve());
    const quorate = await joinOn(
      leftBy(() => never),
      { ...volatileStorage(), close },
    );
    const told = toldBy(quorate);
    expect(await quorate.close({ timeoutMs: 50 })).toEqual({ drained: true, lapsed: [] });
    expect(failuresIn(await told)).toEqual([['transport', 'TRANSPORT_FAILED', undefined]]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('says that a storage could not be closed', async () => {
    const quorate = await joinOn(group().transport, { ...volatileStorage(), close: () => Promise.reject(busy) });
    const told = toldBy(quorate);
    await quorate.close();
    expect(failuresIn(await told)).toEqual([['storage', 'STORAGE_FAILED', busy]]);
  });

  test('warns of it where nobody listens to events', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const quorate = await joinOn(leftBy(() => Promise.reject(busy)));
    await quorate.close();
    const text: unknown = expect.stringContaining('Quorate could not leave its transport: Error: still busy.');
    expect(warning.mock.calls).toEqual([[text]]);
  });

  test('leaves the reason why a join failed as it was (2 voters, 1 never started)', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const transport = leftBy(() => Promise.reject(busy));
    await rejection(group().join('a', { transport, voters: ['a', 'b'], timeoutMs: 50 }), 'JOIN_TIMEOUT');
    const text: unknown = expect.stringContaining('Quorate could not leave its transport: Error: still busy.');
    expect(warning.mock.calls).toEqual([[text]]);
  });
});
