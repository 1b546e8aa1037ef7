/** The in-memory bus: its faults, and its turns. */
import { memoryTransport } from '../../src/transport/memory.ts';
import { memoryBus } from '../../src/transport/memory-bus.ts';
import type { Channel, ChannelStatus, Transport } from '../../src/transport/transport.ts';

interface Node {
  readonly channel: Channel;
  readonly texts: string[];
  readonly statuses: ChannelStatus[];
  send(node: string, text: string): void;
}

async function open(transport: Transport, node: string, onFrame: (text: string) => void = () => undefined): Promise<Node> {
  const texts: string[] = [];
  const statuses: ChannelStatus[] = [];
  const channel = await transport.open({
    group: 'g',
    node,
    voters: ['a', 'b'],
    onFrame: (bytes) => {
      texts.push(Buffer.from(bytes).toString());
      onFrame(Buffer.from(bytes).toString());
    },
    onStatus: (status) => statuses.push(status),
    onEvent: () => undefined,
  });
  return { channel, texts, statuses, send: (to, text) => channel.send([{ to: { type: 'node', node: to }, bytes: Buffer.from(text) }]) };
}

/** Frames are handed over within one turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a transport without a bus is a bus: nodes that share it see one another, others do not (2 nodes, 1 stranger)', async () => {
  const shared = memoryTransport();
  const [a, b, stranger] = [await open(shared, 'a'), await open(shared, 'b'), await open(memoryTransport(), 'b')];
  a.send('b', 'hello');
  await turn();
  expect([b.texts, stranger.texts]).toEqual([['hello'], []]);
});

test('answers of a turn arrive in later turns, so timers run between (2 nodes)', async () => {
  const transport = memoryTransport();
  let turns = 0;
  const a: Node = await open(transport, 'a', () => a.send('b', 'ping'));
  const b: Node = await open(transport, 'b', () => ++turns < 1_000 && b.send('a', 'pong'));
  a.send('b', 'ping');
  const turnsAtTimer = await new Promise<number>((resolve) => setTimeout(() => resolve(turns), 0));
  expect(turnsAtTimer).toBeLessThan(1_000);
});

test('a filter loses, doubles and delays frames (2 nodes)', async () => {
  const bus = memoryBus();
  const transport = memoryTransport({ bus });
  let arrived: () => void = () => undefined;
  const delayed = new Promise<void>((resolve) => (arrived = resolve));
  const a = await open(transport, 'a');
  const b = await open(transport, 'b', (text) => text === 'delayed' && arrived());
  const delays: Record<string, readonly number[]> = { lost: [], doubled: [0, 0], delayed: [1] };
  bus.filter = ({ from, to, bytes }) => (from === 'a' && to === 'b' ? delays[Buffer.from(bytes).toString()] : undefined);
  for (const text of ['lost', 'doubled', 'delayed', 'untouched']) a.send('b', text);
  await delayed;
  expect(b.texts).toEqual(['doubled', 'doubled', 'untouched', 'delayed']);
});

test('a frame that is still delayed when its receiver closes is not handed over (3 nodes)', async () => {
  const bus = memoryBus();
  const transport = memoryTransport({ bus });
  let arrived: () => void = () => undefined;
  const later = new Promise<void>((resolve) => (arrived = resolve));
  const [a, b] = [await open(transport, 'a'), await open(transport, 'b')];
  await open(transport, 'c', () => arrived());
  bus.filter = ({ to }) => (to === 'b' ? [1] : [2]);
  a.send('b', 'late');
  await turn();
  await b.channel.close();
  a.send('c', 'later');
  await later;
  expect(b.texts).toEqual([]);
});

test('a cut loses one direction and nobody hears of it, until it is healed (2 nodes)', async () => {
  const bus = memoryBus();
  const transport = memoryTransport({ bus });
  const [a, b] = [await open(transport, 'a'), await open(transport, 'b')];
  bus.cut('a', 'b');
  a.send('b', 'lost');
  b.send('a', 'arrives');
  await turn();
  bus.heal();
  a.send('b', 'after healing');
  await turn();
  expect([a.texts, b.texts, a.statuses, b.statuses]).toEqual([['arrives'], ['after healing'], [], []]);
});

test('a disconnected node hears of it, and loses what is on its way to and from it (3 nodes)', async () => {
  const bus = memoryBus();
  const transport = memoryTransport({ bus });
  const [a, b, c] = [await open(transport, 'a'), await open(transport, 'b'), await open(transport, 'c')];
  a.send('b', 'on its way');
  b.send('c', 'on its way');
  bus.disconnect('b');
  a.send('b', 'while away');
  a.send('c', 'past it');
  await turn();
  bus.reconnect('b');
  a.send('b', 'back');
  await turn();
  expect([b.texts, c.texts, b.statuses, c.statuses]).toEqual([['back'], ['past it'], ['disconnected', 'connected'], []]);
});

test('a broker that is down is down for everybody; one that is closed never comes back (2 nodes)', async () => {
  const bus = memoryBus();
  const transport = memoryTransport({ bus });
  const [a, b] = [await open(transport, 'a'), await open(transport, 'b')];
  bus.down();
  await turn();
  bus.up();
  await turn();
  bus.close();
  await turn();
  bus.heal();
  a.send('b', 'nowhere');
  await turn();
  for (const { statuses } of [a, b]) expect(statuses).toEqual(['disconnected', 'connected', 'closed']);
  expect(b.texts).toEqual([]);
  await expect(open(transport, 'c')).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
});

test('refuses a bus that `memoryBus` did not make', () => {
  const bus = { ...memoryBus() };
  expect(() => memoryTransport({ bus })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
});
