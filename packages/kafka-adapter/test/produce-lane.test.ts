/** One request for a turn, and what happens to what cannot leave. */
import type { ChannelEvent } from '@quorate/core/adapter';
import type { KafkaFailure } from '../src/failure.ts';
import { ProduceLane } from '../src/produce-lane.ts';
import { FakeDriver } from './fake-driver.ts';

function lane(driver: FakeDriver, { inFlightMax = 1, batchBytesMax = 10_000 } = {}) {
  const events: ChannelEvent[] = [];
  const failures: KafkaFailure[] = [];
  const onEvent = (event: ChannelEvent) => void events.push(event);
  const onFailure = (failure: KafkaFailure) => void failures.push(failure);
  const made = new ProduceLane({ driver, broker: 1, topic: 't', batchBytesMax, inFlightMax, onEvent, onFailure });
  return { lane: made, events, failures };
}

const entry = (partition: number, size = 10) => ({ partition, record: { key: Buffer.from('k'), value: Buffer.alloc(size) } });
const shape = (driver: FakeDriver) =>
  driver.produced.map((batches) => batches.map(({ partition, records }) => [partition, records.length]));

test('sends what was written in one turn as one request, a batch for each partition', async () => {
  const driver = new FakeDriver(3);
  const { lane: one } = lane(driver);
  for (const partition of [0, 1, 0, 2, 0]) one.add(entry(partition));
  await one.idle();
  expect(shape(driver)).toEqual([
    [
      [0, 3],
      [1, 1],
      [2, 1],
    ],
  ]);
});

test('collects what comes while as many requests as allowed are under way', async () => {
  const driver = new FakeDriver(3);
  const { lane: one } = lane(driver);
  let open = () => undefined as void;
  driver.gate = new Promise((resolve) => (open = resolve));
  one.add(entry(0));
  await new Promise(process.nextTick);
  for (let turn = 0; turn < 5; turn++) {
    one.add(entry(1));
    await new Promise(process.nextTick);
  }
  expect(shape(driver)).toEqual([[[0, 1]]]);
  open();
  await one.idle();
  expect(shape(driver)).toEqual([[[0, 1]], [[1, 5]]]);
});

test('splits what is over the limit of a batch, and keeps the order', async () => {
  const driver = new FakeDriver(3);
  const { lane: one } = lane(driver, { batchBytesMax: 1_000 });
  for (let index = 0; index < 4; index++) one.add(entry(0, 400 + index));
  await one.idle();
  expect(shape(driver)).toEqual([[[0, 2]], [[0, 2]]]);
  const sizes = driver.produced.flatMap((batches) => batches.flatMap(({ records }) => records.map(({ value }) => value?.length)));
  expect(sizes).toEqual([400, 401, 402, 403]);
});

test('reports records that the broker refuses as too large, and goes on', async () => {
  const driver = new FakeDriver(3);
  const { lane: one, events, failures } = lane(driver);
  driver.spoil('produce', 'tooLarge');
  one.add(entry(0));
  await one.idle();
  one.add(entry(1));
  await one.idle();
  expect(events).toEqual([expect.objectContaining({ type: 'error', code: 'FRAME_TOO_LARGE' })]);
  expect(failures).toEqual([]);
  expect(shape(driver)).toEqual([[[1, 1]]]);
});

test('drops the oldest, loudly, where a broker does not keep up', async () => {
  const driver = new FakeDriver(3);
  const { lane: one, events } = lane(driver, { batchBytesMax: 1_048_588 });
  let open = () => undefined as void;
  driver.gate = new Promise((resolve) => (open = resolve));
  one.add(entry(2));
  await new Promise(process.nextTick);
  for (let index = 0; index < 20; index++) one.add(entry(0, 1_000_000 + index));
  expect(events).toEqual([expect.objectContaining({ type: 'warning', code: 'RECORDS_DROPPED' })]);
  open();
  await one.idle();
  const sizes = driver.produced.flatMap((batches) => batches.flatMap(({ records }) => records.map(({ value }) => value?.length)));
  expect(sizes.at(-1)).toBe(1_000_019);
  expect(sizes).not.toContain(1_000_000);
});

test('hands a failure on and sends nothing twice', async () => {
  const driver = new FakeDriver(3);
  const { lane: one, failures } = lane(driver);
  driver.spoil('produce', 'connection');
  one.add(entry(0));
  await one.idle();
  expect(failures).toEqual([expect.objectContaining({ kind: 'connection' })]);
  expect(driver.produced).toEqual([]);
});
