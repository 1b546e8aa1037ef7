/** One voter with a disk and a clock of its own rate, for the models of the leader lease. */
import type { Ballot, Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { zeroBallot } from '../../../packages/core/src/paxos/ballot.ts';
import type { Configuration } from '../../../packages/core/src/paxos/configuration.ts';
import type { PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { Replica } from '../../../packages/core/src/paxos/replica.ts';
import type { ReplicaInput } from '../../../packages/core/src/paxos/replica.ts';

export interface LeaseFrame {
  readonly from: Proposer;
  readonly to: string;
  readonly message: PaxosMessage<string>;
}

export const voters = ['a', 'b', 'c'];
/** True time goes by in such steps. Leases last for two of them, so that one may end at the very instant at which another begins. */
export const periodMs = 50;
const leaseMs = 2 * periodMs;
const timing = { heartbeatMs: periodMs, electionTimeoutMs: leaseMs, leaseMaxMs: leaseMs };
const configuration: Configuration = { founding: 'f', id: 1, voters: voters.map((node) => ({ node, incarnation: `${node}#1` })) };

interface Clocks {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** What the clocks of a machine show follows from true time, and from how much of it the machine was suspended for. */
export interface Moment {
  readonly trueMs: number;
  /** Only the calendar clock ran then. */
  readonly asleepMs: number;
}

export class LeaseNode {
  preparing: Ballot | null = null;
  /** A heartbeat left although no majority had answered one that was sent within a lease length. */
  beatInSilence = false;
  readonly marks = new Set<string>();
  replica: Replica<string>;
  private promised: Ballot = zeroBallot;
  private readonly beatsMs = new Map<number, number>();
  private answeredMs = -Infinity;

  constructor(
    public self: Proposer,
    private readonly rate: number,
  ) {
    this.replica = this.create(0, false);
  }

  /** What it promised is all of its memory that matters to leases; its log is empty in this world but for `begin`. */
  restart(moment: Moment): LeaseFrame[] {
    this.self = { ...this.self, run: this.self.run + 1 };
    this.replica = this.create(this.clocksAt(moment).nowMs, true);
    this.preparing = null;
    this.beatsMs.clear();
    this.answeredMs = -Infinity;
    return [];
  }

  /** As the member asks: by what both of its clocks show at this moment. */
  holdsLease(moment: Moment): boolean {
    const { leading } = this.replica;
    const { nowMs, wallMs } = this.clocksAt(moment);
    return leading !== null && nowMs < leading.lease.heldUntilMs(wallMs - nowMs);
  }

  /** It woke up and would go on, had it no calendar clock. */
  isOverByTheCalendar(moment: Moment): boolean {
    const { leading } = this.replica;
    const isHeld = leading !== null && this.clocksAt(moment).nowMs < leading.lease.heldUntilMs();
    return isHeld && !this.holdsLease(moment);
  }

  take(moment: Moment, inputAt: (clocks: Clocks) => ReplicaInput<string>): LeaseFrame[] {
    const clocks = this.clocksAt(moment);
    const { nowMs } = clocks;
    const { persist, send, events } = this.replica.step(inputAt(clocks));
    for (const record of persist) if (record.type === 'promised') this.promised = record.ballot;
    for (const event of events) {
      if (event.type === 'leading') {
        this.preparing = null;
        this.answeredMs = nowMs;
        this.beatsMs.clear();
      }
      if (event.type === 'steppedDown' && event.reason === 'majority silent') this.marks.add('a leader falls silent');
    }
    return send.flatMap(({ to, message }) => {
      this.note(message, nowMs);
      return (to.type === 'node' ? [to.node] : voters)
        .filter((node) => node !== this.self.node)
        .map((node) => ({ from: this.self, to: node, message }));
    });
  }

  /** Any one other voter and the leader are a majority of three. */
  answered(id: number): void {
    this.answeredMs = Math.max(this.answeredMs, this.beatsMs.get(id) ?? -Infinity);
  }

  /** Both run at the rate of the machine, so that they differ by its sleep alone. */
  private clocksAt({ trueMs, asleepMs }: Moment): Clocks {
    return { nowMs: (trueMs - asleepMs) * this.rate, wallMs: trueMs * this.rate };
  }

  private note(message: PaxosMessage<string>, nowMs: number): void {
    if (message.type === 'prepare') this.preparing = message.ballot;
    if (message.type === 'reject' && message.leaseRemainingMs > 0) {
      this.marks.add(this.self.run > 1 ? 'a restarted voter refuses' : 'a bound voter refuses');
    }
    if (message.type !== 'heartbeat') return;
    this.beatsMs.set(message.id, nowMs);
    if (nowMs - this.answeredMs >= leaseMs) this.beatInSilence = true;
  }

  private create(nowMs: number, remembers: boolean): Replica<string> {
    const memory = { floor: 0, promised: this.promised, chosenIndex: 0, votes: [], learned: [] };
    return new Replica<string>({
      self: this.self,
      configuration,
      timing,
      random: { next: () => 0, below: () => 0 },
      limits: { messageBytesMax: 1_000, sizeOf: () => 1 },
      begin: () => 'begin',
      nowMs,
      memory: remembers ? memory : undefined,
    });
  }
}

export function hearAt(node: LeaseNode, { from, message }: LeaseFrame, moment: Moment): LeaseFrame[] {
  if (message.type === 'heartbeatSeen') node.answered(message.id);
  return node.take(moment, (clocks) => ({ type: 'message', from, message, ...clocks }));
}

/** Whoever is due to canvass has the support of another: what binds a voter must bind it at the prepare. */
export function standOrBeat(node: LeaseNode, moment: Moment): LeaseFrame[] {
  const frames = node.take(moment, (clocks) => ({ type: 'tick', ...clocks }));
  const question = frames.map(({ message }) => message).find((message) => message.type === 'canvass');
  if (!question || question.type !== 'canvass') return frames;
  const { ballot } = question;
  const supporter = voters.find((name) => name !== node.self.node) ?? '';
  const from = { node: supporter, incarnation: `${supporter}#1`, run: 1 };
  return node.take(moment, (clocks) => ({ type: 'message', from, message: { type: 'support', ballot }, ...clocks }));
}
