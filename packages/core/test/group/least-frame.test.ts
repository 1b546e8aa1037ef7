/** What watchers are told where frames are the least that a transport may have: the largest of all states fit, and nothing of them is lost. */
import { SetWatch } from '../../src/api/partition-watch.ts';
import type { Instance } from '../../src/api/instance.ts';
import type { Ownership } from '../../src/api/partitions-contract.ts';
import { decodeFrame } from '../../src/codec/frame-codec.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { valueBytesMax } from '../../src/codec/size.ts';
import { splitMessages } from '../../src/codec/split.ts';
import { GroupState } from '../../src/group/group-state.ts';
import { instanceOf, LeaderService } from '../../src/group/leader-service.ts';
import type { GroupBatch, GroupEntry } from '../../src/group/member-message.ts';
import type { Operation, WatchedState } from '../../src/operation.ts';
import { isPartitionsState } from '../../src/operation.ts';
import { partitionOp } from '../../src/partition/command.ts';
import { ballotStamp } from '../../src/paxos/ballot.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import { entryKind } from '../../src/session/command.ts';
import { frameBytesLeast } from '../../src/transport/frame-limit.ts';
import { ballotOf, configurationOf, proposer } from '../paxos/desk.ts';

const longest = 'n'.repeat(256);
const note = 'o'.repeat(1_024);
const most = Number.MAX_SAFE_INTEGER;
const header = { group: longest, founding: 'f'.repeat(128), configuration: most, node: longest, incarnation: 'i'.repeat(128), run: most };
const sealer = createSealer(['a secret of enough bytes']);
const stamp = ballotStamp(ballotOf('a', 2));
const nodes = Array.from({ length: 20 }, (_, index) => `${index + 10}`.padEnd(256, 'n'));
const set = 's'.repeat(256);
const partitions = 4;

/** A group of which everything has the longest names, values and notes, and its leader, whose frames are the least. */
class Desk {
  readonly state = new GroupState({ maxSessionTtlMs: 1_000 });
  private readonly term = new LeaderTerm<GroupBatch>(ballotOf('a', 2), 1, 0, configurationOf('a', 'b', 'c'), 500);
  private readonly service: LeaderService;
  private seq = 0;

  constructor() {
    const record = { configuration: configurationOf('a', 'b', 'c'), tokenSecond: 2 ** 30, maxSessionTtlMs: 1_000, firstFounding: true };
    const sizes = { batchBytesMax: () => valueBytesMax(frameBytesLeast), sizeOfEntry: () => 10, sizeOfTuple: () => 10 };
    const times = { completeSinceMs: 0, quorumRoundMaxMs: 500 };
    this.service = new LeaderService({ self: proposer('a'), record, stamp, reads: 'lease', ...sizes, ...times }, this.term, this.state);
    this.term.lease.heartbeatSeen(this.term.lease.heartbeatSent(0, 'a'), 'b');
    this.apply([entryKind.begin, stamp], [entryKind.openGroup, stamp, record.tokenSecond]);
    for (const node of nodes) this.apply([entryKind.openSession, 'n', node, instanceOf(proposer(node)), 1_000, 0]);
  }

  get set() {
    return this.state.tables.partitions.set(set)!;
  }

  apply(...entries: GroupEntry[]): void {
    this.service.onApplied(this.state.apply(this.state.appliedIndex + 1, [2 ** 41, entries]), 0, () => true);
  }

  use(node: string, build: (seq: number) => Operation): void {
    this.apply([entryKind.use, this.state.sessionOfNode(node)!, 0, [build((this.seq += 1))]]);
  }

  /** Held with a value and a note, and everybody else waits. */
  claim(resource: string): void {
    for (const node of nodes) this.use(node, (seq) => [1, seq, resource, 0, 0, note]);
    this.use(nodes[0]!, (seq) => [4, seq, resource, this.state.lockState(resource).holders[0]!.token, note]);
  }

  /** Everybody takes part, each partition is pinned and has a note, and all but one have refused the first. */
  share(): void {
    for (const node of nodes) this.use(node, (seq) => [partitionOp.join, seq, set, 0.1, 1_000, partitions, 2_000, 100]);
    for (let partition = 0; partition < partitions; partition += 1)
      this.use(nodes[0]!, (seq) => [partitionOp.pin, seq, set, partition, nodes[partition]!]);
    for (let refusals = 0; refusals < nodes.length; refusals += 1) {
      this.apply([entryKind.rebalance, set, stamp, []]);
      const { node, token } = this.set.partitions[0]!;
      if (token > 0 && refusals < nodes.length - 1) this.use(node, (seq) => [partitionOp.refuse, seq, set, 0, token]);
    }
    for (const { index, node, token } of this.set.partitions) this.use(node, (seq) => [partitionOp.note, seq, set, index, token, note]);
  }

  watch(node: string, ...added: string[]): void {
    const session = this.state.sessionOfNode(node)!;
    this.service.onMessage(proposer(node), { type: 'watch', session, version: most, since: 0, part: most, added, removed: [] }, 0);
  }

  /** The states in the frames that leave for watchers, as their receivers read them; none may be left out. */
  told(): readonly WatchedState[] {
    const messages = this.service.takeAnswers().flatMap(({ message }) => (message.type === 'watched' ? [message] : []));
    const { frames, oversize } = splitMessages(header, messages, { frameBytesMax: frameBytesLeast, sealer });
    expect(oversize).toEqual([]);
    return frames.flatMap((bytes) => {
      const frame = decodeFrame(bytes, { sealer });
      if (!('messages' in frame)) throw new Error('no frame');
      return frame.messages.flatMap((message) => (message.type === 'watched' ? message.states : []));
    });
  }
}

/** What a process shows of the set after these states. */
function shown(states: readonly WatchedState[]): Ownership[] {
  const seen: Ownership[] = [];
  const host = { stopTimer: () => undefined };
  const engine = {
    founding: 'f',
    host,
    watch: (_: string, listener: (state: WatchedState) => void) => {
      for (const state of states) listener(state);
      return () => undefined;
    },
  };
  const watch = new SetWatch({ engine, isClosed: false } as unknown as Instance, set, () => undefined);
  watch.ownership$.subscribe((ownership) => seen.push(ownership));
  return seen;
}

it.each(['l/', 'e/'])('has room for the largest state of %s, with as many waiters as fit and the count of all (20 nodes)', (kind) => {
  const desk = new Desk();
  desk.claim(kind + longest);
  desk.watch(nodes[0]!, kind + longest);
  const [state] = desk.told();
  expect(state).toEqual(desk.state.lockState(kind + longest));
  expect(state).toMatchObject({ holders: [{ value: note }], note, waiters: nodes.slice(1, 3), waiting: 19 });
});

it('has room for each part of the largest set, and its watchers are shown all members, pins and refusals (20 members)', () => {
  const desk = new Desk();
  desk.share();
  desk.watch(nodes[0]!, `p/${set}`);
  const ownership = shown(desk.told()).at(-1);
  expect(ownership?.members.map(({ node }) => node)).toEqual(nodes);
  expect([...(ownership?.pins ?? [])]).toEqual([...desk.set.pins]);
  expect(desk.set.refusals.get(0)?.size).toBe(19);
  expect(ownership?.partitions.map(({ refusedBy }) => refusedBy)).toEqual([[...desk.set.refusals.get(0)!], [], [], []]);
});

it('has room for what an owner is told of its partitions, with their notes (20 members)', () => {
  const desk = new Desk();
  desk.share();
  const { node } = desk.set.partitions[1]!;
  desk.watch(node, `o/${set}`);
  const rows = desk.told().flatMap((state) => (isPartitionsState(state) ? state.rows : []));
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every((row) => row[5] === note)).toBe(true);
});

it('has room for each part of what changed of a set, and nobody is shown half of its members (20 members)', () => {
  const desk = new Desk();
  desk.share();
  desk.watch(nodes[0]!, `p/${set}`);
  const before = desk.told();
  desk.use(nodes[1]!, (seq) => [partitionOp.place, seq, set, nodes[19]!, 2]);
  const seen = shown([...before, ...desk.told()]);
  expect(seen.at(-1)?.members.at(-1)).toMatchObject({ node: nodes[19], state: 'excluded' });
  expect(new Set(seen.map(({ members }) => members.length))).toEqual(new Set([20]));
});
