/**
 * What a reader of committed records may see of a fetched set: nothing before the offset it asked for (brokers send whole batches),
 * no control records, nothing of aborted transactions. Kafka's "Transactional messaging" (KIP-98), "Consumer".
 */
import type { ConsumedMessage } from './payload.ts';

export interface RawRecord {
  readonly offset: bigint;
  readonly producerId: string;
  readonly isTransactional: boolean;
  /** Whether this record ends a transaction of its producer, and how; such records are for readers only. */
  readonly control: 'none' | 'abort' | 'other';
  readonly message: ConsumedMessage;
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: bigint;
}

export function readCommitted(
  records: readonly RawRecord[],
  { from, aborted }: { readonly from: bigint; readonly aborted: readonly AbortedTransaction[] },
): readonly ConsumedMessage[] {
  // Brokers list transactions in the order in which they ended.
  const coming = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0));
  const aborting = new Set<string>();
  const shown: ConsumedMessage[] = [];
  for (const { offset, producerId, isTransactional, control, message } of records) {
    while (coming[0] !== undefined && coming[0].firstOffset <= offset) aborting.add(coming.shift()?.producerId ?? '');
    if (control === 'abort') aborting.delete(producerId);
    if (control !== 'none' || offset < from) continue;
    if (isTransactional && aborting.has(producerId)) continue;
    shown.push(message);
  }
  return shown;
}

/** The key of a control record: its version, and 0 for an abort or 1 for a commit. */
export function controlOf(isControl: boolean, key: Buffer | null): RawRecord['control'] {
  if (!isControl) return 'none';
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0 ? 'abort' : 'other';
}
