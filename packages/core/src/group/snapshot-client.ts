/**
 * Fetching a snapshot: from one member at a time, from the next where it falls silent, and on from the chunk where it was broken off
 * if that one has the same snapshot. The safety rule 2; `docs/protocol.md`, "Snapshots".
 */
import { QuorateError } from '../errors.ts';
import type { Slot } from '../paxos/message.ts';
import type { FetchSnapshot, SnapshotChunk, SnapshotOffer } from '../snapshot/message.ts';
import type { GroupRow, RowCodec } from '../snapshot/row.ts';
import { refusalOf, SnapshotIntake } from '../snapshot/snapshot-intake.ts';
import type { GroupState } from './group-state.ts';
import type { MemberSend } from './member-message.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

export interface FetchedSnapshot {
  readonly state: GroupState;
  readonly stored: StoredSnapshot;
  readonly from: string;
}

interface Staging {
  readonly state: GroupState;
  readonly intake: SnapshotIntake;
}

/**
 * 1. What comes is staged in a state of its own, which nobody sees before all of it fits.
 * 2. Only the member that is asked is listened to; another snapshot than the one begun begins anew.
 */
export class SnapshotClient {
  private staging: Staging | null = null;
  private sources: readonly string[] = [];
  private dueMs = Infinity;
  private heardMs = -Infinity;
  private above: Slot = 0;

  constructor(
    private readonly founding: string,
    private readonly freshState: () => GroupState,
    private readonly codec: RowCodec,
    /** An unanswered question is repeated after this long … */
    private readonly retryMs: number,
    /** … and another member is asked after this long. */
    private readonly patienceMs: number,
  ) {}

  get isFetching(): boolean {
    return this.sources.length > 0;
  }

  get nextDeadlineMs(): number {
    return this.dueMs;
  }

  /** Whom to ask, in this order. While a fetch is under way they get their turn behind those: who is asked may have none any more. */
  begin(sources: readonly string[], above: Slot, nowMs: number): MemberSend[] {
    if (this.isFetching) this.sources = [...new Set([...this.sources, ...sources])];
    if (this.isFetching || sources.length === 0) return [];
    this.sources = sources;
    this.heardMs = nowMs;
    this.above = above;
    return this.ask(nowMs);
  }

  /** What was applied meanwhile by the log: a snapshot that does not lie above it is given up. */
  onApplied(appliedIndex: Slot): void {
    this.above = appliedIndex;
    if (this.staging && this.staging.intake.header.index <= appliedIndex) this.end();
  }

  onTick(nowMs: number): MemberSend[] {
    if (!this.isFetching || nowMs < this.dueMs) return [];
    if (nowMs - this.heardMs >= this.patienceMs) {
      this.heardMs = nowMs;
      this.sources = [...this.sources.slice(1), ...this.sources.slice(0, 1)];
    }
    return this.ask(nowMs);
  }

  onOffer(node: string, { header }: SnapshotOffer, nowMs: number): MemberSend[] {
    if (node !== this.sources[0]) return [];
    // One that is of no use is no reason to wait for better from the same member.
    if (header && refusalOf(header, this.founding) !== null) return [];
    this.heardMs = nowMs;
    if (!header || header.hash === this.staging?.intake.header.hash || header.index <= this.above) return [];
    const state = this.freshState();
    this.staging = { state, intake: new SnapshotIntake(header, state.tables, this.codec) };
    return this.ask(nowMs);
  }

  /** The whole snapshot with its last chunk; before that the next question. */
  onChunk(node: string, { hash, chunk, rows }: SnapshotChunk, nowMs: number): FetchedSnapshot | MemberSend[] {
    const { staging } = this;
    if (!staging || node !== this.sources[0]) return [];
    const intake = staging.intake.take(hash, chunk, rows);
    if (intake.type === 'ignored') return [];
    this.heardMs = nowMs;
    if (intake.type === 'refused') this.staging = null;
    if (intake.type !== 'complete') return this.ask(nowMs);
    return this.finish(staging, intake.group, node);
  }

  private finish({ state, intake }: Staging, group: GroupRow, from: string): FetchedSnapshot {
    const { header, chunks } = intake;
    state.resume(header.index, group);
    this.end();
    return { state, stored: { index: header.index, header: this.codec.packHeader(header), chunks }, from };
  }

  private end(): void {
    this.staging = null;
    this.sources = [];
    this.dueMs = Infinity;
  }

  private ask(nowMs: number): MemberSend[] {
    const node = this.sources[0];
    if (node === undefined) return [];
    this.dueMs = nowMs + this.retryMs;
    const intake = this.staging?.intake;
    const message: FetchSnapshot = {
      type: 'fetchSnapshot',
      hash: intake?.header.hash ?? '',
      chunk: intake?.nextChunk ?? 0,
      above: this.above,
    };
    return [{ to: { type: 'node', node }, message }];
  }
}

/** The state that an earlier run stored. Throws STORAGE_CORRUPT if that is not what was written. */
export function restoredState({ header: bytes, chunks }: StoredSnapshot, state: GroupState, codec: RowCodec): GroupState {
  const header = codec.unpackHeader(bytes);
  if (!header || refusalOf(header, header.founding) !== null)
    throw new QuorateError('STORAGE_CORRUPT', 'A stored snapshot cannot be read.');
  const intake = new SnapshotIntake(header, state.tables, codec);
  for (const [at, chunk] of chunks.entries()) {
    const rows = codec.unpack(chunk);
    const taken = rows && intake.take(header.hash, at, rows);
    if (taken?.type === 'complete') {
      state.resume(header.index, taken.group);
      return state;
    }
  }
  throw new QuorateError('STORAGE_CORRUPT', 'A stored snapshot is not what was written.');
}
