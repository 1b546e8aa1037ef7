/** A member's part in snapshots: it serves the state that it applied, and fetches one where the log it needs is gone. */
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import type { Heartbeat, Slot } from '../paxos/message.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';
import type { Instant } from '../time/clock.ts';
import { GroupState } from './group-state.ts';
import type { MemberOptions } from './member-io.ts';
import type { MemberSend } from './member-message.ts';
import { SnapshotClient } from './snapshot-client.ts';
import type { FetchedSnapshot } from './snapshot-client.ts';
import { SnapshotServer } from './snapshot-server.ts';
import type { SnapshotOrigin } from './snapshot-server.ts';

/** In election timeouts: how long a snapshot is kept for whoever fetched of it last. */
const keptElections = 20;

/**
 * 1. A follower is asked rather than the leader, for whoever writes a snapshot applies nothing meanwhile.
 * 2. Whoever took a snapshot goes on with the log of the member that it came from, which keeps it for that.
 */
export class Snapshots {
  readonly server: SnapshotServer;
  private readonly client: SnapshotClient;
  private leader = '';
  private connected: readonly string[] = [];
  private installedMs = -Infinity;
  private installedFrom = '';
  /** Of the snapshot that was taken up in this turn. */
  private installedIndex: Slot = Infinity;

  constructor(
    private readonly options: Pick<MemberOptions, 'self' | 'timing' | 'limits' | 'rowCodec' | 'levels'>,
    record: FoundingRecord,
  ) {
    const { timing, limits, rowCodec, levels } = options;
    this.server = new SnapshotServer(rowCodec, limits.batchBytesMax, keptElections * timing.electionTimeoutMs);
    const { founding } = record.configuration;
    const { maxSessionTtlMs } = record;
    const freshState = (): GroupState => new GroupState({ maxSessionTtlMs }, levels);
    this.client = new SnapshotClient(founding, freshState, rowCodec, timing.heartbeatMs, 2 * timing.electionTimeoutMs);
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

  onTick(applied: Slot, at: Instant): MemberSend[] {
    this.server.onTick(at.monotonicMs);
    this.client.onApplied(applied);
    return this.client.onTick(at.monotonicMs);
  }

  private sources(teller: string): readonly string[] {
    const { node } = this.options.self;
    const followers = this.connected.filter((other) => other !== node && other !== this.leader);
    return [...new Set([...followers, this.leader, teller])].filter((other) => other !== '' && other !== node);
  }
}
