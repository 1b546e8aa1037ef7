/**
 * Key → partition. It stays the broker's own: the ring maps partitions to members only, so that existing topics and producers in
 * other languages keep working. Text is placed by its bytes in UTF-8, as every client sends it.
 */
import { QuorateError } from '../errors.ts';
import { fnv1a32 } from './fnv1a.ts';

/** As `partition(count, …)` in a subject mapping of nats-server places a key; also what carriers without partitions of their own use. */
export function partitionByFnv1a(key: string | Uint8Array, count: number): number {
  return partitionOfHash(fnv1a32(keyBytes(key)), count);
}

/**
 * The remainder of an unsigned hash, as all brokers take it.
 *
 * @throws QuorateError `INVALID_OPTIONS` for a count that is no whole number of at least 1.
 */
export function partitionOfHash(hash: number, count: number): number {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new QuorateError('INVALID_OPTIONS', `The number of partitions is ${String(count)}, not a whole number of at least 1.`);
  }
  return hash % count;
}

/** @throws QuorateError `INVALID_OPTIONS` for a key that is neither text nor bytes. */
export function keyBytes(key: string | Uint8Array): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key, 'utf8');
  if (key instanceof Uint8Array) return key;
  throw new QuorateError('INVALID_OPTIONS', `A key is ${key === null ? 'null' : typeof key}, neither text nor bytes.`);
}
