/**
 * What owned consumers read on Kafka that others wrote: metadata of commits, hand-over notes, what members of a group say of
 * themselves, headers of records, and the batches of an answer to a fetch.
 */
import { isToken } from '../../packages/core/src/partition/token-stamp.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { readSubscription, writeSubscription } from '../../packages/kafka-adapter/src/consumer/group-protocol.ts';
import {
  begunWithIn,
  readNote,
  tokenOf,
  userMetadataIn,
  writeMetadata,
  writeNote,
} from '../../packages/kafka-adapter/src/consumer/hand-over-note.ts';
import { endIn } from '../../packages/kafka-adapter/src/consumer/kafkajs-batch-ends.ts';
import { fetchedMessagesOf } from '../../packages/kafka-adapter/src/consumer/platformatic-records.ts';
import { assignMembers } from '../../packages/kafka-adapter/src/consumer/ring-assigner.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { mutateBytes, oddNumbers, oddTexts, oneOf, randomBytes } from './mutation.ts';

export function kafkaDecoders(): readonly Decoder[] {
  return [
    { name: 'commit-metadata', reads: 'metadata of commits, and the token in it', input: metadataInput, read: readMetadata },
    { name: 'position-note', reads: 'the position that an owner leaves to the next', input: noteInput, read: readPosition },
    { name: 'subscription', reads: "what members of a group subscribe to, by Kafka's embedded protocol", input: subscriptionInput, read: readSubscribed },
    { name: 'assigner-member', reads: 'what a member tells the ring assigner of itself', input: memberInput, read: readMember },
    { name: 'record-headers', reads: 'headers of records, as @platformatic/kafka gives them', input: headersInput, read: readHeaders },
    { name: 'fetch-answer', reads: 'answers to a fetch, for the ends of their batches', input: fetchInput, read: readFetched },
  ]; // prettier-ignore
}

/** A few of the names that objects have by themselves are legal names of topics. */
const topics = ['orders', '__proto__', 'constructor', 'toString'];
const int64Max = 2n ** 63n - 1n;

function metadataInput(random: Random): Uint8Array {
  const token = random.below(2) === 0 ? random.below(100) : oneOf(random, [...oddNumbers, '007', '9'.repeat(random.below(400))]);
  const begunWith = random.below(2) === 0 ? '' : ` of:${oneOf(random, [...oddNumbers, random.below(100)])}`;
  const text = `quorate:${token}${begunWith}${random.below(2) === 0 ? '' : ` ${oneOf(random, oddTexts)}`}`;
  return random.below(3) === 0 ? mutateBytes(Buffer.from(text), Buffer.from(text), random) : Buffer.from(text);
}

function readMetadata(bytes: Uint8Array): Reading {
  const text = Buffer.from(bytes).toString();
  const token = tokenOf(text);
  if (token === undefined) return 'refused';
  return () => {
    must(isToken(token), `${token} was read for a token`);
    must(tokenOf(writeMetadata(token, 'more', begunWithIn(text))) === token, 'a token came back as another');
    must(begunWithIn(writeMetadata(token, userMetadataIn(text), 7)) === 7, 'a number of partitions came back as another');
  };
}

function noteInput(random: Random): Uint8Array {
  const part = (): string => {
    const numbers = [random.below(1_000), oneOf(random, oddNumbers), '9'.repeat(1 + random.below(900)), '9223372036854775807', '9223372036854775808'];
    return `${oneOf(random, topics)}=${oneOf(random, numbers)}${random.below(2) === 0 ? '' : `/${oneOf(random, numbers)}`}`;
  }; // prettier-ignore
  const token = random.below(2) === 0 ? random.below(100) : oneOf(random, [...oddNumbers, '007', '9'.repeat(random.below(400))]);
  const text = `#${token};${Array.from({ length: 1 + random.below(4) }, part).join(';')}`;
  return random.below(3) === 0 ? mutateBytes(Buffer.from(text), Buffer.from(text), random) : Buffer.from(text);
}

function readPosition(bytes: Uint8Array): Reading {
  const note = readNote(Buffer.from(bytes).toString());
  if (note === undefined || note.positions.size === 0) return 'refused';
  return () => {
    must(isToken(note.token), `${note.token} was read for a token`);
    for (const { position, committed = 0n } of note.positions.values()) {
      must(position >= 0n && position <= int64Max && committed >= 0n && committed <= int64Max, 'an offset was read that Kafka has not');
    }
    const written = writeNote(note);
    if (written === undefined) return;
    const again = readNote(written);
    must(again?.token === note.token && again.positions.size === note.positions.size, 'a note came back as another');
    for (const [topic, { position }] of note.positions)
      must(again?.positions.get(topic)?.position === position, 'a position came back as another');
  };
}

function subscriptionOf(random: Random, userData: Buffer): Buffer {
  return writeSubscription({ topics: Array.from({ length: random.below(4) }, () => oneOf(random, topics)), userData });
}

function subscriptionInput(random: Random): Uint8Array {
  const bytes = subscriptionOf(random, randomBytes(random, 20));
  if (random.below(8) === 0) {
    bytes.writeInt32BE(oneOf(random, [-1, 0, 1, 2, 3, 2 ** 31 - 1]), 2);
    if (bytes.length >= 8) bytes.writeInt16BE(oneOf(random, [-32_768, -8, -3, -2, -1, 0, 1, 32_767]), 6);
    return bytes;
  }
  return random.below(4) === 0 ? bytes : mutateBytes(bytes, subscriptionOf(random, randomBytes(random, 20)), random);
}

function readSubscribed(bytes: Uint8Array): Reading {
  const subscribed = readSubscription(Buffer.from(bytes));
  if (subscribed === undefined) return 'refused';
  return () => {
    const { topics: named, userData } = subscribed;
    must(2 * named.length + userData.length <= bytes.length, `${bytes.length} bytes named ${named.length} topics`);
    const again = readSubscription(writeSubscription(subscribed));
    must(JSON.stringify(again) === JSON.stringify(subscribed), 'a subscription came back as another');
  };
}

const partitions = 3;
const cluster = { findTopicPartitionMetadata: () => Array.from({ length: partitions }, (_, partitionId) => ({ partitionId })) };
const honestTopics = topics.slice(0, 2);
const honest = {
  memberId: 'm1-of-kafka',
  memberMetadata: writeSubscription({
    topics: honestTopics,
    userData: Buffer.from(JSON.stringify({ node: 'm1', weight: 1, owned: { orders: [0, 1] } })),
  }),
};

function memberInput(random: Random): Uint8Array {
  const node = oneOf<unknown>(random, [...oddTexts, 'm1', 'm1-of-kafka', 7, null, '\ud800']);
  const owned = oneOf<unknown>(random, [null, [], 'all', { [oneOf(random, topics)]: oneOf<unknown>(random, [[0, 11, 12, -1, 0.5, 1e9], 'x', null, { length: 3 }]) }]);
  const said = { node, weight: oneOf<unknown>(random, [1, 2, '1', null, ...oddNumbers]), owned };
  const text = Buffer.from(random.below(4) === 0 ? oneOf(random, ['', 'null', '[]', '"x"', '{"__proto__":{"node":"y"}}']) : JSON.stringify(said));
  return subscriptionOf(random, random.below(4) === 0 ? mutateBytes(text, text, random) : text);
} // prettier-ignore

/** Beside an honest one, who is to have all that it does not: every partition of every topic of that one goes to exactly one member. */
function readMember(bytes: Uint8Array): Reading {
  const assigned = assignMembers([honest, { memberId: 'odd-of-kafka', memberMetadata: Buffer.from(bytes) }], ['orders'], cluster);
  const shares = assigned.flatMap(({ memberAssignment }) => assignedIn(memberAssignment));
  return () => {
    for (const topic of honestTopics) {
      const all = shares.filter(([named]) => named === topic).flatMap(([, taken]) => taken);
      must(all.length === partitions && new Set(all).size === partitions, `of ${topic} ${all.length} partitions were assigned`);
    }
  };
}

// assignment => version:int16 [topic:string [partition:int32]] userData:bytes
function assignedIn(data: Buffer): readonly (readonly [topic: string, partitions: readonly number[]])[] {
  let at = 6;
  return Array.from({ length: data.readInt32BE(2) }, () => {
    const end = at + 2 + data.readInt16BE(at);
    const topic = data.toString('utf8', at + 2, end);
    const taken = Array.from({ length: data.readInt32BE(end) }, (_, index) => data.readInt32BE(end + 4 + 4 * index));
    at = end + 4 + 4 * taken.length;
    return [topic, taken] as const;
  });
}

/** Names and values end with a zero, and come in turn. */
function headersInput(random: Random): Uint8Array {
  const names = [...topics, 'quorate-token', '', 'x'];
  const text = Array.from({ length: 1 + random.below(5) }, () => `${oneOf(random, names)}\0${oneOf(random, oddTexts)}`).join('\0');
  return Buffer.from(text);
}

function readHeaders(bytes: Uint8Array): Reading {
  const texts = Buffer.from(bytes).toString('latin1').split('\0').map((text) => Buffer.from(text, 'latin1')); // prettier-ignore
  const headers = texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? null] as const] : []));
  const record = { attributes: 0, timestampDelta: 0n, offsetDelta: 0, key: null, value: null, headers };
  const batch = { firstOffset: 7n, lastOffsetDelta: 0, attributes: 0, firstTimestamp: 0n, maxTimestamp: 0n, producerId: -1n, records: [record] };
  const fetched = { partitionIndex: 0, errorCode: 0, highWatermark: 8n, abortedTransactions: [], records: [batch] };
  const [message] = fetchedMessagesOf({ topic: 'orders', partition: 0 }, 0n, fetched).messages;
  return () => {
    const read = message?.headers ?? {};
    must(Object.getPrototypeOf(read) === Object.prototype || Object.getPrototypeOf(read) === null, 'headers have the prototype of a sender');
    const names = new Set(headers.map(([name]) => String(name)));
    must(Object.keys(read).length === names.size, `${names.size} headers became ${Object.keys(read).length}`);
    const values = Object.values(read).flat();
    must(values.length === headers.length && values.every((value) => Buffer.isBuffer(value)), 'a header holds what nobody sent');
  };
} // prettier-ignore

function batchBytes(random: Random): Buffer {
  const batch = Buffer.alloc(61);
  batch.writeBigInt64BE(BigInt(random.below(1_000)), 0);
  batch.writeInt32BE(49, 8);
  batch.writeInt8(2, 16);
  batch.writeInt32BE(random.below(100), 23);
  return batch;
}

/** The first byte is the version of the answer. */
function fetchInput(random: Random): Uint8Array {
  const version = 4 + random.below(8);
  const batches = Buffer.concat(Array.from({ length: random.below(4) }, () => batchBytes(random)));
  const head = Buffer.alloc(version >= 7 ? 14 : 8);
  const topic = Buffer.concat([Buffer.from([0, 6]), Buffer.from('orders'), Buffer.alloc(4 + 4 + 2 + 8 + 8 + (version >= 5 ? 8 : 0) + 4)]);
  const length = Buffer.alloc(version >= 11 ? 8 : 4);
  length.writeInt32BE(batches.length, length.length - 4);
  const answer = Buffer.concat([head, topic, length, batches]);
  const bytes = random.below(4) === 0 ? answer : mutateBytes(answer, batches, random);
  return Buffer.concat([Buffer.of(version), bytes]);
}

function readFetched(bytes: Uint8Array): Reading {
  const end = endIn(Buffer.from(bytes.subarray(1)), bytes[0] ?? 0);
  return end === undefined
    ? 'refused'
    : () => must(end > -(2n ** 63n) && end <= 2n ** 63n + 2n ** 31n, 'an end was read that no batch has');
}
