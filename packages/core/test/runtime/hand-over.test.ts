/** What a closing leader says last: that it leads no more, so that nobody waits for its lease. */
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame } from '../../src/codec/frame-codec.ts';
import { Engines, hasSession } from './engines.ts';

describe('a leader that closes', () => {
  let engines: Engines;

  beforeEach(() => {
    engines = new Engines();
  });

  afterEach(() => engines.stop());

  it('abdicates after it has ended its session (1 voter, overheard on its way out)', async () => {
    const said: string[] = [];
    const { transport } = engines;
    const overheard: typeof transport = {
      ...transport,
      open: async (options) => {
        const channel = await transport.open(options);
        return {
          get status() {
            return channel.status;
          },
          get frameBytesMax() {
            return channel.frameBytesMax;
          },
          send: (frames) => {
            for (const { bytes } of frames) {
              const frame = decodeFrame(bytes);
              if (!isFault(frame)) said.push(...frame.messages.map(({ type }) => type));
            }
            channel.send(frames);
          },
          publishEvents: (events) => channel.publishEvents(events),
          close: () => channel.close(),
        };
      },
    };
    const leader = await engines.start('a', { voters: ['a'], transport: overheard });
    await hasSession(leader);
    expect(said).not.toContain('abdicate');
    expect(await leader.close(10_000)).toEqual({ sessionClosed: true });
    expect(said).toContain('abdicate');
  });
});
