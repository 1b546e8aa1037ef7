/** A member's part in snapshots: it serves the state that it applied, and fetches one where the log it needs is gone. */
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import type { Log } from '../paxos/log.ts';
import type { Heartbeat, Slot } from '../paxos/message.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';
import type { Snapshot } from '../snapshot/row.ts';
import type { Instant } from '../time/clock.ts';
import { GroupState } from './group-state.ts';
import type { MemberOptions } from './member-io.ts';
import type { GroupBatch, MemberSend } from './member-message.ts';
import { SnapshotClient } from './snapshot-client.ts';
import type { FetchedSnapshot } from './snapshot-client.ts';
import { SnapshotServer } from './snapshot-server.ts';
import type { SnapshotOrigin } from './snapshot-server.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';
import type { VoterSeat } from './voter-seat.ts';

/** In election timeouts: how long a snapshot is kept for whoever fetched of it last. */
const keptElections = 20;

/**
 * 1. A follower is asked rather than the leader, for whoever writes a snapshot applies nothing meanwhile.
 * 2. Whoever took a snapshot goes on with the log of the member that it came from, which keeps it for that.
 */
export class Snapshots {
  readonly server: SnapshotServer;
  private readonly client: SnapshotClient;
  private readonly founding: string;
  private leader = '';
  private connected: readonly string[] = [];
  private installedMs = -Infinity;
  private installedFrom = '';
  /** Of the last snapshot that the storage was given. */
  private storedIndex: Slot = 0;
  /** Of the snapshot that was taken up in this turn. */
  private installedIndex: Slot = Infinity;

  constructor(
    private readonly options: Pick<MemberOptions, 'self' | 'timing' | 'limits' | 'rowCodec' | 'levels'>,
    record: FoundingRecord,
  ) {
    const { timing, limits, rowCodec, levels } = options;
    this.server = new SnapshotServer(rowCodec, limits.batchBytesMax, keptElections * timing.electionTimeoutMs);
    const { maxSessionTtlMs } = record;
    this.founding = record.configuration.founding;
    const freshState = (): GroupState => new GroupState({ maxSessionTtlMs }, levels);
    this.client = new SnapshotClient(this.founding, freshState, rowCodec, timing.heartbeatMs, 2 * timing.electionTimeoutMs);
  }

  get nextDeadlineMs(): number {
    return this.server.isWriting ? 0 : this.client.nextDeadlineMs;
  }

  onHeartbeat(from: Proposer, { connected }: Heartbeat): void {
    this.leader = from.node;
    this.connected = connected;
  }

  /** `from` says that its log begins above `floor`; this member has applied everything up to `applied`, and lacks what is between. */
  onFloor(from: Proposer, floor: Slot, applied: Slot, at: Instant): MemberSend[] {
    const nowMs = at.monotonicMs;
    if (floor <= applied) return [];
    // The one whose snapshot this was still has what follows it, and is being asked for it.
    const isGoingOn = nowMs - this.installedMs < this.options.timing.electionTimeoutMs;
    if (isGoingOn && from.node !== this.installedFrom) return [];
    return this.client.begin(this.sources(from.node), applied, nowMs);
  }

  onMessage(from: Proposer, message: SnapshotMessage, origin: SnapshotOrigin | null, at: Instant): MemberSend[] | FetchedSnapshot {
    const nowMs = at.monotonicMs;
    switch (message.type) {
      case 'fetchSnapshot': {
        const answer = origin && this.server.onFetch(message, origin, nowMs);
        return answer ? [{ to: { type: 'node', node: from.node }, message: answer }] : [];
      }
      case 'snapshotOffer':
        return this.client.onOffer(from.node, message, nowMs);
      case 'snapshotChunk':
        return this.client.onChunk(from.node, message, nowMs);
    }
  }

  /** The next question for what follows the snapshot. */
  onInstalled({ from, stored }: FetchedSnapshot, at: Instant): MemberSend {
    this.installedMs = at.monotonicMs;
    this.installedFrom = from;
    this.installedIndex = stored.index;
    this.storedIndex = stored.index;
    this.server.drop();
    return { to: { type: 'node', node: from }, message: { type: 'fetch', from: stored.index + 1, to: Number.MAX_SAFE_INTEGER } };
  }

  /** The log above it is kept: a store that is given a snapshot holds of the log what the replica does. */
  get keepAbove(): Slot {
    return Math.min(this.installedIndex, this.server.keepAbove);
  }

  /** What was taken up in this turn is stored with what the log held at its end. */
  onTurnEnd(): void {
    this.installedIndex = Infinity;
  }

  /** Begins to write one of the member's own state where it is time to store one. */
  beginToStore({ state }: Pick<VoterSeat, 'state'>): void {
    const isDue = state.appliedIndex - this.storedIndex >= this.options.limits.storedEverySlots;
    if (isDue && this.server.keepAbove === Infinity) this.server.begin({ founding: this.founding, state });
  }

  /** What every snapshot that was written is good for, whoever asked for it. */
  toStore({ header, chunks }: Snapshot): StoredSnapshot | null {
    const { limits, rowCodec } = this.options;
    if (limits.storedEverySlots === Infinity) return null;
    this.storedIndex = header.index;
    return { index: header.index, header: rowCodec.packHeader(header), chunks };
  }

  onTick(log: Log<GroupBatch>, at: Instant): MemberSend[] {
    this.server.onTick(at.monotonicMs, this.isTooLong(log));
    this.client.onApplied(log.chosenIndex);
    return this.client.onTick(at.monotonicMs);
  }

  /** It is longer than the log may be, for the sake of the snapshot that is kept. */
  private isTooLong(log: Log<GroupBatch>): boolean {
    const { keepAbove } = this.server;
    const { logSlotsMax, logBytesMax, sizeOfBatch } = this.options.limits;
    return keepAbove !== Infinity && log.floorWithin(logSlotsMax, logBytesMax, sizeOfBatch) > keepAbove;
  }

  private sources(teller: string): readonly string[] {
    const { node } = this.options.self;
    const followers = this.connected.filter((other) => other !== node && other !== this.leader);
    return [...new Set([...followers, this.leader, teller])].filter((other) => other !== '' && other !== node);
  }
}
