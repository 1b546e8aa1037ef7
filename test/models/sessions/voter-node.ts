/** A voter whole, as the models across a stop-sign put it together: the shipped seat with its replica, state and service, on one clock. */
import type { GroupBatch, GroupSessionMessage, MemberSend } from '../../../packages/core/src/group/member-message.ts';
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import type { LeaderService } from '../../../packages/core/src/group/leader-service.ts';
import { Standby } from '../../../packages/core/src/group/standby.ts';
import type { VersionWatch } from '../../../packages/core/src/group/version-watch.ts';
import { VoterSeat } from '../../../packages/core/src/group/voter-seat.ts';
import type { SeatOutput } from '../../../packages/core/src/group/seat-io.ts';
import { sessionViewOf } from '../../../packages/core/src/group/watched-states.ts';
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { isVoter } from '../../../packages/core/src/paxos/configuration.ts';
import type { FoundingRecord } from '../../../packages/core/src/paxos/founding-message.ts';
import type { LeaderTerm } from '../../../packages/core/src/paxos/leader.ts';
import { ChosenLog, maxSessionTtlMs } from './chosen-log.ts';
import { partitionViewOf } from './succession.ts';

export const tickMs = 1_000;
/** Leases last for two steps of time. */
export const leaseMs = 2 * tickMs;
export const names = ['a', 'b', 'c'] as const;

const timing = { heartbeatMs: tickMs, electionTimeoutMs: leaseMs, leaseMaxMs: leaseMs };
/** Nobody can more than the first version, so the level stays. */
const versions = { commonAbove: () => null, learn: () => undefined } as unknown as VersionWatch;
export const record: FoundingRecord = {
  configuration: { founding: 'f', id: 1, voters: names.map((node) => ({ node, incarnation: `${node}#1` })) },
  tokenSecond: 1,
  maxSessionTtlMs,
  firstFounding: true,
};

/** Every log that was ever applied, with the state that it comes to: nodes share them, and nobody changes one. */
export class SharedLogs {
  private readonly byKey = new Map<string, ChosenLog>([['', ChosenLog.empty()]]);

  at(key: string): ChosenLog {
    const log = this.byKey.get(key);
    if (!log) throw new Error('Nobody applied that.');
    return log;
  }

  longer(key: string, value: GroupBatch | null): string {
    const log = this.at(key).with(value);
    this.byKey.set(log.key, log);
    return log.key;
  }
}

/** What the node is given by the world, over what it keeps: a copy of a machine shares its functions, and they look at another's state. */
interface SeatInside {
  current: GroupState;
  readonly service: LeaderService | null;
}

interface ServiceInside {
  state: GroupState;
  readonly steward: { view: unknown; covers: unknown } | null;
  readonly partitions: { view: unknown; covers(token: number): boolean } | null;
}

export class VoterNode {
  /** The log that it applied. */
  key = '';
  seat: VoterSeat | null;
  /** How often it stood, in which configuration. */
  readonly stood: number[] = [0, 0, 0];

  constructor(
    readonly self: Proposer,
    isVoting: boolean,
  ) {
    this.seat = isVoting ? new VoterSeat(this.options(), record, { monotonicMs: 0, wallMs: 0 }, versions) : null;
  }

  get configuration(): number {
    return this.seat?.replica.configuration.id ?? 0;
  }

  /** True once a stop-sign gave the seat to another: it says nothing more. */
  get isOver(): boolean {
    return this.seat?.isGiven ?? false;
  }

  get term(): LeaderTerm<GroupBatch> | null {
    return this.isOver ? null : (this.seat?.replica.leading ?? null);
  }

  confirmed(): MemberSend[] {
    this.seat?.confirmAll();
    return [];
  }

  /** One input of the shipped seat, and the end of the turn. */
  take(logs: SharedLogs, nowMs: number, input: (seat: VoterSeat, at: { monotonicMs: number; wallMs: number }) => SeatOutput): MemberSend[] {
    const { seat } = this;
    if (!seat) return [];
    const at = { monotonicMs: nowMs, wallMs: nowMs };
    const state = new GroupState({ maxSessionTtlMs });
    state.restore(logs.at(this.key).state.snapshot());
    this.lookAt(state);
    const sends = [...input(seat, at).send, ...seat.flush(at).send];
    for (let slot = logs.at(this.key).length + 1; slot <= state.appliedIndex; slot += 1) {
      this.key = logs.longer(this.key, seat.replica.log.valueAt(slot) ?? null);
    }
    this.lookAt(logs.at(this.key).state);
    this.forget(seat);
    return sends;
  }

  /** Whoever has a vote learns what another applied; whoever waits for one learns it up to where it is given it. */
  learn(logs: SharedLogs, nowMs: number, other: VoterNode): MemberSend[] {
    const theirs = logs.at(other.key);
    const known = logs.at(this.key).length;
    const values = valuesOf(theirs).slice(known);
    const chosen = { type: 'chosen', from: known + 1, values, chosenIndex: theirs.length, floor: 0 } as const;
    if (this.seat) return this.take(logs, nowMs, (seat, at) => seat.onChosen(other.self, chosen, at));
    const at = { monotonicMs: nowMs, wallMs: nowMs };
    const standby = new Standby(new GroupState({ maxSessionTtlMs }), tickMs, (sealed) => isVoter(sealed, this.self));
    const { sealed } = standby.onChosen(other.self, chosen, at);
    if (!sealed || !isVoter(sealed, this.self)) return [];
    for (const value of values.slice(0, sealed.sealedAt)) this.key = logs.longer(this.key, value);
    const configuration = { founding: 'f', id: sealed.id, voters: sealed.voters };
    this.seat = new VoterSeat(this.options(), { ...record, configuration }, at, versions, { standby });
    this.lookAt(logs.at(this.key).state);
    return [];
  }

  /** In this world an election comes whenever it likes, and an answer at once or never: nothing is decided by these any more. */
  private forget({ replica }: VoterSeat): void {
    Reflect.set(replica, 'electionDueMs', 0);
    Reflect.set(Reflect.get(replica, 'learner') as object, 'fetchDueMs', 0);
    const { leading } = replica;
    if (!leading) return;
    leading.roundTripMs = 0;
    const sent = Reflect.get(leading.lease, 'sent') as Map<number, unknown>;
    for (const id of sent.keys()) if (id < leading.lease.newestId) sent.delete(id);
  }

  private lookAt(state: GroupState): void {
    const seat = this.seat as unknown as SeatInside;
    seat.current = state;
    if (!seat.service) return;
    const service = seat.service as unknown as ServiceInside;
    service.state = state;
    const { steward, partitions } = service;
    if (partitions) partitions.view = partitionViewOf(state);
    if (!steward) return;
    steward.view = sessionViewOf(state, () => 1e6);
    if (partitions) steward.covers = (token: number): boolean => partitions.covers(token);
  }

  private options() {
    return {
      self: this.self,
      voters: names,
      timing,
      sessionTtlMs: leaseMs,
      maxSessionTtlMs,
      firstFounding: true,
      reads: 'lease' as const,
      random: { next: () => 0, below: () => 0 },
      limits: {
        batchBytesMax: () => 10_000,
        sizeOfEntry: () => 1,
        sizeOfTuple: () => 1,
        sizeOfBatch: () => 1,
        outstandingMax: 100,
        slotsKept: 1_000,
        logSlotsMax: 1_000,
        logBytesMax: 1_000_000,
        storedEverySlots: Infinity,
      },
      rowCodec: null as never,
    };
  }
}

/** A leader beats and looks for silent sessions; where somebody stands by for a seat, it is heard of first. */
export function looksAtClock(node: VoterNode, logs: SharedLogs, nowMs: number, standby?: Proposer): MemberSend[] {
  return node.take(logs, nowMs, (seat, at) => {
    const { term } = node;
    if (term && standby) {
      const { newestId: id } = term.lease;
      seat.onStandby(standby, { type: 'standbySeen', ballot: term.ballot, id, appliedIndex: seat.state.appliedIndex });
    }
    return seat.onTick(at);
  });
}

/** Whoever may be elected canvasses at once: no promise rests on how long it waits. */
export function stands(node: VoterNode, logs: SharedLogs, nowMs: number): MemberSend[] {
  node.stood[node.configuration] = (node.stood[node.configuration] ?? 0) + 1;
  return node.take(logs, nowMs, (seat, at) => {
    Reflect.set(seat.replica, 'electionDueMs', nowMs);
    return seat.onTick(at);
  });
}

export function isForClient(message: MemberSend['message']): message is GroupSessionMessage & MemberSend['message'] {
  return message.type === 'keptAlive' || message.type === 'watched' || message.type === 'sessionOpened';
}

function valuesOf(log: ChosenLog): (GroupBatch | null)[] {
  return log.key.split(';').slice(0, -1).map((text) => JSON.parse(text) as GroupBatch | null); // prettier-ignore
}
