/** Names of durables, and what a pull's inbox receives, read without a server. */
import { arrivalOf } from '../../src/consumer/delivery.ts';
import { EpochNames, newestEpochs, refuseIfStale } from '../../src/consumer/epoch.ts';
import type { NatsStreamMessage } from '../../src/index.ts';

describe('the names of epochs', () => {
  test('say name, partition and token, and the restart where there was one', () => {
    const names = new EpochNames('workers', 3);
    expect(names.of({ token: 77, restart: 0 }).name).toBe('workers_3_77');
    expect(names.of({ token: 77, restart: 2 }).name).toBe('workers_3_77_2');
  });

  test('are found among the consumers of a stream, the oldest first', () => {
    const consumers = [
      'workers_3_9',
      'workers_3_10',
      'other',
      'workers_33_1',
      'workers_3_9_1',
      'workers_3_x',
      'workers_3_',
      'workers_3_9_1_1',
    ];
    expect(new EpochNames('workers', 3).among(consumers).map(({ name }) => name)).toEqual(['workers_3_9', 'workers_3_9_1', 'workers_3_10']);
  });

  test('show the newest of every partition, as one search for each of them would', () => {
    const consumers = ['w_0_9', 'w_0_10', 'w_0_9_3', 'w_1_7_2', 'w_1_7_11', 'w_1_7', 'w_33_1', 'w_03_1', 'w_2_x', 'w_2_', 'v_2_1', 'w_x'];
    const newest = [...newestEpochs('w', consumers)].map(([partition, { name }]) => [partition, name]);
    expect(newest).toEqual(expect.arrayContaining([0, 1, 33].map((of) => [of, new EpochNames('w', of).among(consumers).at(-1)?.name])));
    expect(newest).toHaveLength(3);
    expect(newestEpochs('a', [new EpochNames('a_1', 2).of({ token: 3, restart: 0 }).name])).toEqual(new Map());
  });

  test('are never shared by two names, whatever is in them', () => {
    const own = new EpochNames('a', 1).of({ token: 2, restart: 3 }).name;
    for (const [name, partition] of [
      ['a_1', 2],
      ['a_1_2', 3],
      ['a', 2],
    ] as const) {
      expect(new EpochNames(name, partition).among([own])).toEqual([]);
    }
    expect(new EpochNames('a.b *', 1).of({ token: 2, restart: 0 }).name).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test('show an owner that another one has come after it', () => {
    const epochs = new EpochNames('w', 0).among(['w_0_5', 'w_0_9']);
    expect(() => refuseIfStale(epochs, { partition: 0, token: 9 })).not.toThrow();
    expect(() => refuseIfStale(epochs, { partition: 0, token: 8 })).toThrow(expect.objectContaining({ code: 'STALE_OWNER' }));
  });
});

describe('what arrives at the inbox of a pull', () => {
  const message = { subject: 'orders.3', data: new Uint8Array([1]) };
  const status = (code: number, description = ''): NatsStreamMessage => ({
    subject: '_INBOX.x.1',
    data: new Uint8Array(0),
    headers: {
      code,
      description,
      get: () => '',
      has: () => false,
      keys: () => [],
      values: () => [],
      set: () => undefined,
      delete: () => undefined,
    },
  });

  test.each([
    ['without a domain', '$JS.ACK.S.w_3_9.2.41.12.1700000000123456789.5'],
    ['with domain and account', '$JS.ACK.hub.ACCHASH.S.w_3_9.2.41.12.1700000000123456789.5'],
    ['with domain, account and a random token', '$JS.ACK.hub.ACCHASH.S.w_3_9.2.41.12.1700000000123456789.5.Ab9'],
  ])('is a message that says its place (%s)', (_form, reply) => {
    const arrival = arrivalOf({ ...message, reply });
    expect(arrival).toMatchObject({ type: 'delivery', delivery: { consumerSequence: 12, ackSubject: reply } });
    expect(arrival).toMatchObject({
      delivery: { message: { sequence: 41, deliveries: 2, storedAtMs: 1_700_000_000_123, subject: 'orders.3' } },
    });
  });

  test.each([
    [status(100, 'Idle Heartbeat'), 'heartbeat'],
    [status(404, 'No Messages'), 'pullEnded'],
    [status(408, 'Request Timeout'), 'pullEnded'],
    [status(409, 'Leadership Change'), 'pullEnded'],
    [status(409, 'Consumer Deleted'), 'trouble'],
    [status(409, 'Exceeded MaxRequestExpires of 1ms'), 'trouble'],
    [status(503), 'trouble'],
    [{ ...message, reply: 'not.an.acknowledgement' }, 'trouble'],
  ])('is something that the server says of the pull (%#)', (arrived, type) => {
    expect(arrivalOf(arrived).type).toBe(type);
  });
});
