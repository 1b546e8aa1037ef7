/** Our partition of a subject beside the one that a real server chooses with `partition()`. */
import { connect } from 'nats';
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { natsPartitionOf } from '../../src/index.ts';
// Written down from what nats-server 2.15.2 chose, for other languages to be checked against.
import golden from './partitions.golden.json';

const keys = [...Array.from({ length: 60 }, (_, index) => `key-${index}`), 'a', 'foo', 'Äpfel', '鍵', '0', 'x'.repeat(200)];

describe('the partition of a subject', () => {
  test.each(golden)('is what the server chose: $tokens of $count', ({ tokens, count, partition }) => {
    expect(natsPartitionOf(tokens, count)).toBe(partition);
  });

  // http://www.isthe.com/chongo/src/fnv/test_fnv.c gives these hashes; modulo 2^31 − 1 they stay recognisable.
  test.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('is FNV-1a of 32 bits: %j', (text, hash) => {
    expect(natsPartitionOf(text, 0x7fff_ffff)).toBe(hash % 0x7fff_ffff);
    expect(natsPartitionOf(Buffer.from(text), 1_000)).toBe(hash % 1_000);
  });

  test.each([0, -1, 1.5, Number.NaN])('is refused for %d partitions', (count) => {
    expect(() => natsPartitionOf('a', count)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });
});

describeWithNats(
  'a server that partitions subjects',
  () => {
    test('chooses as we do, for one token and for two, on core subjects and in a stream (1 server)', async () => {
      const mappings = `mappings = {
        "in.*": "out.{{partition(7,1)}}.{{wildcard(1)}}"
        "pair.*.*": "paired.{{partition(64,2,1)}}.{{wildcard(1)}}.{{wildcard(2)}}"
      }`;
      await using broker = await natsBroker({ own: true, config: mappings });
      const connection = await connect({ servers: broker.url });
      const manager = await connection.jetstreamManager();
      await manager.streams.add({
        name: 'orders',
        subjects: ['orders.*'],
        subject_transform: { src: 'orders.*', dest: 'orders.{{partition(12,1)}}.{{wildcard(1)}}' },
      });
      const chosen: string[] = [];
      connection.subscribe('out.>', { callback: (_error, { subject }) => void chosen.push(subject) });
      connection.subscribe('paired.>', { callback: (_error, { subject }) => void chosen.push(subject) });
      for (const key of keys) connection.publish(`in.${key}`);
      for (const key of keys) connection.publish(`pair.${key}.second`);
      for (const key of keys) await connection.jetstream().publish(`orders.${key}`);
      await connection.flush();
      expect(chosen).toEqual([
        ...keys.map((key) => `out.${natsPartitionOf([key], 7)}.${key}`),
        ...keys.map((key) => `paired.${natsPartitionOf(['second', key], 64)}.${key}.second`),
      ]);
      for (const [index, key] of keys.entries()) {
        const { subject } = await manager.streams.getMessage('orders', { seq: index + 1 });
        expect(subject).toBe(`orders.${natsPartitionOf(key, 12)}.${key}`);
      }
      await connection.close();
    });
  },
  { own: 'process' },
);
