/** A batch of one message whose handler throws after it has resolved that message: nobody is at fault. Over a broker in memory. */
import type { OwnedBatchPayload } from '../../src/index.ts';
import { StandInConsumer } from './stand-in-consumer.ts';

const open: StandInConsumer[] = [];
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

/** Two messages, of which the handler resolves the first and throws; the second it fails at so often. */
async function ran(deadLetterAfter: number, failuresOfSecond: number) {
  const letters: string[] = [];
  const seen: string[] = [];
  const one = new StandInConsumer({
    topics: ['orders'],
    end: 2,
    fromBeginning: true,
    deadLetterAfter,
    deadLetter: ({ message, failures }) => Promise.resolve(void letters.push(`${message.offset} ${failures}`)),
  });
  open.push(one);
  let failures = 0;
  await one.consumer.run({
    eachBatch: ({ batch, resolveOffset }: OwnedBatchPayload) => {
      const offset = batch.lastOffset();
      seen.push(offset);
      if (offset === '0') resolveOffset(offset);
      return offset === '0' || failures++ < failuresOfSecond ? Promise.reject(new Error('not now')) : Promise.resolve();
    },
  });
  one.partitions.grant(0, 1);
  await one.until(() => one.commits.get('orders')?.offset === 2n);
  return { letters, seen };
}

test('is not put to the dead letters once it was declared done (1 owner, 1 failure allowed)', async () => {
  expect(await ran(1, 0)).toEqual({ letters: [], seen: ['0', '1'] });
});

test('leaves its successor all of the failures that are allowed (1 owner, 2 failures allowed)', async () => {
  expect(await ran(2, 1)).toEqual({ letters: [], seen: ['0', '1', '1'] });
  expect(await ran(2, 2)).toEqual({ letters: ['1 2'], seen: ['0', '1', '1'] });
});
