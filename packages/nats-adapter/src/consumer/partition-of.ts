/**
 * The server's own way from a subject to a partition, for publishers and readers that want to know it: `partition(n, 1, 2)` of a
 * subject transform is FNV-1a of 32 bits over the tokens it names, joined without a separator, modulo n. ADR-30 of NATS.
 */
import { fnv1a32, keyBytes, partitionOfHash } from '@quorate/core/adapter';

/**
 * The number that the server puts in place of `{{partition(count, …)}}`. A list of tokens stands for the wildcards that the transform
 * names, in its order.
 *
 * @throws QuorateError `INVALID_OPTIONS` for a count that is no whole number of at least 1.
 */
export function natsPartitionOf(tokens: string | Uint8Array | readonly string[], count: number): number {
  const key = typeof tokens === 'string' || tokens instanceof Uint8Array ? tokens : tokens.join('');
  return partitionOfHash(fnv1a32(keyBytes(key)), count);
}
