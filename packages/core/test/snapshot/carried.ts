/** Snapshots in the hands of tests: states of any kind, written in slices and taken up again. */
import { rowCodec } from '../../src/codec/snapshot-codec.ts';
import { GroupState } from '../../src/group/group-state.ts';
import type { Operation } from '../../src/operation.ts';
import type { Entry } from '../../src/session/command.ts';
import { entryKind, sessionKeyOf } from '../../src/session/command.ts';
import type { Snapshot, SnapshotRow } from '../../src/snapshot/row.ts';
import { SnapshotIntake } from '../../src/snapshot/snapshot-intake.ts';
import type { Intake } from '../../src/snapshot/snapshot-intake.ts';
import { SnapshotWriter } from '../../src/snapshot/snapshot-writer.ts';
import { seededRandom } from '../../src/time/random.ts';

export const maxSessionTtlMs = 30_000;

export function writerOf(state: GroupState, bytesMax: number): SnapshotWriter {
  const { appliedIndex: index, groupRow: group, tables } = state;
  return new SnapshotWriter({ founding: 'f', configuration: 1, index, group, tables }, rowCodec, bytesMax);
}

export function written(state: GroupState, bytesMax = 4_096): Snapshot {
  const writer = writerOf(state, bytesMax);
  for (;;) {
    const snapshot = writer.step();
    if (snapshot) return snapshot;
  }
}

/** What a receiver has at hand: a state of its own that nobody sees yet, and what came of each chunk. */
export class Receiver {
  readonly state = new GroupState({ maxSessionTtlMs });
  readonly intake: SnapshotIntake;

  constructor(private readonly snapshot: Snapshot) {
    this.intake = new SnapshotIntake(snapshot.header, this.state.tables, rowCodec);
  }

  /** As it comes off the wire, of the snapshot of that name. */
  take(chunk: number, from: Snapshot = this.snapshot, hash = from.header.hash): Intake {
    return this.takeRows(chunk, rowsIn(from, chunk), hash);
  }

  takeRows(chunk: number, rows: readonly SnapshotRow[], hash = this.snapshot.header.hash): Intake {
    const intake = this.intake.take(hash, chunk, rows);
    if (intake.type === 'complete') this.state.resume(this.snapshot.header.index, intake.group);
    return intake;
  }

  /** Every chunk from the next on; the last outcome. */
  takeRest(): Intake {
    let last: Intake = { type: 'ignored' };
    for (let chunk = this.intake.nextChunk; chunk < this.snapshot.chunks.length; chunk += 1) {
      last = this.take(chunk);
      if (last.type === 'refused') break;
    }
    return last;
  }
}

export function rowsIn({ chunks }: Snapshot, chunk: number): readonly SnapshotRow[] {
  const rows = rowCodec.unpack(chunks[chunk] ?? new Uint8Array());
  if (rows === null) throw new Error(`chunk ${chunk} cannot be read`);
  return rows;
}

/** A state that came off the wire. */
export function carried(state: GroupState, bytesMax?: number): GroupState {
  const receiver = new Receiver(written(state, bytesMax));
  const last = receiver.takeRest();
  if (last.type !== 'complete') throw new Error(`the snapshot was not taken: ${JSON.stringify(last)}`);
  return receiver.state;
}

/** After so many slots of chance: sessions, locks with queues and notes, and partitions in every phase. */
export function randomState(seed: number, slots: number): GroupState {
  const random = seededRandom(seed);
  const state = new GroupState({ maxSessionTtlMs });
  const sessions: { key: number; seq: number; floor: number }[] = [];
  const put = (...entries: readonly Entry<Operation>[]): number => {
    const slot = state.appliedIndex + 1;
    state.apply(slot, [slot * 1_000, entries]);
    return slot;
  };
  put([entryKind.begin, 's'], [entryKind.openGroup, 's', 7]);
  while (state.appliedIndex < slots) {
    const session = sessions[random.below(sessions.length + 1)];
    if (session === undefined || random.below(20) === 0) {
      const node = `node ${random.below(30)} \uFEFFé`;
      const key = sessionKeyOf(state.appliedIndex + 1, 0);
      put([entryKind.openSession, `n${random.below(99)}`, node, `${node}.1`, 10_000, 0]);
      if (state.session(key)) sessions.push({ key, seq: 0, floor: 0 });
      continue;
    }
    if (random.below(60) === 0) {
      const { id, voters } = state.configuration;
      const gone = voters.map(({ node, incarnation }) => [node, incarnation] as const);
      put([entryKind.stopSign, 's', id + 1, [['a', `a${id + 1}`]], gone, []]);
      put([entryKind.begin, 's']);
      continue;
    }
    if (random.below(50) === 0) {
      put([entryKind.closeSession, session.key]);
      continue;
    }
    const set = `set ${random.below(3)}`;
    const joined = state.tables.partitions.set(set);
    if (joined && random.below(5) === 0) {
      put([entryKind.rebalance, set, 's', []]);
      const revoked = joined.partitions.find(({ isRevoked }) => isRevoked);
      if (revoked && random.below(2) === 0) put([entryKind.uncover, set, 's', revoked.index, revoked.token]);
      continue;
    }
    if (random.below(4) === 0) session.floor = random.below(session.seq + 1);
    const ops = Array.from({ length: 1 + random.below(4) }, () => operation(state, session, set, (below) => random.below(below)));
    put([entryKind.use, session.key, session.floor, ops]);
  }
  return state;
}

function operation(state: GroupState, session: { key: number; seq: number }, set: string, below: (n: number) => number): Operation {
  const seq = (session.seq += 1);
  const resource = `${below(2) === 0 ? 'l' : 'e'}/${below(12)}`;
  const held = state.lockState(resource).holders[0]?.token ?? 1;
  const partition = below(8);
  const owned = state.tables.partitions.set(set)?.partitions[partition]?.token ?? 1;
  const note = below(3) === 0 ? '' : `note ${below(100)}`;
  switch (below(12)) {
    case 0:
      return [2, seq, resource, held, below(2) === 0 ? null : note];
    case 1:
      return [3, seq, 1 + below(seq)];
    case 2:
      return [4, seq, resource, held, note];
    case 3:
      return [5, seq, resource, held, note];
    case 4:
      return [16, seq, set, 1 + below(3), 500, 8, 1_000, 100];
    case 5:
      return [19, seq, set, partition, owned, note];
    case 6:
      return below(2) === 0 ? [18, seq, set, partition, owned, null] : [20, seq, set, partition, owned];
    case 7:
      return [22, seq, set, partition, below(2) === 0 ? '' : `node ${below(9)} \uFEFFé`];
    case 8:
      return below(4) === 0 ? [17, seq, set] : [23, seq, set, `node ${below(9)} \uFEFFé`, below(3)];
    default:
      return [1, seq, resource, 0, below(4) === 0 ? 1 : 0, below(2) === 0 ? null : note];
  }
}
