/** Arbitrary frames: every type of message, every kind of entry, and the numbers and texts where encodings change width. */
import fc from 'fast-check';
import type { Frame, FrameHeader, Message } from '../../src/codec/frame.ts';
import type { MemberRecord } from '../../src/group/member.ts';
import { noteBytesMax } from '../../src/note.ts';
import { lockOp, resultCode, type HolderInfo, type LockState } from '../../src/lock/command.ts';
import type { Operation, OperationResult, WatchedState } from '../../src/operation.ts';
import {
  memberMode,
  partitionOp,
  partitionsMax,
  phase,
  placing,
  weights,
  type PartitionRow,
  type PartitionsState,
} from '../../src/partition/command.ts';
import type { Ballot } from '../../src/paxos/ballot.ts';
import type { Seat } from '../../src/paxos/configuration.ts';
import type { FoundingRecord } from '../../src/paxos/founding-message.ts';
import type { Vote } from '../../src/paxos/message.ts';
import { orderAnswers, type OrderAnswer, type VoterOrder } from '../../src/paxos/voter-order.ts';
import { rowKind, type SnapshotRow } from '../../src/snapshot/row.ts';
import { entryKind, type Batch, type Entry } from '../../src/session/command.ts';

type MessageOf<T extends Message['type']> = Extract<Message, { readonly type: T }>;

const widths = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];

export const count: fc.Arbitrary<number> = fc.oneof(fc.constantFrom(...widths), fc.maxSafeNat());

export const milliseconds: fc.Arbitrary<number> = fc.oneof(
  count,
  fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }),
  fc.constantFrom(Number.MIN_VALUE, 0.1, 1.5, 2 ** 52 - 0.5),
);

const tokenSecond = fc.nat({ max: 2 ** 31 - 1 });

/** Long texts and byte order marks are where the MessagePack library takes other ways. */
function text(bytesMax: number): fc.Arbitrary<string> {
  return fc
    .oneof(
      { arbitrary: fc.string({ unit: 'grapheme', maxLength: 24 }), weight: 4 },
      { arbitrary: fc.string({ unit: 'binary', maxLength: 24 }), weight: 4 },
      {
        arbitrary: fc.constantFrom('\uFEFF', '__proto__', 'constructor', 'é'.repeat(bytesMax / 2), '€'.repeat(20), '\u{1F512}'.repeat(60)),
        weight: 1,
      },
      { arbitrary: fc.string({ unit: 'binary', maxLength: 300 }).map((rest) => `\uFEFF${rest}`), weight: 1 },
      { arbitrary: fc.nat({ max: bytesMax }).map((length) => 'x'.repeat(length)), weight: 1 },
    )
    .filter((value) => Buffer.byteLength(value) <= bytesMax);
}

export const node: fc.Arbitrary<string> = text(256).filter((value) => value !== '');
const nodeOrNobody = fc.oneof(node, fc.constant(''));
export const identifier = fc.oneof(fc.stringMatching(/^[0-9a-f]{32}$/), text(128));
const stamp = text(512);
const resource = fc.oneof(
  text(256).map((value) => `l/${value}`),
  text(256).map((value) => `e/${value}`),
);
const note = text(noteBytesMax);
const noteOrNull = fc.oneof(note, fc.constant(null));

const ballot: fc.Arbitrary<Ballot> = fc.record({ round: count, node: nodeOrNobody, incarnation: identifier, run: count });

const set = text(256).filter((value) => value !== '');
const partition = fc.oneof(fc.constantFrom(0, 127, 128, partitionsMax - 1), fc.nat({ max: partitionsMax - 1 }));
const size = partition.map((index) => index + 1);
const weight = fc.oneof(fc.constantFrom(1, weights.least, weights.most), fc.double({ min: weights.least, max: weights.most, noNaN: true }));

export const op: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constant(lockOp.acquire), count, resource, fc.oneof(count, fc.constant(-1)), fc.nat(), noteOrNull),
  fc.tuple(fc.constant(lockOp.release), count, resource, count, noteOrNull),
  fc.tuple(fc.constant(lockOp.cancel), count, count),
  fc.tuple(fc.constant(lockOp.note), count, resource, count, note),
  fc.tuple(fc.constant(lockOp.proclaim), count, resource, count, note),
  fc.tuple(fc.constant(partitionOp.join), count, set, weight, milliseconds, size, milliseconds, milliseconds),
  fc.tuple(fc.constant(partitionOp.leave), count, set),
  fc.tuple(fc.constant(partitionOp.release), count, set, partition, count, noteOrNull),
  fc.tuple(fc.constant(partitionOp.note), count, set, partition, count, note),
  fc.tuple(fc.constant(partitionOp.refuse), count, set, partition, count),
  fc.tuple(fc.constant(partitionOp.accept), count, set, partition),
  fc.tuple(fc.constant(partitionOp.pin), count, set, partition, nodeOrNobody),
  fc.tuple(fc.constant(partitionOp.place), count, set, node, fc.constantFrom(...Object.values(placing))),
  fc.tuple(fc.constant(partitionOp.resize), count, set, size),
);

const seatTuples = fc.array(fc.tuple(node, identifier), { maxLength: 7 });

const ops = fc.array(op, { maxLength: 20 });

export const entry: fc.Arbitrary<Entry<Operation>> = fc.oneof(
  fc.tuple(fc.constant(entryKind.use), count, count, ops),
  fc.tuple(fc.constant(entryKind.begin), stamp),
  fc.tuple(fc.constant(entryKind.openGroup), stamp, tokenSecond),
  fc.tuple(fc.constant(entryKind.openSession), identifier, node, identifier, milliseconds, count),
  fc.tuple(fc.constant(entryKind.closeSession), count),
  fc.tuple(fc.constant(entryKind.expire), count, stamp),
  fc.tuple(fc.constant(entryKind.rebalance), set, stamp, fc.array(node, { maxLength: 4 })),
  fc.tuple(fc.constantFrom(entryKind.uncover, entryKind.free), set, stamp, partition, count),
  fc.tuple(fc.constant(entryKind.raiseLevel), stamp, fc.integer({ min: 1, max: 255 })),
  fc.tuple(fc.constant(entryKind.stopSign), stamp, count, seatTuples, seatTuples, fc.array(node, { maxLength: 4 })),
);

export const batch: fc.Arbitrary<Batch<Operation>> = fc.tuple(milliseconds, fc.array(entry, { maxLength: 18 }));

const value = fc.oneof({ arbitrary: batch, weight: 3 }, { arbitrary: fc.constant(null), weight: 1 });
const vote: fc.Arbitrary<Vote<Batch<Operation>>> = fc.record({ slot: count, ballot, value });

const holder: fc.Arbitrary<HolderInfo> = fc.tuple(node, count, milliseconds);

export const result: fc.Arbitrary<OperationResult> = fc.tuple(
  count,
  fc.constantFrom(...Object.values(resultCode)),
  count,
  fc.oneof(noteOrNull, holder),
);

const row = fc
  .tuple(
    partition,
    fc.constantFrom(...Object.values(phase)),
    nodeOrNobody,
    count,
    nodeOrNobody,
    noteOrNull,
    fc.array(node, { maxLength: 3 }),
  )
  .map(([...all]): PartitionRow => (all[6].length > 0 ? all : [all[0], all[1], all[2], all[3], all[4], all[5]]));
const members = fc.record({
  rows: fc.array(fc.tuple(node, weight, fc.constantFrom(...Object.values(memberMode))), { maxLength: 4 }),
  pins: fc.array(fc.tuple(partition, node), { maxLength: 3 }),
});

const partitionsState: fc.Arbitrary<PartitionsState> = fc.record({
  resource: fc.tuple(fc.constantFrom('p/', 'o/'), set).map((parts) => parts.join('')),
  version: count,
  isFull: fc.boolean(),
  count: fc.nat({ max: partitionsMax }),
  graceMs: milliseconds,
  settleMs: milliseconds,
  members: fc.oneof(members, fc.constant(null)),
  rows: fc.array(row, { maxLength: 5 }),
});

const lockState: fc.Arbitrary<LockState> = fc.record({
  resource,
  version: count,
  holders: fc.array(fc.record({ node, session: count, token: count, sinceWallMs: milliseconds, value: noteOrNull }), { maxLength: 3 }),
  waiters: fc.array(node, { maxLength: 4 }),
  waiting: count,
  note: noteOrNull,
});

const state: fc.Arbitrary<WatchedState> = fc.oneof(lockState, partitionsState);

export const seat: fc.Arbitrary<Seat> = fc.record({ node, incarnation: identifier });

const seats: fc.Arbitrary<readonly Seat[]> = fc
  .uniqueArray(seat, { maxLength: 7, selector: (one) => one.node })
  .map((all) => all.sort((a, b) => (a.node < b.node ? -1 : 1)));

export const foundingRecord: fc.Arbitrary<FoundingRecord> = fc.record(
  {
    configuration: fc.record({ founding: identifier, id: count, voters: seats }),
    tokenSecond,
    maxSessionTtlMs: milliseconds,
    firstFounding: fc.boolean(),
    replaces: identifier,
  },
  { requiredKeys: ['configuration', 'tokenSecond', 'maxSessionTtlMs', 'firstFounding'] },
);

const counts = fc.array(count, { maxLength: 20 });
const nodes = fc.array(node, { maxLength: 7 });
const voters = fc.oneof(nodes, fc.record({ count }));

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const snapshotRow: fc.Arbitrary<SnapshotRow> = fc.oneof(
  fc.tuple(
    fc.constant(rowKind.group),
    stamp,
    fc.boolean(),
    count,
    fc.integer({ min: 1, max: 255 }),
    fc.tuple(
      count,
      fc.array(fc.tuple(node, identifier), { maxLength: 3 }),
      count,
      fc.array(identifier, { maxLength: 3 }),
      fc.array(node, { maxLength: 3 }),
    ),
  ),
  fc.tuple(fc.constant(rowKind.session), count, identifier, node, identifier, milliseconds, count, count),
  result.map((answer) => [rowKind.answer, ...answer] as const),
  fc.tuple(fc.constant(rowKind.lock), resource, count, noteOrNull),
  fc.tuple(fc.constant(rowKind.claim), count, node, count, fc.oneof(count, fc.constant(-1)), count, milliseconds, noteOrNull),
  fc.tuple(fc.constant(rowKind.set), set, size, milliseconds, milliseconds, fc.boolean()),
  fc.tuple(fc.constant(rowKind.member), node, count, weight, milliseconds, fc.boolean(), fc.boolean()),
  fc.tuple(fc.constant(rowKind.excluded), node),
  fc.tuple(fc.constant(rowKind.pin), partition, node),
  fc.tuple(fc.constant(rowKind.refusal), partition, node),
  fc.tuple(fc.constant(rowKind.partition), nodeOrNobody, nodeOrNobody, count, count, fc.boolean(), fc.boolean(), noteOrNull),
);

const voterOrder: fc.Arbitrary<VoterOrder> = fc.oneof(
  fc.record({ type: fc.constantFrom('add', 'remove', 'leave', 'lead'), node }),
  fc.record({ type: fc.constant('replace'), node, by: node }),
);

/** By type, so that a type without an arbitrary does not compile. */
export const messagesByType: { readonly [T in Message['type']]: fc.Arbitrary<MessageOf<T>> } = {
  canvass: fc.record({ type: fc.constant('canvass'), ballot }),
  support: fc.record({ type: fc.constant('support'), ballot }),
  prepare: fc.record({ type: fc.constant('prepare'), ballot, chosenIndex: count }),
  promise: fc
    .record({
      type: fc.constant('promise'),
      ballot,
      chosenIndex: count,
      floor: count,
      part: fc.nat({ max: 5 }),
      parts: fc.integer({ min: 1, max: 300 }),
      votes: fc.array(vote, { maxLength: 4 }),
    })
    .map((promise) => ({ ...promise, part: promise.part % promise.parts })),
  reject: fc.record({ type: fc.constant('reject'), ballot, promised: ballot, leaseRemainingMs: milliseconds }),
  accept: fc.record({ type: fc.constant('accept'), ballot, slot: count, value, firstSlot: count, chosenIndex: count }),
  accepted: fc.record({ type: fc.constant('accepted'), ballot, upTo: count, beyond: counts }),
  heartbeat: fc.record({
    type: fc.constant('heartbeat'),
    ballot,
    id: count,
    chosenIndex: count,
    leaseMs: milliseconds,
    connected: nodes,
    compactTo: count,
  }),
  heartbeatSeen: fc.record({ type: fc.constant('heartbeatSeen'), ballot, id: count, appliedIndex: count }),
  abdicate: fc.record({ type: fc.constant('abdicate'), ballot, successor: nodeOrNobody }),
  moved: fc.record({
    type: fc.constant('moved'),
    configuration: fc.record({ founding: identifier, id: count, voters: seats }),
    sealedAt: count,
  }),
  standbySeen: fc.record({ type: fc.constant('standbySeen'), ballot, id: count, appliedIndex: count }),
  roster: fc.record({
    type: fc.constant('roster'),
    ballot,
    standbys: fc.array(fc.record({ node, incarnation: identifier, lacking: count }), { maxLength: 4 }),
  }),
  orderGiven: fc.record({ type: fc.constant('orderGiven'), ballot, id: count, order: voterOrder }),
  orderAnswered: fc.record({
    type: fc.constant('orderAnswered'),
    id: count,
    answer: fc.constantFrom(...(Object.keys(orderAnswers) as OrderAnswer[])),
  }),
  storeAt: fc.record({ type: fc.constant('storeAt'), position: count }),
  storesSeen: fc.record({ type: fc.constant('storesSeen'), positions: fc.array(count, { maxLength: 7 }) }),
  recall: fc.record({ type: fc.constant('recall'), nonce: identifier }),
  recalled: fc.record({ type: fc.constant('recalled'), nonce: identifier, position: count }),
  fetch: fc.record({ type: fc.constant('fetch'), from: count, to: count }),
  chosen: fc.record({
    type: fc.constant('chosen'),
    from: count,
    values: fc.array(value, { maxLength: 4 }),
    chosenIndex: count,
    floor: count,
  }),
  fetchSnapshot: fc.record({ type: fc.constant('fetchSnapshot'), hash: fc.oneof(hash, fc.constant('')), chunk: count, above: count }),
  snapshotOffer: fc.record({
    type: fc.constant('snapshotOffer'),
    header: fc.oneof(
      fc.record({ format: count, founding: identifier, configuration: count, index: count, rows: count, chunks: count, hash }),
      fc.constant(null),
    ),
  }),
  snapshotChunk: fc.record({ type: fc.constant('snapshotChunk'), hash, chunk: count, rows: fc.array(snapshotRow, { maxLength: 8 }) }),
  hello: fc.record({ type: fc.constant('hello'), nonce: identifier, voters, wallMs: milliseconds }),
  greeting: fc
    .record({
      type: fc.constant('greeting'),
      nonce: identifier,
      voters,
      wallMs: milliseconds,
      tokenSecond,
      longestTtlMs: milliseconds,
      standing: fc.constantFrom('unfounded', 'accepted', 'founded', 'led', 'live', 'bereft'),
      record: fc.oneof(foundingRecord, fc.constant(null)),
    })
    .chain((greeting) =>
      fc.option(identifier, { nil: undefined }).map((replaces) => (replaces === undefined ? greeting : { ...greeting, replaces })),
    ),
  found: fc.record({ type: fc.constant('found'), record: foundingRecord }),
  foundingAccepted: fc.record({ type: fc.constant('foundingAccepted'), founding: identifier }),
  foundingConfirmed: fc.record({ type: fc.constant('foundingConfirmed'), founding: identifier }),
  openSession: fc.record({ type: fc.constant('openSession'), nonce: identifier, ttlMs: milliseconds, replaces: count }),
  sessionOpened: fc.record({ type: fc.constant('sessionOpened'), nonce: identifier, session: count, ttlMs: milliseconds }),
  openRefused: fc.record({
    type: fc.constant('openRefused'),
    nonce: identifier,
    reason: fc.constantFrom('closed', 'nameTaken', 'limit', 'ttlTooLong'),
    waitMs: milliseconds,
  }),
  closeSession: fc.record({ type: fc.constant('closeSession'), session: count }),
  submit: fc.record({ type: fc.constant('submit'), session: count, floor: count, ops }),
  replies: fc.record({ type: fc.constant('replies'), session: count, results: fc.array(result, { maxLength: 20 }) }),
  keepAlive: fc.record({
    type: fc.constant('keepAlive'),
    session: count,
    id: count,
    floor: count,
    pending: counts,
    watchVersion: count,
    watchedIndex: count,
    watchHeard: count,
  }),
  keptAlive: fc.record({
    type: fc.constant('keptAlive'),
    session: count,
    id: count,
    results: fc.array(result, { maxLength: 4 }),
    unknown: counts,
    covered: fc.uniqueArray(count, { maxLength: 20 }).map((tokens) => tokens.sort((a, b) => a - b)),
    watch: fc.record({ version: count, part: count }),
  }),
  sessionEnded: fc.record({ type: fc.constant('sessionEnded'), session: count }),
  watch: fc.record({
    type: fc.constant('watch'),
    session: count,
    version: count,
    since: count,
    part: count,
    added: fc.array(resource, { maxLength: 20 }),
    removed: fc.array(resource, { maxLength: 20 }),
  }),
  watched: fc.record({
    type: fc.constant('watched'),
    version: count,
    part: count,
    since: count,
    index: count,
    states: fc.array(state, { maxLength: 4 }),
  }),
};

export const message: fc.Arbitrary<Message> = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messagesByType));

export const header: fc.Arbitrary<FrameHeader> = fc.record({
  group: node,
  founding: identifier,
  configuration: count,
  node,
  incarnation: identifier,
  run: count,
});

/** Some of senders that can the next version too. */
export const frame: fc.Arbitrary<Frame> = fc
  .tuple(header, fc.array(message, { maxLength: 4 }), fc.boolean())
  .map(([from, messages, canNext]) => ({ ...from, ...(canNext ? { newest: 2 } : {}), messages }));

type RecordOf<T extends MemberRecord['type']> = Extract<MemberRecord, { readonly type: T }>;

/** By kind, so that a kind without an arbitrary does not compile. */
export const recordsByType: { readonly [T in MemberRecord['type']]: fc.Arbitrary<RecordOf<T>> } = {
  founding: fc.record({ type: fc.constant('founding'), record: foundingRecord, complete: fc.boolean(), confirmed: fc.boolean() }),
  discarded: fc.record({ type: fc.constant('discarded') }),
  promised: fc.record({ type: fc.constant('promised'), ballot }),
  voted: fc.record({ type: fc.constant('voted'), slot: count, ballot, value }),
  learned: fc.record({ type: fc.constant('learned'), slot: count, value }),
  chosen: fc.record({ type: fc.constant('chosen'), upTo: count }),
  inherited: fc.record({ type: fc.constant('inherited'), founding: identifier, tokenSecond, longestTtlMs: milliseconds }),
  configuration: fc.record({ type: fc.constant('configuration'), record: foundingRecord, sealedAt: count }),
  position: fc.record({ type: fc.constant('position'), position: count }),
};
