/** What a user may choose, and what is refused with both the name and the bounds. */
import { isQuorateError } from '@quorate/core/adapter';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaTransport } from '../src/index.ts';
import type { KafkaClient, KafkaTransportOptions } from '../src/index.ts';

const kafka = () => new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING });

/** A client that hides its cluster, as a wrapper may. */
function clusterless(): KafkaClient {
  const real = kafka();
  return {
    admin: () => real.admin(),
    producer: (options) => real.producer(options),
    consumer: (options) => {
      const partitionAssigners = options.partitionAssigners.map((create) => () => create({ cluster: undefined }));
      return real.consumer({ ...options, partitionAssigners } as never);
    },
  };
}

function refusal(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}

test.each<[KafkaTransportOptions, string]>([
  [{ clientInboxes: 0 }, 'clientInboxes'],
  [{ clientInboxes: 2.5 }, 'clientInboxes'],
  [{ retentionMs: 1_000 }, 'retentionMs'],
  [{ replicationFactor: Number.NaN }, 'replicationFactor'],
  [{ inFlightMax: 6 }, 'inFlightMax'],
  [{ read: 'sideways' as 'auto' }, 'read'],
])('refuses %j by name', (options, named) => {
  const error = refusal(() => kafkaTransport(kafka(), options));
  expect(isQuorateError(error, 'INVALID_OPTIONS')).toBe(true);
  expect(String(error)).toContain(`\`${named}\``);
});

test.each([null, 5, 'quorate'])('refuses %p for its options', (options) => {
  expect(() => kafkaTransport(kafka(), options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
});

test('refuses what is not a Kafka client', () => {
  for (const client of [undefined, null, {}, 'localhost:9092', kafka().admin()]) {
    expect(
      isQuorateError(
        refusal(() => kafkaTransport(client as never)),
        'INVALID_OPTIONS',
      ),
    ).toBe(true);
  }
});

test('reads without a group where the client allows it, and expects a group to take longer', () => {
  expect(kafkaTransport(kafka()).timing).toEqual({ heartbeatMs: 300, electionTimeoutMs: 1_500, sessionTtlMs: 30_000 });
  expect(kafkaTransport(kafka(), { read: 'group' }).timing.electionTimeoutMs).toBe(3_000);
  expect(kafkaTransport(clusterless()).timing.electionTimeoutMs).toBe(3_000);
  expect(
    isQuorateError(
      refusal(() => kafkaTransport(clusterless(), { read: 'handle' })),
      'INVALID_OPTIONS',
    ),
  ).toBe(true);
  expect(kafkaTransport(kafka(), { timing: { heartbeatMs: 500 } }).timing).toEqual({
    heartbeatMs: 500,
    electionTimeoutMs: 1_500,
    sessionTtlMs: 30_000,
  });
});

test.each(['handle', 'group'] as const)('gives sessions a TTL that outlasts a change of leaders, read by %s', (read) => {
  const { electionTimeoutMs, sessionTtlMs } = kafkaTransport(kafka(), { read }).timing;
  // Four of the longest election timeouts and two keep-alive periods, a fifth of the TTL each.
  expect(sessionTtlMs).toBeGreaterThanOrEqual(4 * 2 * electionTimeoutMs + (2 * sessionTtlMs) / 5);
});
