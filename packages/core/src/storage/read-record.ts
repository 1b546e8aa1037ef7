/** What a store makes of bytes that it finds: a record, or the reason why this member must not start. */
import { isFault } from '../codec/fault.ts';
import { decodeRecord } from '../codec/record-codec.ts';
import { QuorateError } from '../errors.ts';
import type { MemberRecord } from '../group/member.ts';

/** `where` says for people which record it is. Throws STORAGE_VERSION or STORAGE_CORRUPT. */
export function readRecord(bytes: Uint8Array, where: string): MemberRecord {
  const record = decodeRecord(bytes);
  if (!isFault(record)) return record;
  const code = record.code === 'version' ? 'STORAGE_VERSION' : 'STORAGE_CORRUPT';
  throw new QuorateError(code, `${where}: ${record.detail}`, { details: { where, fault: record.code } });
}
