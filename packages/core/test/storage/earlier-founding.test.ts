/** What a store kept of a founding that is no more, in which its incarnation stood by for a seat, is none of the next one's. Promise 1. */
import { rowCodec } from '../../src/codec/snapshot-codec.ts';
import type { MemberRecord } from '../../src/group/member.ts';
import type { StoredSnapshot } from '../../src/group/stored-snapshot.ts';
import type { FoundingRecord } from '../../src/paxos/founding-message.ts';
import { beginRun, foldRecords } from '../../src/storage/begin-run.ts';

const batch = (wallMs: number): [number, never[]] => [wallMs, []];
const ballot = (round: number) => ({ round, node: 'a', incarnation: 'a#1', run: 1 });

function recordOf(founding: string, id = 1): FoundingRecord {
  const voters = ['a', 'b'].map((node) => ({ node, incarnation: `${node}#1` }));
  return { configuration: { founding, id, voters }, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: false };
}

const accepted = (founding: string): MemberRecord => ({ type: 'founding', record: recordOf(founding), complete: false });
const complete = (founding: string): MemberRecord => ({ type: 'founding', record: recordOf(founding), complete: true });
const voted = (slot: number, wallMs: number): MemberRecord => ({ type: 'voted', slot, ballot: ballot(1), value: batch(wallMs) });
const learned = (slot: number, wallMs: number): MemberRecord => ({ type: 'learned', slot, value: batch(wallMs) });

function snapshotOf(founding: string, index: number): StoredSnapshot {
  const header = { format: 1, founding, configuration: 1, index, rows: 0, chunks: 0, hash: '0'.repeat(64) };
  return { index, header: rowCodec.packHeader(header), chunks: [] };
}

const standby: readonly MemberRecord[] = [learned(63, 1), learned(64, 1), { type: 'chosen', upTo: 64 }];
const next: readonly MemberRecord[] = [accepted('g'), complete('g'), { type: 'promised', ballot: ballot(1) }, voted(1, 2), { type: 'chosen', upTo: 1 }]; // prettier-ignore

it('begins with nothing that was learned as a standby of the founding before (a snapshot and 2 slots of it)', () => {
  expect(foldRecords([...standby, ...next], snapshotOf('f', 62))).toEqual({ ...foldRecords(next), position: standby.length + next.length });
  const { replica, snapshot } = foldRecords([...standby, ...next], snapshotOf('f', 62));
  expect(snapshot).toBeUndefined();
  expect(replica).toMatchObject({ floor: 0, chosenIndex: 1, learned: [], votes: [{ slot: 1 }] });
});

it('comes into a later configuration of the next founding with its own slots alone (a snapshot and 2 slots of the one before)', () => {
  const own: readonly MemberRecord[] = [learned(1, 2), learned(2, 2), { type: 'configuration', record: recordOf('g', 2), sealedAt: 2 }, voted(3, 2)]; // prettier-ignore
  const { replica, snapshot, record } = foldRecords([...standby, ...own], snapshotOf('f', 62));
  expect(snapshot).toBeUndefined();
  expect(record?.configuration).toMatchObject({ founding: 'g', id: 2 });
  expect(replica?.learned).toEqual([1, 2].map((slot) => ({ slot, value: batch(2) })));
  expect(replica).toMatchObject({ floor: 0, chosenIndex: 2, votes: [{ slot: 3 }] });
});

it('keeps the snapshot of its own founding, and the incarnation', () => {
  const stored = snapshotOf('g', 62);
  const kept = { identity: { incarnation: 'a#1', run: 3 }, snapshot: stored, records: [complete('g'), ...standby] };
  const { identity, memory } = beginRun(kept, () => 'a#2');
  expect(identity).toEqual({ incarnation: 'a#1', run: 4 });
  expect(memory).toMatchObject({ snapshot: stored, replica: { floor: 62, chosenIndex: 64, learned: [{ slot: 63 }, { slot: 64 }] } });
});
