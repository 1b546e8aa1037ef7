/**
 * Where the batches end that a broker sends, read from their headers. A compacted log may hold batches without any record, which
 * kafkajs decodes to nothing: it would ask for the same offset for ever. KIP-98 keeps the last batch of each producer that way.
 */
import type { KafkajsBroker } from '../kafkajs-cluster.ts';

interface Pool {
  send(request: ProtocolRequest): Promise<unknown>;
}

interface ProtocolRequest {
  readonly request: { readonly apiName: string; readonly apiVersion: number };
  readonly response: { decode(raw: Buffer): unknown; parse(data: unknown): unknown };
}

const headerBytes = 27;

/**
 * Looks at the answer to the one fetch, of one partition, that `fetch` makes. Undefined where the answer holds no whole batch, and on a
 * kafkajs with other insides.
 */
export async function endOfBatches(broker: KafkajsBroker, fetch: () => Promise<unknown>): Promise<bigint | undefined> {
  const pool = poolOf(broker);
  if (pool === undefined) return undefined;
  let end: bigint | undefined;
  const { send } = pool;
  pool.send = (asked) => {
    if (asked.request.apiName !== 'Fetch') return send.call(pool, asked);
    const { response } = asked;
    const decode = (raw: Buffer): unknown => {
      end = endIn(raw, asked.request.apiVersion);
      return response.decode(raw);
    };
    return send.call(pool, { ...asked, response: { ...response, decode } });
  };
  try {
    await fetch();
  } finally {
    Reflect.deleteProperty(pool, 'send');
  }
  return end;
}

function poolOf(broker: KafkajsBroker): Pool | undefined {
  const pool: unknown = 'connectionPool' in broker ? broker.connectionPool : undefined;
  if (typeof pool !== 'object' || pool === null || Object.hasOwn(pool, 'send')) return undefined;
  return 'send' in pool && typeof pool.send === 'function' ? (pool as Pool) : undefined;
}

/**
 * fetch answer, versions 4 to 11, of one partition => throttle:int32 [error:int16 session:int32]>=7 one:int32 topic:string one:int32
 * partition:int32 error:int16 highWatermark:int64 lastStable:int64 [logStart:int64]>=5 [aborted:(int64 int64)] [replica:int32]>=11 records:bytes
 */
function recordsIn(raw: Buffer, version: number): Buffer {
  if (version < 4 || version > 11) return Buffer.alloc(0);
  try {
    let at = version >= 7 ? 14 : 8;
    at += 2 + raw.readInt16BE(at);
    at += 4 + 4 + 2 + 8 + 8 + (version >= 5 ? 8 : 0);
    at += 4 + 16 * Math.max(0, raw.readInt32BE(at));
    if (version >= 11) at += 4;
    const length = raw.readInt32BE(at);
    return raw.subarray(at + 4, at + 4 + Math.max(0, length));
  } catch {
    return Buffer.alloc(0);
  }
}

/** Of the whole batches in a fetch answer of one partition: the offset behind the last. Undefined where there is none. */
export function endIn(raw: Buffer, version: number): bigint | undefined {
  const records = recordsIn(raw, version);
  let end: bigint | undefined;
  // batch => firstOffset:int64 length:int32 leaderEpoch:int32 magic:int8 crc:int32 attributes:int16 lastOffsetDelta:int32 …
  for (let at = 0; at + headerBytes <= records.length;) {
    const length = records.readInt32BE(at + 8);
    const isWhole = length > 0 && at + 12 + length <= records.length;
    if (!isWhole || records.readInt8(at + 16) !== 2) break;
    end = records.readBigInt64BE(at) + BigInt(records.readInt32BE(at + 23)) + 1n;
    at += 12 + length;
  }
  return end;
}
