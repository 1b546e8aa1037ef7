/** Making sure of a topic: created as it should be, waited for, or refused with the command that helps. */
import { isQuorateError } from '@quorate/core/adapter';
import type { QuorateError } from '@quorate/core/adapter';
import { createCommand, ensureTopic, eventsTopic, framesTopic } from '../src/topic.ts';
import { FakeDriver } from './fake-driver.ts';

const spec = framesTopic({ group: 'billing', partitions: 25, retentionMs: 600_000, replicationFactor: undefined });
const never = new AbortController().signal;

const refusalOf = (driver: FakeDriver) =>
  ensureTopic(driver, spec, never).then(
    () => undefined,
    (error: unknown) => error as QuorateError,
  );

test('creates a missing topic with short retention and resolves with its leaders', async () => {
  const driver = new FakeDriver(0);
  const { leaders } = await ensureTopic(driver, spec, never);
  expect(leaders.size).toBe(25);
  expect(driver.created).toEqual([expect.objectContaining({ topic: 'quorate.billing.paxos', partitions: 25 })]);
  expect(driver.created[0]?.settings).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '600000', 'min.insync.replicas': '1' });
});

test('waits until every partition has a leader', async () => {
  const driver = new FakeDriver(25);
  driver.leaders.set(7, -1);
  const waiting = ensureTopic(driver, spec, never);
  let isSettled = false;
  void waiting.finally(() => (isSettled = true));
  await driver.describe(spec.topic);
  expect(isSettled).toBe(false);
  driver.leaders.set(7, 1);
  expect((await waiting).leaders.get(7)).toBe(1);
});

test('names the exact command where the topic may not be created', async () => {
  const driver = new FakeDriver(0);
  driver.spoil('create', 'denied');
  const error = await refusalOf(driver);
  expect(isQuorateError(error, 'TOPIC_MISSING')).toBe(true);
  const command = 'kafka-topics.sh --bootstrap-server broker:9092 --create --topic quorate.billing.paxos --partitions 25';
  expect(error?.message).toContain(`${command} --config cleanup.policy=delete --config retention.ms=600000`);
  expect(error?.details).toMatchObject({ command: createCommand(spec, 'broker:9092') });
});

test('names the topic and the rights where it may not be seen', async () => {
  const driver = new FakeDriver(25);
  driver.spoil('describe', 'denied');
  const error = await refusalOf(driver);
  expect(isQuorateError(error, 'TRANSPORT_DENIED')).toBe(true);
  expect(error?.message).toContain('Read, Write and Describe on topic quorate.billing.paxos');
});

test('refuses a topic with too few partitions and says how to add them', async () => {
  const error = await refusalOf(new FakeDriver(3));
  expect(isQuorateError(error, 'INVALID_OPTIONS')).toBe(true);
  expect(error?.message).toContain('kafka-topics.sh --bootstrap-server broker:9092 --alter --topic quorate.billing.paxos --partitions 25');
});

test('keeps names within what Kafka allows (groups of any Unicode text, 256 bytes)', () => {
  for (const group of ['a', 'a.b', '*', 'größe/測試', '🦜'.repeat(64), '.', '..']) {
    for (const { topic } of [
      framesTopic({ ...{ partitions: 1, retentionMs: 60_000, replicationFactor: 1 }, group }),
      eventsTopic({ group, replicationFactor: 1 }),
    ]) {
      expect(topic).toMatch(/^[A-Za-z0-9._-]{1,249}$/);
    }
  }
});
