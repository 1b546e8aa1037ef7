/**
 * The conformance suite of the transport port: what every transport must do, as cases that any test framework can loop over.
 *
 *     for (const { name, run } of transportConformance(subject)) test(name, run, 60_000);
 */
import assert from 'node:assert/strict';
import { isQuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { frameBytesLeast } from './frame-limit.ts';
import { ConformanceWorld, frameOf, textOf, to } from './conformance-world.ts';
import type { ConformanceSubject, Listener } from './conformance-world.ts';

export type { ConformanceConnection, ConformanceSubject } from './conformance-world.ts';

export interface ConformanceCase {
  /** A sentence with a topology. */
  readonly name: string;
  /** Rejects where the transport does not conform. Cases may run in any order, one at a time. */
  run(): Promise<void>;
}

export function transportConformance(subject: ConformanceSubject): readonly ConformanceCase[] {
  const cases: [string, (world: ConformanceWorld) => Promise<void>][] = [
    ['reaches all, the voters or one node, and nobody else (2 voters, 1 client)', reachesTheAddressed],
    ['never brings a frame back to the channel that sent it (2 voters)', neverComesBack],
    ['brings a frame for a node to every process of that name (1 voter, 2 namesakes)', reachesNamesakes],
    ['passes bytes on as they are, foreign and repeated ones too (2 voters)', passesBytesOn],
    ['leaves kept frames as they were when later ones arrive (2 voters)', leavesKeptFrames],
    ['carries the frames of one turn to many destinations (4 nodes)', carriesATurn],
    ['carries a frame at the limit, drops one above it with an event and goes on (2 voters)', holdsTheLimit],
    ['keeps groups on one connection apart (5 groups of 2)', keepsGroupsApart],
    ['takes any Unicode text as the name of a group or node (7 names)', takesAnyName],
    ['falls silent once closed, while frames are on their way, and leaves the connection usable (2 voters)', closesWhileSending],
    ['hands nothing on before it is open, though others are sending (2 voters)', waitsUntilOpen],
    ['does not open under a signal that has fired (1 node)', refusesAnAbortedOpen],
    ['places a key within the count, always alike, and text as its bytes in UTF-8 (no node)', placesKeys],
    ['brings lock events to readers of the group and to nobody else (1 voter, 2 readers)', publishesEvents],
  ];
  if (subject.interruption !== undefined) {
    cases.push(
      ['says when the broker is lost and when it is back, and frames flow again (2 voters)', survivesAnInterruption],
      ['gives up an open that waits for the broker when the signal fires (1 node)', abortsAWaitingOpen],
    );
  }
  if (subject.canCloseConnection === true) {
    cases.push(['says that the connection was closed, and refuses to open on it (1 voter)', noticesAClosedConnection]);
  }
  return cases.map(([name, check]) => ({ name, run: () => ConformanceWorld.run(subject, check) }));
}

async function reachesTheAddressed(world: ConformanceWorld): Promise<void> {
  const [a, b, client] = await world.nodes({ names: ['a', 'b', 'client'], voters: ['a', 'b'] });
  a.send(to.all, 'for all');
  a.send(to.voters, 'for voters');
  a.send(to.node('b'), 'for b');
  a.send(to.node('client'), 'for client');
  a.send(to.node('nobody'), 'for nobody');
  client.send(to.voters, 'from client');
  await a.receives('from client');
  await b.receives('for all', 'for voters', 'for b', 'from client');
  await client.receives('for all', 'for client');
  await world.settle(a, b, client);
  a.receivedOnly('from client');
  b.receivedOnly('for all', 'for voters', 'for b', 'from client');
  client.receivedOnly('for all', 'for client');
}

async function neverComesBack(world: ConformanceWorld): Promise<void> {
  const [a, b] = await world.nodes({ names: ['a', 'b'], voters: ['a', 'b'] });
  a.send(to.all, 'to all');
  a.send(to.voters, 'to voters');
  a.send(to.node('a'), 'to itself');
  await b.receives('to all', 'to voters');
  await world.settle(a, b);
  a.receivedOnly();
}

async function reachesNamesakes(world: ConformanceWorld): Promise<void> {
  const [a, twin, other] = await world.nodes({ names: ['a', 'twin', 'twin'], voters: ['a'] });
  a.send(to.node('twin'), 'for both');
  twin.send(to.node('twin'), 'from one to the other');
  await twin.receives('for both');
  await other.receives('for both', 'from one to the other');
  await world.settle(a, twin, other);
  twin.receivedOnly('for both');
}

async function passesBytesOn(world: ConformanceWorld): Promise<void> {
  const [a, b] = await world.nodes({ names: ['a', 'b'], voters: ['a', 'b'] });
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
  const pool = new Uint8Array(1_024).fill(7);
  const frames = [Uint8Array.of(0), everyByte, everyByte, Uint8Array.of(255, 13, 10), pool.subarray(500, 510)];
  a.channel.send(frames.map((bytes) => ({ to: to.all, bytes })));
  await b.until('five frames', () => b.frames.length >= frames.length);
  const sorted = (all: readonly Uint8Array[]) => all.map((bytes) => Buffer.from(bytes).toString('hex')).sort();
  assert.deepEqual(sorted(b.frames), sorted(frames));
}

async function leavesKeptFrames(world: ConformanceWorld): Promise<void> {
  const [a, b] = await world.nodes({ names: ['a', 'b'], voters: ['a', 'b'] });
  const texts = Array.from({ length: 100 }, (_, index) => `frame ${index} ${'x'.repeat(index * 20)}`);
  for (const text of texts.slice(0, 50)) a.send(to.all, text);
  await b.receives(...texts.slice(0, 50));
  const kept = b.frames.map((bytes) => ({ bytes, copy: Uint8Array.from(bytes) }));
  for (const text of texts.slice(50)) a.send(to.all, text);
  await b.receives(...texts);
  for (const { bytes, copy } of kept) assert.deepEqual(Buffer.from(bytes), Buffer.from(copy));
}

async function carriesATurn(world: ConformanceWorld): Promise<void> {
  const [a, ...others] = await world.nodes({ names: ['a', 'b', 'c', 'd'], voters: ['a', 'b', 'c', 'd'] });
  const turn = others.flatMap(({ node }) => Array.from({ length: 50 }, (_, index) => frameOf(to.node(node), `${index} for ${node}`)));
  a.channel.send([frameOf(to.all, 'first'), ...turn, frameOf(to.voters, 'last')]);
  for (const other of others) {
    await other.receives('first', 'last', ...Array.from({ length: 50 }, (_, index) => `${index} for ${other.node}`));
  }
}

async function holdsTheLimit(world: ConformanceWorld): Promise<void> {
  const [a, b] = await world.nodes({ names: ['a', 'b'], voters: ['a', 'b'] });
  const { frameBytesMax } = a.channel;
  assert.ok(Number.isSafeInteger(frameBytesMax) && frameBytesMax >= frameBytesLeast, `frameBytesMax is ${frameBytesMax}`);
  const destinations = [to.all, to.voters, to.node('b')];
  for (const destination of destinations) {
    for (const [fill, size] of [frameBytesMax - 1, frameBytesMax, frameBytesMax + 1].entries()) {
      a.channel.send([{ to: destination, bytes: new Uint8Array(size).fill(fill) }]);
    }
  }
  await b.until('six frames', () => b.frames.length === 6);
  await a.until('three events', () => a.events.length === 3);
  a.send(to.all, 'later');
  await b.receives('later');
  const sizes = b.frames.map(({ byteLength }) => byteLength).filter((size) => size > 100);
  assert.deepEqual(
    sizes.sort((one, other) => one - other),
    [...destinations.map(() => frameBytesMax - 1), ...destinations.map(() => frameBytesMax)],
  );
  for (const { type, code } of a.events) assert.deepEqual([type, code], ['error', 'FRAME_TOO_LARGE']);
  assert.deepEqual(a.statuses, []);
}

async function keepsGroupsApart(world: ConformanceWorld): Promise<void> {
  const [left, right] = [await world.connect(), await world.connect()];
  const pairs: [Listener, Listener][] = [];
  for (const suffix of ['1', '2', '3', '4', '5']) {
    const group = `${world.group}-${suffix}`;
    const [a, b] = [world.listener(left, group, 'a', ['a', 'b']), world.listener(right, group, 'b', ['a', 'b'])];
    await Promise.all([a.open(), b.open()]);
    pairs.push([a, b]);
  }
  for (const [index, [a]] of pairs.entries()) {
    for (const destination of [to.all, to.voters, to.node('b')]) a.send(destination, `${destination.type} of ${index}`);
  }
  for (const [index, [a, b]] of pairs.entries()) {
    await b.receives(`all of ${index}`, `voters of ${index}`, `node of ${index}`);
    await world.settle(a, b);
  }
  for (const [index, [a, b]] of pairs.entries()) {
    a.receivedOnly();
    b.receivedOnly(`all of ${index}`, `voters of ${index}`, `node of ${index}`);
  }
  await pairs[0]?.[1].channel.close();
  pairs[1]?.[0].send(to.all, 'the others go on');
  await pairs[1]?.[1].receives('the others go on');
}

async function takesAnyName(world: ConformanceWorld): Promise<void> {
  const names = ['a.b', 'a b', '*', '>', 'größe/δοκιμή', '測試🦜', 'A_b\u0000\n'];
  const group = `${world.group} .*> 測`;
  const [first, ...others] = await world.nodes({ names, voters: names, group });
  for (const { node } of others) first.send(to.node(node), `for ${node}`);
  first.send(to.all, 'for all');
  for (const other of others) await other.receives(`for ${other.node}`, 'for all');
  await world.settle(first, ...others);
  for (const other of others) other.receivedOnly(`for ${other.node}`, 'for all');
}

async function closesWhileSending(world: ConformanceWorld): Promise<void> {
  const [left, right] = [await world.connect(), await world.connect()];
  const [a, b] = [world.listener(left, world.group, 'a', ['a', 'b']), world.listener(right, world.group, 'b', ['a', 'b'])];
  await Promise.all([a.open(), b.open()]);
  for (let index = 0; index < 200; index++) {
    a.send(to.all, `from a ${index}`);
    b.send(to.all, `from b ${index}`);
  }
  const closing = b.channel.close();
  const received = b.frames.length;
  assert.equal(b.channel.status, 'closed');
  a.send(to.node('b'), 'too late');
  b.send(to.all, 'after close');
  b.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]);
  await Promise.all([closing, b.channel.close()]);
  const reopened = world.listener(right, world.group, 'b', ['a', 'b']);
  await reopened.open();
  await world.settle(a, reopened);
  assert.equal(b.frames.length, received, 'a closed channel hands frames on');
  assert.deepEqual([b.statuses, b.events], [[], []]);
  assert.ok(!a.texts().includes('after close'));
  await right.check?.();
}

async function waitsUntilOpen(world: ConformanceWorld): Promise<void> {
  const [a] = await world.nodes({ names: ['a'], voters: ['a', 'b'] });
  const b = world.listener(await world.connect(), world.group, 'b', ['a', 'b']);
  let count = 0;
  const sending = setInterval(() => {
    for (const destination of [to.all, to.voters, to.node('b')]) a.send(destination, `early ${count++}`);
  }, 0);
  try {
    await b.open();
  } finally {
    clearInterval(sending);
  }
  await world.settle(a, b);
}

async function refusesAnAbortedOpen(world: ConformanceWorld): Promise<void> {
  const connection = await world.connect();
  const listener = world.listener(connection, world.group, 'a', ['a']);
  await rejectsWith('ABORTED', listener.open(AbortSignal.abort()));
  await listener.open(new AbortController().signal);
  await connection.check?.();
}

async function publishesEvents(world: ConformanceWorld): Promise<void> {
  const [publisher] = await world.nodes({ names: ['a'], voters: ['a'] });
  const [reader, elsewhere] = [await world.reader(world.group), await world.reader(`${world.group}-elsewhere`)];
  const names = ['invoice:42', 'a.b.*.>', '測試 🦜', 'plain'];
  const events = names.flatMap((name) => ['lock', 'election'].map((kind) => ({ kind, name, bytes: Buffer.from(`${kind} of ${name}`) })));
  publisher.channel.publishEvents(events);
  await reader.receives(...events.map(({ bytes }) => textOf(bytes)));
  await reader.stop();
  const second = await world.reader(world.group);
  publisher.channel.publishEvents([{ kind: 'lock', name: 'plain', bytes: Buffer.from('later') }]);
  await second.receives('later');
  reader.receivedOnly(...events.map(({ bytes }) => textOf(bytes)));
  elsewhere.receivedOnly();
  publisher.receivedOnly();
  await reader.stop();
}

async function placesKeys(world: ConformanceWorld): Promise<void> {
  const [one, other] = [await world.connect(), await world.connect()].map(({ transport }) => transport);
  assert.ok(one !== undefined && other !== undefined);
  const texts = ['', 'a', 'order:42', 'größe/測試 🙂', 'x'.repeat(1_000), ...Array.from({ length: 200 }, (_, index) => `key-${index}`)];
  const seen = new Set<number>();
  for (const count of [1, 2, 12, 1_024]) {
    for (const text of texts) {
      const partition = one.partitionOf(text, count);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < count, `${partition} of ${count} for ${JSON.stringify(text)}`);
      for (const key of [text, Buffer.from(text), new TextEncoder().encode(text)]) assert.equal(other.partitionOf(key, count), partition);
      if (count === 12) seen.add(partition);
    }
  }
  assert.equal(seen.size, 12, '205 keys leave a partition of 12 empty');
  // Bytes that are no text, and a view into a larger buffer.
  const bytes = Uint8Array.of(255, 0, 128, 200, 9, 254, 255);
  assert.equal(one.partitionOf(bytes.subarray(1, 6), 1_024), one.partitionOf(Uint8Array.of(0, 128, 200, 9, 254), 1_024));
  for (const count of [0, -1, 1.5, NaN]) await rejectsWith('INVALID_OPTIONS', (async () => one.partitionOf('a', count))());
}

async function survivesAnInterruption(world: ConformanceWorld): Promise<void> {
  const [a, b] = await world.nodes({ names: ['a', 'b'], voters: ['a', 'b'] });
  await world.interrupt();
  for (const node of [a, b]) {
    await node.until('disconnected', () => node.statuses.at(-1) === 'disconnected');
    assert.equal(node.channel.status, 'disconnected');
    node.send(to.all, 'dropped');
  }
  await world.restore();
  for (const node of [a, b]) await node.until('connected', () => node.statuses.at(-1) === 'connected');
  await world.settle(a, b);
  // A carrier may need a while to recover each of its parts, and what it loses meanwhile is the protocol's to repeat.
  const goesOn = () => b.has('on to voters') && b.has('on to b');
  await b.until('frames after the interruption', goesOn, () => {
    a.send(to.voters, 'on to voters');
    a.send(to.node('b'), 'on to b');
  });
  for (const node of [a, b]) {
    assert.equal(node.channel.status, 'connected');
    assert.ok(
      node.statuses.every((status, index) => status !== node.statuses[index - 1]),
      `statuses repeat: ${node.statuses.join()}`,
    );
  }
}

async function abortsAWaitingOpen(world: ConformanceWorld): Promise<void> {
  const [witness] = await world.nodes({ names: ['witness'], voters: ['witness'] });
  const connection = await world.connect();
  await world.interrupt();
  await witness.until('disconnected', () => witness.statuses.at(-1) === 'disconnected');
  const abort = new AbortController();
  const listener = world.listener(connection, world.group, 'a', ['witness']);
  const opening = listener.open(abort.signal);
  setImmediate(() => abort.abort());
  await rejectsWith('ABORTED', opening);
  await world.restore();
  await listener.open();
  await world.settle(witness, listener);
  witness.send(to.node('a'), 'once');
  await listener.receives('once');
  await world.settle(witness, listener);
  listener.receivedOnly('once');
}

async function noticesAClosedConnection(world: ConformanceWorld): Promise<void> {
  const connection = await world.connect();
  const listener = world.listener(connection, world.group, 'a', ['a']);
  await listener.open();
  await connection.close?.();
  await listener.until('closed', () => listener.statuses.at(-1) === 'closed');
  assert.equal(listener.channel.status, 'closed');
  listener.send(to.all, 'dropped');
  await Promise.all([listener.channel.close(), listener.channel.close()]);
  await rejectsWith('TRANSPORT_CLOSED', world.listener(connection, world.group, 'a', ['a']).open());
  assert.equal(listener.statuses.filter((status) => status === 'closed').length, 1);
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => isQuorateError(error, code) || assert.fail(`expected ${code}, got ${String(error)}`));
}
