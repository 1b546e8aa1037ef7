/** What a turn leaves to the storage: its records, or a snapshot in place of all records so far. */
import { keptRecords } from '../group/kept-records.ts';
import type { Member, MemberOutput } from '../group/member.ts';
import type { Storage } from '../storage/storage.ts';
import { joined } from './outbox.ts';

export interface TurnStore {
  /** Durable when it returns or resolves; what the turn says rests on it. */
  readonly write: () => void | Promise<void>;
  /** `write` compacts, and a storage takes one compaction at a time: it waits for the one begun beside an earlier turn. */
  readonly compacts: boolean;
  /** Begun once that was begun, and not waited for: the turn is safe without it. */
  readonly beside: (() => Promise<void>) | null;
}

/** Null where there is nothing to keep. What the turn would append is among the records that are kept beside a snapshot. */
export function storeTurn(storage: Storage, outputs: readonly MemberOutput[], member: Member): TurnStore | null {
  const records = joined(outputs, ({ persist }) => persist);
  const installed = outputs.findLast((output) => output.installed)?.installed;
  const written = outputs.findLast((output) => output.written)?.written;
  const isOver = records.some(({ type }) => type === 'discarded');
  if (installed && !isOver) {
    return { write: () => storage.compact(installed, keptRecords(member.inspect, installed)), compacts: true, beside: null };
  }
  const write = (): void | Promise<void> => storage.append(records);
  if (written && !isOver) {
    return { write, compacts: false, beside: () => storage.compact(written, keptRecords(member.inspect, written)) };
  }
  return records.length > 0 ? { write, compacts: false, beside: null } : null;
}
