/** Taking a partition over, request by request: what a new owner asks of the server, in which order, and who comes in between. */
import type { OwnedPartition } from '@quorate/core/adapter';
import { EpochNames } from '../../src/consumer/epoch.ts';
import { begunWithIn, metadataOf } from '../../src/consumer/growth.ts';
import { JetStreamApi } from '../../src/jetstream/jetstream-api.ts';
import { PartitionDurables } from '../../src/consumer/partition-durable.ts';
import type { TakenDurable } from '../../src/consumer/partition-durable.ts';
import { InMemoryJetStream } from './jetstream-in-memory.ts';

type Retention = 'limits' | 'interest' | 'workqueue';

interface Taking {
  readonly partition?: number;
  readonly retention?: Retention;
  readonly from?: 'all' | 'new';
  /** Partitions of the set. */
  readonly count?: number;
  readonly previous?: string;
  readonly onNote?: (note: string) => void;
  readonly api?: JetStreamApi;
}

/** An owner of partition 3, unless another is said, takes it; resolves with the durable. */
function apiOf(server: InMemoryJetStream): JetStreamApi {
  return new JetStreamApi(server.connection, { stream: 'orders', apiPrefix: '$JS.API', requestTimeoutMs: 1_000 });
}

function take(server: InMemoryJetStream, token: number, taking: Taking = {}): Promise<TakenDurable> {
  const { partition = 3, retention = 'limits', from = 'all', count = 8, previous, onNote, api = apiOf(server) } = taking;
  const settings = { filterSubject: 'orders.3', ackWaitMs: 30_000, maxAckPending: 1, replicas: undefined, from, retention, count };
  const durables = new PartitionDurables(api, new EpochNames('w', partition), settings);
  const note = (value: string): Promise<void> => Promise.resolve(onNote?.(value));
  return durables.take({ partition, token, previous, note } as Partial<OwnedPartition> as OwnedPartition, undefined);
}

const startOf = (server: InMemoryJetStream, name: string) => server.consumers.get(name)?.config.opt_start_seq;

describe('an owner that takes a partition over', () => {
  test('begins the first durable of all with the stream (1 owner)', async () => {
    const server = new InMemoryJetStream();
    expect(await take(server, 5)).toMatchObject({ name: 'w_3_5', isHandedOver: false, deleted: [] });
    expect(server.consumers.get('w_3_5')?.config).toMatchObject({ deliver_policy: 'all' });
  });

  test('closes the last durable, begins behind its floor, and only then deletes it (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_5', 7);
    expect(await take(server, 6)).toMatchObject({ name: 'w_3_6', deleted: ['w_3_5'] });
    expect(server.changes).toEqual(['close w_3_5', 'create w_3_6', 'delete w_3_5']);
    expect(startOf(server, 'w_3_6')).toBe(8);
  });

  test('counts what the last owner acknowledges until its durable is closed (2 owners)', async () => {
    const server = new InMemoryJetStream();
    const last = server.put('w_3_5', 7);
    server.before = (operation) => {
      if (operation === 'close') last.floor = 9;
    };
    await take(server, 6);
    expect(startOf(server, 'w_3_6')).toBe(10);
  });

  test('begins behind the highest floor of all that are left (3 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_4', 7);
    server.put('w_3_5', 2);
    expect(await take(server, 6)).toMatchObject({ deleted: ['w_3_4', 'w_3_5'] });
    expect([startOf(server, 'w_3_6'), server.names]).toEqual([8, ['w_3_6']]);
  });

  test('begins again where an owner before it made a durable in between, and counts that one too (3 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_4', 7);
    server.before = (operation, durable) => {
      if (operation !== 'create' || durable !== 'w_3_6') return;
      server.before = () => undefined;
      server.put('w_3_5', 9);
      server.consumers.delete('w_3_4');
    };
    expect(await take(server, 6)).toMatchObject({ name: 'w_3_6', deleted: ['w_3_5'] });
    expect([startOf(server, 'w_3_6'), server.names]).toEqual([10, ['w_3_6']]);
  });

  test('gives up where a later owner was here, before or in between, and leaves nothing behind (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_7');
    await expect(take(server, 6)).rejects.toMatchObject({ code: 'STALE_OWNER' });
    expect(server.changes).toEqual([]);
    server.consumers.clear();
    server.before = (operation) => {
      if (operation === 'create') server.put('w_3_7');
    };
    await expect(take(server, 6)).rejects.toMatchObject({ code: 'STALE_OWNER' });
    expect(server.names).toEqual(['w_3_7']);
  });

  test('deletes first on a work queue, where no two may overlap, and reads all that is left (2 owners)', async () => {
    const server = new InMemoryJetStream('workqueue');
    server.put('w_3_5', 7);
    expect(await take(server, 6, { retention: 'workqueue' })).toMatchObject({ name: 'w_3_6', deleted: ['w_3_5'] });
    expect(server.changes).toEqual(['delete w_3_5', 'create w_3_6']);
    expect(startOf(server, 'w_3_6')).toBeUndefined();
  });

  test('keeps the durable that was handed over, and takes its note away before it begins (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_5', 7, { metadata: metadataOf(8) });
    const notes: string[] = [];
    const taken = await take(server, 6, { previous: 'w_3_5', onNote: (note) => notes.push(`${note}after ${server.changes.length}`) });
    expect(taken).toMatchObject({ name: 'w_3_5', isHandedOver: true, consumerSequence: 7 });
    expect([notes, server.changes]).toEqual([['after 0'], []]);
  });

  test('keeps no durable that somebody still pulls from, or that is not the newest (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_4', 7);
    server.put('w_3_5', 7).waitingPulls = 1;
    expect(await take(server, 6, { previous: 'w_3_5' })).toMatchObject({ name: 'w_3_6', isHandedOver: false });
    server.put('w_3_5', 7);
    expect(await take(server, 8, { previous: 'w_3_5' })).toMatchObject({ name: 'w_3_8', isHandedOver: false });
  });
});

describe('with how many partitions the consumer began', () => {
  const numberOf = (server: InMemoryJetStream, name: string) => {
    const config = server.consumers.get(name)?.config;
    return config === undefined ? undefined : begunWithIn(config);
  };

  test('is read from whichever durable says it, few at once, and tells what has grown (11 partitions)', async () => {
    const server = new InMemoryJetStream();
    for (let partition = 0; partition < 9; partition++) server.put(`w_${partition}_5`);
    server.put('w_9_5', 0, { metadata: metadataOf(10) });
    const asked: string[] = [];
    server.before = (operation, durable) => void (operation === 'info' && asked.push(durable));
    expect(await take(server, 6, { partition: 10, from: 'new', count: 11 })).toMatchObject({ name: 'w_10_6', isGrown: true });
    expect([asked.length, server.consumers.get('w_10_6')?.config.deliver_policy, numberOf(server, 'w_10_6')]).toEqual([10, 'all', 10]);
  });

  test('is not asked for further once durables have said it (30 partitions)', async () => {
    const server = new InMemoryJetStream();
    for (let partition = 0; partition < 29; partition++) server.put(`w_${partition}_5`, 0, { metadata: metadataOf(30) });
    let asked = 0;
    server.before = (operation) => void (operation === 'info' && asked++);
    expect(await take(server, 6, { partition: 29, from: 'new', count: 30 })).toMatchObject({ isGrown: false });
    expect(asked).toBe(8);
  });

  test('is read once for all partitions that are taken side by side (30 partitions)', async () => {
    const server = new InMemoryJetStream();
    const partitions = Array.from({ length: 30 }, (_, partition) => partition);
    for (const partition of partitions) server.put(`w_${partition}_5`);
    let asked = 0;
    server.before = (operation) => void (operation === 'info' && asked++);
    const shared = { from: 'new', count: 30, api: apiOf(server) } as const;
    await Promise.all(partitions.map((partition) => take(server, 6, { ...shared, partition, previous: `w_${partition}_5` })));
    expect(asked).toBe(60);
  });

  test('is written on a durable of an earlier version that is handed over, as others say it, and kept from then on (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_5', 7, { metadata: { theirs: 'kept' } });
    server.put('w_4_5', 0, { metadata: metadataOf(6) });
    expect(await take(server, 6, { from: 'new', previous: 'w_3_5' })).toMatchObject({ name: 'w_3_5', isHandedOver: true });
    expect(server.consumers.get('w_3_5')?.config).toMatchObject({
      filter_subject: 'orders.3',
      metadata: { theirs: 'kept', ...metadataOf(6) },
    });
    server.changes.length = 0;
    await take(server, 7, { from: 'new', count: 9, previous: 'w_3_5' });
    expect([server.changes, numberOf(server, 'w_3_5')]).toEqual([[], 6]);
  });

  test('is written on the durable that replaces one of an earlier version, as others say it (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_5', 7);
    server.put('w_4_5', 0, { metadata: metadataOf(6) });
    await take(server, 6, { from: 'new' });
    expect(numberOf(server, 'w_3_6')).toBe(6);
  });

  test('fails the take-over where the durable that it is to be written on goes meanwhile, and leaves nothing behind (2 owners)', async () => {
    const server = new InMemoryJetStream();
    server.put('w_3_5', 7);
    server.before = (operation, durable) => void (operation === 'close' && server.consumers.delete(durable));
    await expect(take(server, 6, { previous: 'w_3_5' })).rejects.toMatchObject({ code: 'TRANSPORT_FAILED' });
    expect(server.names).toEqual([]);
  });
});
