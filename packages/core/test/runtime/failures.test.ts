/** What the loop does when its storage, its transport or its own member fails: it stops, says why once, and leaves. */
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { MemberRecord } from '../../src/group/member.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { volatileStorage } from '../../src/storage/memory.ts';
import type { Channel, Transport } from '../../src/transport/transport.ts';
import { acquire, Engines, hasSession, next } from './engines.ts';

describe('the loop', () => {
  let engines: Engines;

  beforeEach(() => {
    engines = new Engines();
  });

  afterEach(() => engines.stop());

  it('does not begin where the storage cannot be loaded, and says why (1 voter)', async () => {
    const cause = new Error('disk gone');
    const storage: Storage = { ...volatileStorage(), load: () => Promise.reject(cause) };
    await expect(engines.start('a', { storage, voters: ['a'] })).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause });
  });

  it('stops when a turn throws, with what was thrown, and tells whoever waits (1 voter)', async () => {
    const storage: Storage = { ...volatileStorage() };
    const a = await engines.start('a', { storage, voters: ['a'] });
    await hasSession(a);
    const broken = new Error('cannot happen');
    storage.append = () => {
      throw broken;
    };
    const stopped = next(a, 'stopped');
    const outcome = acquire(a, 'one');
    expect((await stopped).error).toBe(broken);
    expect(await outcome).toEqual({ type: 'sessionLost', reason: 'closed' });
  });

  it('warns of a transport that it cannot leave after it stopped (1 voter)', async () => {
    const storage: Storage = { ...volatileStorage() };
    const transport: Transport = {
      ...engines.transport,
      open: async (options) => {
        const channel = await engines.transport.open(options);
        const close = async (): Promise<void> => {
          await channel.close();
          throw new Error('still busy');
        };
        const { frameBytesMax } = channel;
        const open: Channel = {
          frameBytesMax,
          status: 'connected',
          close,
          send: (frames) => channel.send(frames),
          publishEvents: (events) => channel.publishEvents(events),
        };
        return open;
      },
    };
    const a = await engines.start('a', { storage, transport, voters: ['a'] });
    await hasSession(a);
    const warned = new Promise((resolve) => {
      jest.spyOn(process, 'emitWarning').mockImplementationOnce(resolve);
    });
    storage.append = () => Promise.reject(new Error('disk gone'));
    void acquire(a, 'one');
    expect(await warned).toBe('Quorate could not leave its transport: Error: still busy');
  });

  it('stops a founder that must forget its incarnation and cannot (2 voters, one played by the test)', async () => {
    const kept: MemberRecord[] = [];
    const storage: Storage = {
      ...volatileStorage(),
      append: (records) => void kept.push(...records),
      discard: () => Promise.reject(new Error('disk gone')),
    };
    const voters = ['a', 'b'];
    // It answers as one life of b until a has accepted a record with that life, and as another from then on.
    let incarnation = 'b1';
    const channel: Channel = await engines.transport.open({
      group: 'g',
      node: 'b',
      voters,
      onStatus: () => undefined,
      onEvent: () => undefined,
      onFrame: (bytes) => {
        const frame = decodeFrame(bytes);
        if (isFault(frame)) return;
        for (const message of frame.messages) {
          if (message.type === 'found') incarnation = 'b2';
          if (message.type === 'hello') say({ ...greeting, nonce: message.nonce, wallMs: message.wallMs });
        }
      },
    });
    const greeting = { type: 'greeting', voters, tokenSecond: 0, longestTtlMs: 2_000, standing: 'unfounded', record: null } as const;
    const say = (message: Message): void => {
      const bytes = encodeFrame({ group: 'g', founding: '', configuration: 0, node: 'b', incarnation, run: 1, messages: [message] });
      channel.send([{ to: { type: 'node', node: 'a' }, bytes }]);
    };
    const a = await engines.start('a', { storage, voters });
    const { error } = await next(a, 'stopped');
    expect(isQuorateError(error, 'STORAGE_FAILED')).toBe(true);
    expect(kept.map(({ type }) => type)).toContain('discarded');
    await channel.close();
  });
});
