/** A link without a group over a driver in memory: what it reads, and how it comes back from each kind of failure. */
import { EventEmitter, once } from 'node:events';
import type { ChannelEvent } from '@quorate/core/adapter';
import { KafkaFailure } from '../src/failure.ts';
import { FetchingLink } from '../src/fetching-link.ts';
import { framesTopic } from '../src/topic.ts';
import { FakeDriver } from './fake-driver.ts';

const spec = framesTopic({ group: 'g', partitions: 4, retentionMs: 60_000, replicationFactor: undefined });

class World {
  readonly texts: string[] = [];
  readonly statuses: (boolean | string)[] = [];
  readonly events: ChannelEvent[] = [];
  onText: (() => void) | undefined;
  readonly #changes = new EventEmitter();
  readonly link: FetchingLink;

  constructor(readonly driver: FakeDriver) {
    this.link = new FetchingLink({
      driver,
      spec,
      read: () => [0, 2],
      inFlightMax: 2,
      probe: { key: Buffer.from('probe'), value: null },
      onRecord: (_partition, { value }) => {
        this.#note(() => value !== null && this.texts.push(value.toString()));
        if (value !== null) this.onText?.();
      },
      onConnected: (isConnected, cause) => this.#note(() => this.statuses.push(isConnected || (cause?.message ?? 'lost'))),
      onEvent: (event) => this.#note(() => this.events.push(event)),
    });
  }

  async open(): Promise<void> {
    await this.link.open();
    this.link.start();
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(20_000);
    while (!isReached()) await once(this.#changes, 'change', { signal: deadline });
  }

  #note(change: () => unknown): void {
    change();
    this.#changes.emit('change');
  }
}

const open: World[] = [];
afterEach(() => Promise.all(open.splice(0).map(({ link }) => link.close())));

async function opened(driver = new FakeDriver(4)): Promise<World> {
  const world = new World(driver);
  open.push(world);
  await world.open();
  return world;
}

test('starts at the end and reads only what it was asked to', async () => {
  const driver = new FakeDriver(4);
  for (const partition of [0, 1, 2, 3]) driver.append(partition, 'stale');
  const world = await opened(driver);
  driver.append(1, 'not mine');
  driver.append(0, 'one', 'two');
  driver.append(2, 'three');
  await world.until(() => world.texts.length >= 3);
  expect(world.texts.sort()).toEqual(['one', 'three', 'two']);
});

test('misses nothing that comes between open and start', async () => {
  const world = new World(new FakeDriver(4));
  open.push(world);
  await world.link.open();
  world.driver.append(0, 'early');
  world.link.start();
  await world.until(() => world.texts.includes('early'));
});

test('takes each record once where a broker sends whole batches, or the same answer again', async () => {
  const driver = new FakeDriver(4);
  driver.append(0, 'before the asked offset');
  const world = new World(driver);
  open.push(world);
  const fetch = driver.fetch.bind(driver);
  driver.fetch = (broker, request) =>
    fetch(broker, { ...request, positions: request.positions.map(({ partition }) => ({ partition, offset: 0 })) });
  await world.open();
  driver.append(0, 'one', 'two');
  driver.append(2, 'three');
  await world.until(() => world.texts.length >= 3);
  driver.append(0, 'four');
  await world.until(() => world.texts.includes('four'));
  expect(world.texts.sort()).toEqual(['four', 'one', 'three', 'two']);
});

test('writes what the turn after a record has to say before it asks for more', async () => {
  const driver = new FakeDriver(4);
  const world = await opened(driver);
  const calls: string[] = [];
  const { fetch, produce } = { fetch: driver.fetch.bind(driver), produce: driver.produce.bind(driver) };
  const bothMade = new Promise<void>((resolve) => {
    const note = (call: string): void => {
      if (world.texts.length > 0 && calls.push(call) === 2) resolve();
    };
    driver.fetch = (...request) => (note('fetch'), fetch(...request));
    driver.produce = (...request) => (note('produce'), produce(...request));
  });
  world.onText = () => {
    process.nextTick(() => world.link.write([{ partition: 1, record: { key: Buffer.from('k'), value: Buffer.from('answer') } }]));
  };
  driver.append(0, 'question');
  await bothMade;
  expect(calls).toEqual(['produce', 'fetch']);
});

test('follows a partition to its new leader', async () => {
  const world = await opened();
  world.driver.leaders.set(2, 5);
  await world.until(() => world.statuses.includes(true));
  world.driver.append(2, 'from the new leader');
  world.driver.append(0, 'from the old one');
  await world.until(() => world.texts.length === 2);
  world.link.write([{ partition: 2, record: { key: Buffer.from('k'), value: Buffer.from('w') } }]);
  await world.until(() => world.texts.includes('w'));
});

test('comes back when a lost broker is back, and says both once', async () => {
  const world = await opened();
  world.driver.spoil('fetch', 'connection');
  world.driver.spoil('ready', 'connection', { times: 3 });
  await world.until(() => world.statuses.includes(true));
  expect(world.statuses).toEqual(['fetch is spoilt', true]);
  world.driver.append(0, 'after');
  await world.until(() => world.texts.includes('after'));
});

test('starts over with new connections when the old ones do not come back', async () => {
  const world = await opened();
  world.driver.spoil('fetch', 'connection');
  world.driver.spoil('describe', 'connection', { times: 14 });
  await world.until(() => world.statuses.includes(true));
  expect(world.driver.renewals).toBeGreaterThan(0);
});

test('a failed write is a lost connection too, and nothing is written until it is back', async () => {
  const world = await opened();
  const write = (text: string) => world.link.write([{ partition: 0, record: { key: Buffer.from('k'), value: Buffer.from(text) } }]);
  world.driver.spoil('produce', 'connection');
  world.driver.spoil('ready', 'connection');
  write('lost');
  await world.until(() => world.statuses.length > 0);
  write('dropped');
  await world.until(() => world.statuses.includes(true));
  write('arrives');
  await world.until(() => world.texts.includes('arrives'));
  expect(world.texts).toEqual(['arrives']);
});

test('keeps reading from a healthy broker while another is lost (2 brokers)', async () => {
  const driver = new FakeDriver(4);
  driver.leaders.set(2, 5);
  const world = await opened(driver);
  driver.spoil('fetch', 'connection', { broker: 5 });
  driver.spoil('ready', 'connection', { broker: 5, times: 1_000 });
  await world.until(() => world.statuses.length > 0);
  driver.append(0, 'still here');
  await world.until(() => world.texts.includes('still here'));
  world.link.write([{ partition: 0, record: { key: Buffer.from('k'), value: Buffer.from('written') } }]);
  await world.until(() => world.texts.includes('written'));
  expect(world.statuses).toEqual(['fetch is spoilt']);
  driver.heal();
  await world.until(() => world.statuses.includes(true));
});

test('notices a broker that is lost while another is being reached again (2 brokers)', async () => {
  const driver = new FakeDriver(4);
  driver.leaders.set(2, 5);
  const world = await opened(driver);
  const fetch = driver.fetch.bind(driver);
  let onLost: (() => void) | undefined;
  driver.fetch = async (broker, request) => {
    if (broker !== 5 || onLost === undefined) return fetch(broker, request);
    setImmediate(onLost);
    onLost = undefined;
    throw new KafkaFailure('connection', 'lost too');
  };
  const ready = driver.ready.bind(driver);
  let isFirst = true;
  driver.ready = async (broker) => {
    await ready(broker);
    if (broker === 1 && isFirst) await new Promise<void>((resolve) => (onLost = resolve));
    if (broker === 1) isFirst = false;
  };
  driver.spoil('fetch', 'connection', { broker: 1 });
  await world.until(() => world.statuses.includes(true));
  driver.append(0, 'by 1');
  driver.append(2, 'by 5');
  await world.until(() => world.texts.length === 2);
});

test('goes on at the end where what it had not read was deleted, and says so', async () => {
  const world = new World(new FakeDriver(4));
  open.push(world);
  await world.link.open();
  world.driver.append(0, ...Array.from({ length: 10 }, (_, index) => `old ${index}`));
  world.driver.truncate(0);
  world.link.start();
  await world.until(() => world.events.length > 0);
  world.driver.append(0, 'new');
  await world.until(() => world.texts.includes('new'));
  expect(world.texts).toEqual(['new']);
  expect(world.events).toEqual([expect.objectContaining({ type: 'info', code: 'RECORDS_SKIPPED' })]);
  expect(world.statuses).toEqual([]);
});

test('skips what it cannot decode', async () => {
  const world = new World(new FakeDriver(4));
  open.push(world);
  await world.link.open();
  world.driver.append(0, 'compressed by somebody');
  world.driver.spoil('fetch', 'refused');
  world.link.start();
  await world.until(() => world.events.length > 0);
  world.driver.append(0, 'new');
  await world.until(() => world.texts.includes('new'));
  expect(world.texts).toEqual(['new']);
});

test('jumps to the end when it is hopelessly behind', async () => {
  const world = new World(new FakeDriver(4));
  open.push(world);
  await world.link.open();
  const fetch = world.driver.fetch.bind(world.driver);
  // A broker answers with a part of what there is.
  world.driver.fetch = async (broker, request) =>
    (await fetch(broker, request)).map((part) => ({ ...part, records: part.records.slice(0, 100) }));
  world.driver.append(0, ...Array.from({ length: 20_000 }, (_, index) => String(index)));
  world.link.start();
  await world.until(() => world.events.length > 0);
  world.driver.append(0, 'now');
  await world.until(() => world.texts.includes('now'));
  expect(world.texts.length).toBeLessThan(200);
});

test('cuts off a broker that does not answer, and reads on', async () => {
  const world = await opened();
  world.driver.hangs = true;
  await world.until(() => world.statuses.length > 0);
  expect(world.driver.cuts).toContain(1);
  world.driver.hangs = false;
  world.driver.append(0, 'again');
  await world.until(() => world.texts.includes('again'));
});

test('creates the topic again when somebody deleted it', async () => {
  const world = await opened();
  world.driver.leaders.clear();
  world.driver.spoil('fetch', 'missing');
  await world.until(() => world.statuses.includes(true));
  expect(world.driver.created).toHaveLength(1);
});

test('says that a right was taken away, and comes back when it is given again', async () => {
  const world = await opened();
  world.driver.spoil('fetch', 'denied');
  await world.until(() => world.statuses.includes(true));
  expect(world.events).toEqual([expect.objectContaining({ type: 'error', code: 'TRANSPORT_DENIED' })]);
});

test('a listener that throws is told of it and gets the next record', async () => {
  const events: ChannelEvent[] = [];
  const driver = new FakeDriver(4);
  await new Promise<void>((resolve, reject) => {
    const link = new FetchingLink({
      driver,
      spec,
      read: () => [0],
      inFlightMax: 2,
      onRecord: (_partition, { value }) => {
        if (value?.toString() === 'bad') throw new Error('thrown by the listener');
        link.close().then(resolve, reject);
      },
      onConnected: () => undefined,
      onEvent: (event) => events.push(event),
    });
    link.open().then(() => {
      link.start();
      driver.append(0, 'bad', 'good');
    }, reject);
  });
  expect(events).toEqual([expect.objectContaining({ type: 'error', code: 'LISTENER_THREW' })]);
});

test('opens when leaders settle after a topic was made', async () => {
  const driver = new FakeDriver(4);
  driver.spoil('latestOffsets', 'leader', { times: 2 });
  driver.spoil('produce', 'missing');
  const world = await opened(driver);
  driver.append(0, 'x');
  await world.until(() => world.texts.includes('x'));
});

test('does not open without the right to write, or to read', async () => {
  for (const call of ['produce', 'fetch'] as const) {
    const driver = new FakeDriver(4);
    driver.spoil(call, 'denied');
    const world = new World(driver);
    await expect(world.open()).rejects.toMatchObject({ kind: 'denied' });
    await world.link.close();
  }
});
