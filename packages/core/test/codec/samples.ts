/** One frame of each type of message, small enough to be read as bytes, and frames for the rest of the grammar. */
import type { Frame, FrameHeader, Message } from '../../src/codec/frame.ts';
import type { Operation } from '../../src/operation.ts';
import type { Batch } from '../../src/session/command.ts';

export const sampleHeader: FrameHeader = { group: 'g', founding: 'f', configuration: 1, node: 'a', incarnation: 'i', run: 2 };

export function frameOf(...messages: readonly Message[]): Frame {
  return { ...sampleHeader, messages };
}

const ballot = { round: 3, node: 'a', incarnation: 'i', run: 2 };

/** Every kind of entry and of operation on locks. */
const batch: Batch<Operation> = [
  1_700_000_000_000,
  [
    [1, '3:i:2:a'],
    [2, '3:i:2:a', 123_456_789],
    [3, 'n', 'b', 'p', 10_000, 0],
    [
      0,
      4096,
      7,
      [
        [1, 8, 'l/x', 0, 1, null],
        [1, 9, 'e/y', -1, 0, 'v'],
        [2, 10, 'l/x', 517_815_720_345_601, 'é'],
        [3, 11, 9],
        [4, 12, 'l/x', 300, 'n'],
        [5, 13, 'e/y', 70_000, 'w'],
      ],
    ],
    [4, 4097],
    [5, 4098, '3:i:2:a'],
  ],
];

const record = {
  configuration: {
    founding: 'f',
    id: 1,
    voters: [
      { node: 'a', incarnation: 'i' },
      { node: 'b', incarnation: 'j' },
    ],
  },
  tokenSecond: 123_456_789,
  maxSessionTtlMs: 60_000,
  firstFounding: true,
};

const decisions: Batch<Operation> = [
  1_700_000_000_000,
  [
    [6, 'orders', '3:i:2:a', ['c']],
    [7, 'orders', '3:i:2:a', 63, 517_815_720_345_601],
    [8, 'orders', '3:i:2:a', 63, 517_815_720_345_601],
  ],
];

const partitionOps: readonly Operation[] = [
  [16, 9, 'orders', 1.5, 20_000, 64, 2_000, 250],
  [17, 10, 'orders'],
  [18, 11, 'orders', 63, 517_815_720_345_601, 'é'],
  [19, 12, 'orders', 63, 517_815_720_345_601, 'n'],
  [20, 13, 'orders', 63, 517_815_720_345_601],
  [21, 14, 'orders', 63],
  [22, 15, 'orders', 63, ''],
  [23, 16, 'orders', 'c', 2],
  [24, 17, 'orders', 128],
];

/** A batch of its own. */
export const stopSign: Batch<Operation> = [
  1_700_000_000_000,
  [
    [
      9,
      '3:i:2:a',
      2,
      [
        ['a', 'i'],
        ['b', 'k'],
      ],
      [['b', 'j']],
      ['a', 'b'],
    ],
  ],
];

export const samples: { readonly [T in Message['type']]: Extract<Message, { readonly type: T }> } = {
  canvass: { type: 'canvass', ballot },
  support: { type: 'support', ballot },
  prepare: { type: 'prepare', ballot, chosenIndex: 5 },
  promise: { type: 'promise', ballot, chosenIndex: 5, floor: 4, part: 0, parts: 1, votes: [{ slot: 6, ballot, value: batch }] },
  reject: { type: 'reject', ballot, promised: { ...ballot, round: 4, node: 'b', incarnation: 'j' }, leaseRemainingMs: 12.5 },
  accept: { type: 'accept', ballot, slot: 6, value: batch, firstSlot: 1, chosenIndex: 5 },
  accepted: { type: 'accepted', ballot, upTo: 6, beyond: [8, 9] },
  heartbeat: { type: 'heartbeat', ballot, id: 200, chosenIndex: 6, leaseMs: 500, connected: ['a', 'b'], compactTo: 4 },
  heartbeatSeen: { type: 'heartbeatSeen', ballot, id: 200, appliedIndex: 6 },
  abdicate: { type: 'abdicate', ballot, successor: 'b' },
  fetch: { type: 'fetch', from: 5, to: 70_000 },
  chosen: { type: 'chosen', from: 5, values: [null, batch, decisions], chosenIndex: 7, floor: 4 },
  moved: { type: 'moved', configuration: { ...record.configuration, id: 2 }, sealedAt: 6 },
  standbySeen: { type: 'standbySeen', ballot, id: 200, appliedIndex: 6 },
  roster: { type: 'roster', ballot, standbys: [{ node: 'd', incarnation: 'l', lacking: 300 }] },
  orderGiven: { type: 'orderGiven', ballot, id: 70_000, order: { type: 'replace', node: 'a', by: 'd' } },
  orderAnswered: { type: 'orderAnswered', id: 70_000, answer: 'notCaughtUp' },
  storeAt: { type: 'storeAt', position: 70_000 },
  storesSeen: { type: 'storesSeen', positions: [6, 0, 70_000] },
  recall: { type: 'recall', nonce: '1f.0' },
  recalled: { type: 'recalled', nonce: '1f.0', position: 300 },
  fetchSnapshot: { type: 'fetchSnapshot', hash: 'ab'.repeat(32), chunk: 3, above: 6 },
  snapshotOffer: {
    type: 'snapshotOffer',
    header: { format: 1, founding: 'f', configuration: 1, index: 70_000, rows: 11, chunks: 4, hash: 'ab'.repeat(32) },
  },
  snapshotChunk: {
    type: 'snapshotChunk',
    hash: 'ab'.repeat(32),
    chunk: 0,
    rows: [
      [0, '3:i:2:a', true, 517_815_720_345_601, 1, [2, [['a', 'i']], 5, ['j'], ['a', 'b']]],
      [1, 4096, 'n', 'b', 'p', 10_000, 0, 7],
      [2, 8, 1, 300, ['b', 300, 1_700_000_000_000]],
      [3, 'l/x', 6, 'note'],
      [4, 4096, 'b', 8, 0, 300, 1_700_000_000_000, null],
      [5, 'orders', 64, 2_000, 250, false],
      [6, 'b', 4096, 1.5, 500, false, true],
      [7, 'd'],
      [8, 3, 'b'],
      [9, 4, 'c'],
      [10, 'b', 'b', 4096, 301, false, true, null],
    ],
  },
  hello: { type: 'hello', nonce: 'n', voters: ['a', 'b'], wallMs: 1_700_000_000_000 },
  greeting: {
    type: 'greeting',
    nonce: 'n',
    voters: ['a', 'b'],
    wallMs: 1_700_000_000_000,
    tokenSecond: 123_456_788,
    longestTtlMs: 60_000,
    standing: 'led',
    record,
  },
  found: { type: 'found', record },
  foundingAccepted: { type: 'foundingAccepted', founding: 'f' },
  foundingConfirmed: { type: 'foundingConfirmed', founding: 'f' },
  openSession: { type: 'openSession', nonce: 'n', ttlMs: 10_000, replaces: 4096 },
  sessionOpened: { type: 'sessionOpened', nonce: 'n', session: 4096, ttlMs: 10_000 },
  openRefused: { type: 'openRefused', nonce: 'n', reason: 'nameTaken', waitMs: 9_000 },
  closeSession: { type: 'closeSession', session: 4096 },
  submit: { type: 'submit', session: 4096, floor: 7, ops: [[1, 8, 'l/x', 0, 1, null], ...partitionOps] },
  replies: {
    type: 'replies',
    session: 4096,
    results: [
      [8, 1, 517_815_720_345_601, 'note'],
      [9, 2, 1, ['b', 300, 1_700_000_000_000]],
      [10, 4, 0, null],
    ],
  },
  keepAlive: { type: 'keepAlive', session: 4096, id: 14, floor: 7, pending: [8, 9], watchVersion: 1, watchedIndex: 2, watchHeard: 13 },
  keptAlive: {
    type: 'keptAlive',
    session: 4096,
    id: 14,
    results: [[8, 9, 0, null]],
    unknown: [9],
    covered: [517_815_720_345_602, 517_815_720_345_609],
    watch: { version: 1, part: 3 },
  },
  sessionEnded: { type: 'sessionEnded', session: 4096 },
  watch: { type: 'watch', session: 8195, version: 1, since: 2, part: 3, added: ['l/x', 'e/y'], removed: ['l/z'] },
  watched: {
    type: 'watched',
    version: 1,
    part: 3,
    since: 2,
    index: 3,
    states: [
      {
        resource: 'l/x',
        version: 6,
        holders: [{ node: 'b', session: 4096, token: 300, sinceWallMs: 1_700_000_000_000, value: 'v' }],
        waiters: ['c'],
        waiting: 1,
        note: null,
      },
      {
        resource: 'p/orders',
        version: 6,
        isFull: true,
        count: 64,
        graceMs: 2_000,
        settleMs: 250,
        members: {
          rows: [
            ['b', 1.5, 0],
            ['c', 0, 2],
          ],
          pins: [[63, 'b']],
        },
        rows: [
          [0, 2, 'b', 517_815_720_345_601, 'c', null],
          [63, 0, '', 0, '', null],
        ],
      },
      {
        resource: 'o/orders',
        version: 7,
        isFull: false,
        count: 64,
        graceMs: 2_000,
        settleMs: 250,
        members: null,
        rows: [[0, 1, 'b', 517_815_720_345_601, 'b', 'é']],
      },
    ],
  },
};
