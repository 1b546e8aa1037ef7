/**
 * The assigner of a group with one member: it gives itself the partitions it was made for. Its two messages in the format that
 * Kafka's consumer protocol prescribes:
 *
 * // subscription => version(int16) [topic(string)] userData(bytes)
 * // assignment => version(int16) [topic(string) [partition(int32)]] userData(bytes)
 */
import type { GroupAssigner } from './client.ts';

const name = 'QuorateFixedAssigner';
const version = 0;

export function fixedAssigner(topic: string, partitions: readonly number[]): GroupAssigner {
  const memberAssignment = Buffer.concat([
    int16(version),
    int32(1),
    text(topic),
    int32(partitions.length),
    ...partitions.map(int32),
    int32(0),
  ]);
  return {
    name,
    version,
    assign: ({ members }) =>
      Promise.resolve(members.map(({ memberId }, index) => ({ memberId, memberAssignment: index === 0 ? memberAssignment : nothing() }))),
    protocol: ({ topics }) => ({ name, metadata: Buffer.concat([int16(version), int32(topics.length), ...topics.map(text), int32(0)]) }),
  };
}

function nothing(): Buffer {
  return Buffer.concat([int16(version), int32(0), int32(0)]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
