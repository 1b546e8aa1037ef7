/** What the transports of one process refuse of their options, and which frames are too small for a group. */
import { join } from '../../src/api/join.ts';
import { frameBytesLeast } from '../../src/transport/frame-limit.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { workerTransport } from '../../src/transport/worker.ts';
import { fastTiming, rejection } from '../api/group.ts';

describe.each([
  ['memoryTransport', memoryTransport],
  ['workerTransport', workerTransport],
] as const)('%s', (name, transport) => {
  test.each([null, 5, 'quorate', []])('refuses %p for its options', (options) => {
    expect(() => transport(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => transport(options as never)).toThrow(`The options of \`${name}\` are`);
  });

  test.each([NaN, 0, -1, 4095, 4096.5, Infinity, '4096'])('refuses frames of %p bytes', (frameBytesMax) => {
    const making = () => transport({ frameBytesMax: frameBytesMax as number });
    expect(making).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(making).toThrow(/`frameBytesMax` is .*; it must be a whole number of at least 4096\./);
  });
});

describe('the least frame', () => {
  test('has room for the longest names and notes (one voter alone)', async () => {
    const transport = memoryTransport({ timing: fastTiming, frameBytesMax: frameBytesLeast });
    const longest = '€'.repeat(85);
    const alone = await join({ group: longest, node: longest, voters: [longest], transport, firstFounding: true });
    const lease = await alone.lock(longest).acquire();
    await lease.release({ note: 'x'.repeat(1024) });
    expect((await alone.lock(longest).acquire()).previous).toHaveLength(1024);
    await alone.close();
  });

  test('is asked for when a process joins: a transport with less is refused, and left (one voter alone)', async () => {
    let closed = 0;
    const memory = memoryTransport({ timing: fastTiming });
    const transport: Transport = {
      ...memory,
      open: () =>
        Promise.resolve({
          frameBytesMax: 1024,
          status: 'connected',
          send: () => undefined,
          publishEvents: () => undefined,
          close: () => Promise.resolve(void (closed += 1)),
        }),
    };
    const { message, details } = await rejection(join({ group: 'g', node: 'a', voters: ['a'], transport }), 'INVALID_OPTIONS');
    expect(message).toContain('takes messages of 1024 bytes; Quorate needs 4096.');
    expect(details).toEqual({ frameBytesMax: 1024, frameBytesLeast: 4096 });
    expect(closed).toBe(1);
  });
});
