/** A voter, or one that waits to be one, as it goes from one configuration to the next: the acts that the models of stop-signs put together. */
import type { Sealed } from '../../../packages/core/src/paxos/configuration.ts';
import { isVoter } from '../../../packages/core/src/paxos/configuration.ts';
import type { Ballot, Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { ballotStamp, zeroBallot } from '../../../packages/core/src/paxos/ballot.ts';
import { Log } from '../../../packages/core/src/paxos/log.ts';
import type { PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { Replica } from '../../../packages/core/src/paxos/replica.ts';
import type { ReplicaInput } from '../../../packages/core/src/paxos/replica.ts';
import { entryKind, stopSignOf } from '../../../packages/core/src/session/command.ts';
import type { SeatTuple } from '../../../packages/core/src/session/command.ts';
import { ChosenLog } from '../sessions/chosen-log.ts';
import { timeless, valueName, voters } from './log-node.ts';
import type { Value } from './log-node.ts';

export interface StopFrame {
  readonly from: Proposer;
  readonly to: string;
  /** What its header says. */
  readonly configuration: number;
  readonly message: PaxosMessage<Value>;
}

export interface StopActed {
  readonly frames: readonly StopFrame[];
  /** "slot=value" for what was applied. */
  readonly applied: readonly string[];
}

/** Every log that was ever applied, with the shipped `GroupState` that it comes to: nodes share them. */
export class AppliedLogs {
  private readonly byKey = new Map<string, ChosenLog>([['', ChosenLog.empty()]]);

  at(key: string): ChosenLog {
    const log = this.byKey.get(key);
    if (!log) throw new Error('Nobody applied that.');
    return log;
  }

  longer(key: string, value: Value | null): ChosenLog {
    const log = this.at(key).with(value);
    this.byKey.set(log.key, log);
    return log;
  }
}

const founding = 'f';

export class StopNode {
  preparing: Ballot | null = null;
  /** How often it stood, in which configuration. */
  readonly stood: number[] = [0, 0, 0];
  readonly marks = new Set<string>();
  /** The log that it applied. */
  key = '';
  replica: Replica<Value> | null;

  constructor(
    readonly self: Proposer,
    isVoting: boolean,
  ) {
    const first = { founding, id: 1, voters: voters.map((node) => ({ node, incarnation: `${node}#1` })) };
    this.replica = isVoting ? new Replica<Value>({ ...this.given(), configuration: first }) : null;
  }

  get configuration(): number {
    return this.replica?.configuration.id ?? 0;
  }

  take(logs: AppliedLogs, ...inputs: readonly ReplicaInput<Value>[]): StopActed {
    const frames: StopFrame[] = [];
    const applied: string[] = [];
    for (const input of [...inputs, { type: 'flush', nowMs: 0 } as const]) this.stepOne(logs, input, frames, applied);
    return { frames, applied };
  }

  /** Learns what another applied. Who has no vote keeps it for the day on which it is given one. */
  learn(logs: AppliedLogs, other: StopNode): StopActed {
    const theirs = logs.at(other.key);
    const known = logs.at(this.key).length;
    const values = valuesOf(theirs).slice(known);
    if (this.replica) {
      const message = { type: 'chosen', from: known + 1, values, chosenIndex: theirs.length, floor: 0 } as const;
      return this.take(logs, { type: 'chosen', message, nowMs: 0 });
    }
    const applied: string[] = [];
    for (const value of values) {
      const sealed = this.apply(logs, value, applied);
      if (!sealed || !isVoter(sealed, this.self)) continue;
      this.promote(logs, sealed);
      break;
    }
    return { frames: [], applied };
  }

  /** A voter of the next configuration that does not wait until it knows where it begins. */
  enterUntold(logs: AppliedLogs, seats: Sealed['voters']): void {
    const sealedAt = logs.at(this.key).length;
    if (this.replica) this.replica = this.replica.succeededBy({ founding, id: 2, voters: seats }, sealedAt, 0);
    else this.promote(logs, { id: 2, voters: seats, sealedAt });
  }

  private stepOne(logs: AppliedLogs, input: ReplicaInput<Value>, frames: StopFrame[], applied: string[]): void {
    const { replica } = this;
    if (!replica) return;
    const { id } = replica.configuration;
    const { send, apply, events } = replica.step(input);
    for (const { to, message } of send) {
      if (message.type === 'prepare') this.preparing = message.ballot;
      for (const node of to.type === 'node' ? [to.node] : voters) {
        if (node !== this.self.node) frames.push({ from: this.self, to: node, configuration: id, message });
      }
    }
    for (const event of events) if (event.type === 'leading') this.preparing = null;
    for (const { value } of apply) {
      const hadMore = replica.log.lastSlot > logs.at(this.key).length + 1;
      const sealed = this.apply(logs, value, applied);
      if (!sealed || sealed.id <= id) {
        if (value !== null && stopSignOf(value)) this.marks.add('a stop-sign is void');
        continue;
      }
      if (hadMore) this.marks.add('something lies above the stop-sign');
      this.preparing = null;
      const next = replica.succeededBy({ founding, id: sealed.id, voters: sealed.voters }, sealed.sealedAt, 0);
      this.replica = isVoter(sealed, this.self) ? next : null;
      return;
    }
    if (replica.leading?.beginSlot !== 0) return;
    this.marks.add('a leader holds its begin back');
    if (apply.length > 0) this.stepOne(logs, { type: 'applied', upTo: logs.at(this.key).length, nowMs: 0 }, frames, applied);
  }

  private apply(logs: AppliedLogs, value: Value | null, applied: string[]): Sealed | null {
    const log = logs.longer(this.key, value);
    this.key = log.key;
    applied.push(`${log.length}=${valueName(value)}`);
    return log.applied?.sealed ?? null;
  }

  private promote(logs: AppliedLogs, { id, voters: seats, sealedAt }: Sealed): void {
    const log = new Log<Value>();
    valuesOf(logs.at(this.key)).forEach((value, index) => log.learn(index + 1, value));
    log.takeChosen();
    log.sealAt(sealedAt);
    this.marks.add('a standby is given a seat');
    const succession = { log, highestSeen: zeroBallot, isFirst: false };
    this.replica = new Replica<Value>({ ...this.given(), configuration: { founding, id, voters: seats }, succession });
  }

  private given() {
    return {
      self: this.self,
      timing: timeless,
      random: { next: () => 0, below: () => 0 },
      limits: { messageBytesMax: 1_000, sizeOf: () => 1 },
      begin: (ballot: Ballot): Value => [0, [[entryKind.begin, ballotStamp(ballot)]]],
      isStopSign: (value: Value) => stopSignOf(value) !== null,
      nowMs: 0,
    };
  }
}

/** As a leader that serves proposes it. */
export function stopSign(node: StopNode, logs: AppliedLogs, next: readonly SeatTuple[], gone: readonly SeatTuple[]): ReplicaInput<Value> {
  const { stamp } = logs.at(node.key).state;
  return { type: 'propose', value: [0, [[entryKind.stopSign, stamp, node.configuration + 1, next, gone, []]]], nowMs: 0 };
}

/** A leader first falls silent; whoever is asked supports the canvass. */
export function standIn(node: StopNode, logs: AppliedLogs): StopActed {
  const nowhere: StopActed = { frames: [], applied: [] };
  const { replica } = node;
  if (!replica) return nowhere;
  node.stood[replica.configuration.id] = (node.stood[replica.configuration.id] ?? 0) + 1;
  const tick = { type: 'tick', nowMs: 0 } as const;
  if (replica.leading) node.take(logs, tick);
  const question = node.take(logs, tick).frames.map(({ message }) => message).find((message) => message.type === 'canvass'); // prettier-ignore
  const supporter = replica.configuration.voters.find((seat) => seat.node !== node.self.node);
  if (question?.type !== 'canvass' || !supporter) return nowhere;
  const message = { type: 'support', ballot: question.ballot } as const;
  return node.take(logs, { type: 'message', from: { ...supporter, run: 1 }, message, nowMs: 0 });
}

function valuesOf(log: ChosenLog): (Value | null)[] {
  return log.key.split(';').slice(0, -1).map((text) => JSON.parse(text) as Value | null); // prettier-ignore
}
