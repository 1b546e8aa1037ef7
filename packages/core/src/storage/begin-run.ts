/** What a process start makes of what its storage kept: the same decision for every store, which itself keeps bytes only. */
import { rowCodec } from '../codec/snapshot-codec.ts';
import { zeroBallot } from '../paxos/ballot.ts';
import type { Ballot } from '../paxos/ballot.ts';
import type { FounderMemory } from '../paxos/founding.ts';
import type { ConfigurationRecord } from '../paxos/founding-message.ts';
import type { GroupBatch } from '../group/member-message.ts';
import type { MemberMemory, MemberRecord } from '../group/member.ts';
import type { StoredSnapshot } from '../group/stored-snapshot.ts';
import type { Slot, Vote } from '../paxos/message.ts';
import type { LoadedMember, StoredIdentity } from './storage.ts';

/** What a store holds of a seat: the last run that began, the last snapshot, and the records above it in the order of their appends. */
export interface KeptSeat {
  readonly identity: StoredIdentity;
  readonly snapshot?: StoredSnapshot | undefined;
  readonly records: readonly MemberRecord[];
}

export interface BegunRun extends LoadedMember {
  /** True where whatever is kept belongs to an incarnation that is over: it is purged with the write that begins this run. */
  readonly isFresh: boolean;
}

/** `null` for an empty store. The identity it returns must be durable before anything is done under it. */
export function beginRun(kept: KeptSeat | null, mint: () => string): BegunRun {
  // An incarnation that discarded itself is over, even if the process died before its storage could be cleared.
  if (!kept || kept.records.some(({ type }) => type === 'discarded')) {
    return { identity: { incarnation: mint(), run: 1 }, isFresh: true };
  }
  const { incarnation, run } = kept.identity;
  return { identity: { incarnation, run: run + 1 }, memory: foldRecords(kept.records, kept.snapshot), isFresh: false };
}

/**
 * What a sequence of records comes to, above a snapshot where there is one. Of what was kept of an earlier founding, in which this
 * incarnation stood by for a seat, nothing counts in the last one: its slots are other slots.
 */
export function foldRecords(records: readonly MemberRecord[], kept?: StoredSnapshot): MemberMemory {
  const snapshot = kept && isOf(lastFounding(records), kept) ? kept : undefined;
  const floor = snapshot?.index ?? 0;
  let founder: FounderMemory = { record: null, complete: false, tokenSecond: 0 };
  let promised: Ballot = zeroBallot;
  let chosenIndex: Slot = floor;
  let last: ConfigurationRecord | undefined;
  const votes = new Map<Slot, Vote<GroupBatch>>();
  const learned = new Map<Slot, GroupBatch | null>();
  let position = 0;
  for (const record of records) {
    position += 1;
    switch (record.type) {
      case 'founding':
        if (record.record.configuration.founding !== founder.record?.configuration.founding) {
          votes.clear();
          learned.clear();
          promised = zeroBallot;
          chosenIndex = floor;
          last = undefined;
        }
        founder = { ...founder, record: record.record, complete: record.complete, confirmed: record.confirmed };
        break;
      case 'inherited': {
        const { founding, tokenSecond, longestTtlMs } = record;
        founder = { ...founder, inherits: { founding, tokenSecond, longestTtlMs } };
        break;
      }
      case 'promised':
        promised = record.ballot;
        break;
      case 'voted':
        if (record.slot > floor) votes.set(record.slot, { slot: record.slot, ballot: record.ballot, value: record.value });
        break;
      case 'learned':
        if (record.slot > floor) learned.set(record.slot, record.value);
        break;
      case 'chosen':
        chosenIndex = Math.max(chosenIndex, record.upTo);
        break;
      case 'discarded':
        return { founder: { record: null, complete: false, tokenSecond: founder.tokenSecond } };
      case 'configuration':
        last = record;
        seal(record.sealedAt, votes, learned);
        chosenIndex = Math.max(floor, record.sealedAt);
        promised = zeroBallot;
        break;
      case 'position':
        position = record.position;
        break;
    }
  }
  const entries = [...learned].map(([slot, value]) => ({ slot, value }));
  const replica = { floor, promised, chosenIndex, votes: [...votes.values()], learned: entries };
  return { founder, replica, ...(snapshot && { snapshot }), ...(last && { record: last.record }), position };
}

function lastFounding(records: readonly MemberRecord[]): string | undefined {
  const last = records.findLast(({ type }) => type === 'founding' || type === 'configuration');
  return last?.type === 'founding' || last?.type === 'configuration' ? last.record.configuration.founding : undefined;
}

/** One that cannot be read is for whoever restores the state to refuse. */
function isOf(founding: string | undefined, { header }: StoredSnapshot): boolean {
  const read = rowCodec.unpackHeader(header);
  return founding === undefined || read === null || read.founding === founding;
}

/** Up to the stop-sign every vote is for what was chosen, which outlives it; above it nothing counts. */
function seal(sealedAt: Slot, votes: Map<Slot, Vote<GroupBatch>>, learned: Map<Slot, GroupBatch | null>): void {
  for (const { slot, value } of votes.values()) if (!learned.has(slot)) learned.set(slot, value);
  votes.clear();
  for (const slot of learned.keys()) if (slot > sealedAt) learned.delete(slot);
}
