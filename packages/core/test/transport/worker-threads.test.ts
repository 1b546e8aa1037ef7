/** The worker transport between real threads: frames cross, a terminated thread is simply gone, and no thread is kept alive. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { workerTransport } from '../../src/transport/worker.ts';

const script = join(__dirname, 'worker-thread.ts');
const execArgv = ['-C', 'quorate-source', '-r', 'ts-node/register/transpile-only'];

function startThread(data: { readonly channel: string; readonly node: string; readonly stays: boolean }): Worker {
  return new Worker(script, { workerData: data, execArgv });
}

async function openHere(channel: string) {
  const frames: Uint8Array[] = [];
  const texts: string[] = [];
  let changed: () => void = () => undefined;
  const opened = await workerTransport({ channel }).open({
    group: 'g',
    node: 'here',
    voters: ['here'],
    onFrame: (bytes) => {
      frames.push(bytes);
      texts.push(Buffer.from(bytes).toString());
      changed();
    },
    onStatus: () => undefined,
    onEvent: () => undefined,
  });
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      changed = () => texts.includes(text) && resolve();
      changed();
    });
  return { channel: opened, frames, texts, until };
}

test('frames cross threads, and a terminated thread is gone without a word (1 voter, 2 threads)', async () => {
  const channel = randomUUID();
  const here = await openHere(channel);
  const [first, second] = [startThread({ channel, node: 'first', stays: true }), startThread({ channel, node: 'second', stays: true })];
  await here.until('first is here');
  await here.until('second is here');
  here.channel.send([{ to: { type: 'node', node: 'first' }, bytes: Buffer.from('to first') }]);
  await here.until('first heard: to first');
  await first.terminate();
  here.channel.send([
    { to: { type: 'node', node: 'first' }, bytes: Buffer.from('to nobody') },
    { to: { type: 'all' }, bytes: Buffer.from('to all') },
  ]);
  await here.until('second heard: to all');
  expect(here.texts.filter((text) => text.includes('nobody') || text === 'first heard: to all')).toEqual([]);
  await second.terminate();
  await here.channel.close();
});

test('an open channel keeps no thread alive (1 voter, 1 thread)', async () => {
  const channel = randomUUID();
  const here = await openHere(channel);
  const thread = startThread({ channel, node: 'brief', stays: false });
  const exited = once(thread, 'exit');
  await here.until('brief is here');
  expect(await exited).toEqual([0]);
  await here.channel.close();
});

test('a frame cut from a pool does not drag the pool along (2 nodes)', async () => {
  const channel = randomUUID();
  const [here, there] = [await openHere(channel), await openHere(channel)];
  const pool = Buffer.alloc(1_000_000, 'x');
  here.channel.send([{ to: { type: 'all' }, bytes: pool.subarray(1_000, 1_010) }]);
  await there.until('x'.repeat(10));
  expect(there.frames.map(({ buffer }) => buffer.byteLength)).toEqual([10]);
  await Promise.all([here.channel.close(), there.channel.close()]);
});

test('closing leaves the process without an open `BroadcastChannel` (1 node)', async () => {
  const closed = jest.spyOn(BroadcastChannel.prototype, 'close');
  const here = await openHere(randomUUID());
  here.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]);
  await Promise.all([here.channel.close(), here.channel.close()]);
  expect(closed).toHaveBeenCalledTimes(2);
  closed.mockRestore();
});

test('posts that have not the shape are ignored (1 node)', async () => {
  const channel = randomUUID();
  const here = await openHere(channel);
  const stranger = new BroadcastChannel(JSON.stringify(['quorate', channel, 'g', 'frames']));
  const bytes = Buffer.from('foreign');
  for (const post of [null, 'all', { all: bytes }, [['all', 'text']], [[1, bytes]], [['=elsewhere', bytes]], ['all', bytes], [null]]) {
    stranger.postMessage(post);
  }
  stranger.postMessage([['all', Buffer.from('last')]]);
  await here.until('last');
  expect(here.texts).toEqual(['last']);
  stranger.close();
  await here.channel.close();
});
