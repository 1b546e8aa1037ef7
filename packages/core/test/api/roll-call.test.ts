/** What an operator's call takes for a living group, and when it may not call anybody silent. The safety rule 22. */
import { refound } from '../../src/api/refound.ts';
import { MemoryArbiter } from '../../src/arbiter/memory.ts';
import { decodeFoundingEntry, encodeFoundingEntry } from '../../src/codec/founding-log-codec.ts';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import type { Configuration } from '../../src/paxos/configuration.ts';
import type { FoundingRecord } from '../../src/paxos/founding-message.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { ChannelOptions, Transport } from '../../src/transport/transport.ts';
import { frameOf, samples } from '../codec/samples.ts';
import { rejection } from './group.ts';

const seat = (node: string) => ({ node, incarnation: node.padEnd(32, '0') });
const configured = (id: number, ...nodes: readonly string[]): Configuration => ({ founding: 'f', id, voters: nodes.map(seat) });
const recordOf = (configuration: Configuration): FoundingRecord => {
  return { configuration, tokenSecond: 5, maxSessionTtlMs: 1_000, firstFounding: false };
};
const first = recordOf(configured(1, 'a', 'b', 'c'));
const third = recordOf(configured(3, 'a', 'd', 'e'));

function frame(node: string, configuration: number, message: Message): Uint8Array {
  return encodeFrame({ group: 'g', founding: 'f', configuration, ...seat(node), run: 1, messages: [message] });
}

function greeting(nonce: string, node: string, record: FoundingRecord): Uint8Array {
  const said = { voters: { count: 3 }, wallMs: 0, tokenSecond: 0, longestTtlMs: 0, standing: 'founded' } as const;
  return frame(node, record.configuration.id, { type: 'greeting', nonce, record, ...said });
}

const timing = { ...memoryTransport().timing, heartbeatMs: 20, electionTimeoutMs: 100 };

/** A transport whose answers to the operator's questions are given, and the log that it has. */
function arrange(onAsked: (asked: { readonly nonce: string; readonly times: number; readonly to: ChannelOptions }) => void) {
  const log = new MemoryArbiter();
  log.records.push(encodeFoundingEntry({ type: 'record', record: first }));
  for (const voter of first.configuration.voters) log.records.push(encodeFoundingEntry({ type: 'joined', founding: 'f', seat: voter }));
  let times = 0;
  const transport: Transport = {
    ...memoryTransport({ timing }),
    arbiter: () => log.open(),
    open: (to) =>
      Promise.resolve({
        frameBytesMax: 65_536,
        status: 'connected',
        publishEvents: () => undefined,
        close: () => Promise.resolve(),
        send: (frames) => {
          const asked = decodeFrame(frames[0]?.bytes ?? new Uint8Array());
          if (!('messages' in asked)) throw new Error('that is no frame');
          const [hello] = asked.messages;
          times += 1;
          if (hello?.type === 'hello') onAsked({ nonce: hello.nonce, times, to });
        },
      }),
  };
  return {
    log,
    order: (listenMs: number) => refound({ transport, group: 'g', listenMs }),
    entries: () => log.records.map((record, position) => decodeFoundingEntry(record, position).type),
  };
}

test('listens on where a majority that answers is of voters that were replaced (3 voters, 2 of them replaced)', async () => {
  const { order, entries } = arrange(({ nonce, times, to }) => {
    // In one moment: two that do not know yet that they were replaced, and one that does.
    const answers = times === 1 ? [greeting(nonce, 'b', first), greeting(nonce, 'c', first), greeting(nonce, 'a', third)] : [];
    for (const answer of times === 2 ? [greeting(nonce, 'd', third)] : answers) to.onFrame(answer);
  });
  const { details } = await rejection(order(60_000), 'GROUP_LIVES');
  expect(details).toEqual({ voters: ['a', 'd', 'e'], heard: ['a', 'd'] });
  expect(entries()).not.toContain('ended');
});

test('takes a heartbeat for a sign of life (3 voters)', async () => {
  const { order, entries } = arrange(({ to }) => to.onFrame(encodeFrame(frameOf(samples.heartbeat))));
  await rejection(order(60_000), 'GROUP_LIVES');
  expect(entries()).not.toContain('ended');
});

test.each<[string, (to: ChannelOptions) => void]>([
  [
    'that lost its connection for a moment',
    (to) => {
      to.onStatus('disconnected');
      to.onStatus('connected');
    },
  ],
  ['that was refused something', (to) => to.onEvent({ type: 'error', code: 'TRANSPORT_DENIED', message: 'not allowed' })],
])('calls nobody silent to an operator %s (3 voters)', async (_, happen) => {
  const { order, entries } = arrange(({ to }) => happen(to));
  expect((await rejection(order(1), 'TRANSPORT_FAILED')).message).toContain('nobody can be called silent');
  expect(entries()).not.toContain('ended');
});

test('writes nothing into a log that lost what completed the founding (3 voters)', async () => {
  const { log, order, entries } = arrange(() => void log.records.splice(2));
  await rejection(order(1), 'ARBITER_CORRUPT');
  expect(entries()).toEqual(['record', 'joined']);
});
