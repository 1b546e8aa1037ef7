/** What members of a consumer group send each other through the coordinator: Kafka's "consumer" embedded protocol, version 0. */

export interface Subscribed {
  readonly topics: readonly string[];
  readonly userData: Buffer;
}

// subscription => version:int16 [topic:string] userData:bytes
export function writeSubscription({ topics, userData }: Subscribed): Buffer {
  return Buffer.concat([int16(0), array(topics, string), bytes(userData)]);
}

// assignment => version:int16 [topic:string [partition:int32]] userData:bytes
export function writeAssignment(assignment: ReadonlyMap<string, readonly number[]>): Buffer {
  const topics = array([...assignment], ([topic, partitions]) => Buffer.concat([string(topic), array(partitions, int32)]));
  return Buffer.concat([int16(0), topics, bytes(Buffer.alloc(0))]);
}

/** Undefined where it is not one: members of a group may run anything. */
export function readSubscription(data: Buffer): Subscribed | undefined {
  try {
    const topics: string[] = [];
    let at = 6;
    for (let left = data.readInt32BE(2); left > 0; left--) {
      const end = at + 2 + data.readInt16BE(at);
      // A length below zero would lead back, and with the count that goes with it for ever.
      if (end < at + 2 || end > data.length) return undefined;
      topics.push(data.toString('utf8', at + 2, end));
      at = end;
    }
    const length = at + 4 <= data.length ? data.readInt32BE(at) : 0;
    return { topics, userData: data.subarray(at + 4, at + 4 + Math.max(0, length)) };
  } catch {
    return undefined;
  }
}

function array<T>(entries: readonly T[], write: (entry: T) => Buffer): Buffer {
  return Buffer.concat([int32(entries.length), ...entries.map(write)]);
}

function string(text: string): Buffer {
  const data = Buffer.from(text, 'utf8');
  return Buffer.concat([int16(data.length), data]);
}

function bytes(data: Buffer): Buffer {
  return Buffer.concat([int32(data.length), data]);
}

function int16(value: number): Buffer {
  const data = Buffer.alloc(2);
  data.writeInt16BE(value);
  return data;
}

function int32(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeInt32BE(value);
  return data;
}
