/** Record batches of `@platformatic/kafka` as messages in the shape that kafkajs gives them. */
import type { FetchedMessages, TopicPartition } from './consumer-driver.ts';
import type { MessageHeaders } from './payload.ts';
import type { PlatformaticBatch, PlatformaticFetched } from './platformatic-client.ts';
import { controlOf, readCommitted } from './read-committed.ts';
import type { RawRecord } from './read-committed.ts';

const logAppendTime = 0x08;
const transactional = 0x10;
const control = 0x20;

export function fetchedMessagesOf(at: TopicPartition, from: bigint, fetched: PlatformaticFetched): FetchedMessages {
  const { records: batches = [], abortedTransactions, highWatermark } = fetched;
  const aborted = abortedTransactions.map(({ producerId, firstOffset }) => ({ producerId: String(producerId), firstOffset }));
  const last = batches.at(-1);
  const end = last === undefined ? from : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
  return {
    ...at,
    type: 'messages',
    messages: readCommitted(batches.flatMap(recordsOf), { from, aborted }),
    nextOffset: end > from ? end : from,
    highWatermark,
  };
}

function recordsOf(batch: PlatformaticBatch): readonly RawRecord[] {
  const { firstOffset, attributes, firstTimestamp, maxTimestamp, producerId } = batch;
  return batch.records.map(({ key, value, headers, offsetDelta, timestampDelta, attributes: own }) => {
    const offset = firstOffset + BigInt(offsetDelta);
    const timestamp = (attributes & logAppendTime) === 0 ? firstTimestamp + timestampDelta : maxTimestamp;
    return {
      offset,
      producerId: String(producerId),
      isTransactional: (attributes & transactional) !== 0,
      control: controlOf((attributes & control) !== 0, key),
      message: { key, value, headers: headersOf(headers), attributes: own, offset: String(offset), timestamp: String(timestamp) },
    };
  });
}

/** A name that occurs twice has both values. Names are the sender's: no more than a map takes `__proto__` for anything but a name. */
function headersOf(pairs: PlatformaticBatch['records'][number]['headers']): MessageHeaders {
  const values = new Map<string, Buffer[]>();
  for (const [name, value] of pairs) {
    const key = String(name ?? '');
    const own = value ?? Buffer.alloc(0);
    const before = values.get(key);
    if (before === undefined) values.set(key, [own]);
    else before.push(own);
  }
  return Object.fromEntries(Array.from(values, ([name, all]) => [name, all.length === 1 ? all[0] : all]));
}
