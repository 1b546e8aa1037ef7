/** What a link by a consumer group leaves behind when it is closed: no timer that keeps the process from ending. */
import type { KafkaClient } from '../src/client.ts';
import { GroupLink } from '../src/group-link.ts';
import { framesTopic } from '../src/topic.ts';

const unused = (): never => {
  throw new Error('not to be used');
};

test('closes without a timer left behind (a link that was never opened)', async () => {
  jest.useFakeTimers();
  const kafka: KafkaClient = { consumer: unused, producer: unused, admin: unused };
  const spec = framesTopic({ group: 'g', partitions: 1, retentionMs: 60_000, replicationFactor: 1 });
  const ignore = () => undefined;
  const link = new GroupLink({ kafka, spec, read: () => [], inFlightMax: 1, onRecord: ignore, onConnected: ignore, onEvent: ignore });
  await link.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});
