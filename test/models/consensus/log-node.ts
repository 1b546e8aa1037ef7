/** One voter of the log with its disk, in a world where time stands still: the acts that the models of the log put together. */
import type { Ballot, Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { ballotStamp } from '../../../packages/core/src/paxos/ballot.ts';
import type { Configuration } from '../../../packages/core/src/paxos/configuration.ts';
import type { Chosen, PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { Replica } from '../../../packages/core/src/paxos/replica.ts';
import type { ReplicaInput, ReplicaRecord } from '../../../packages/core/src/paxos/replica.ts';
import type { GroupBatch } from '../../../packages/core/src/group/member-message.ts';
import { entryKind } from '../../../packages/core/src/session/command.ts';
import { foldRecords } from '../../../packages/core/src/storage/begin-run.ts';

/** A command of a model is an empty batch, told from others by its number. */
export type Value = GroupBatch;

export interface Frame {
  readonly from: Proposer;
  readonly to: string;
  readonly message: PaxosMessage<Value>;
}

/** What came of an act. */
export interface Acted {
  readonly frames: readonly Frame[];
  /** "slot=value" for what a voter applied. */
  readonly applied: readonly string[];
}

export const voters = ['a', 'b', 'c'];
const configuration: Configuration = { founding: 'f', id: 1, voters: voters.map((node) => ({ node, incarnation: `${node}#1` })) };

/**
 * Leases have no length and nothing is ever waited for; the clock shows 0 throughout. At −1, before any silence can be noticed, a
 * leader finds its heartbeat due. So every step that time would bring about may happen at any moment, and agreement has to do without clocks.
 */
export const timeless = { heartbeatMs: -1, electionTimeoutMs: 0, leaseMaxMs: 0 };

export class LogNode {
  /** What it prepares, until it leads or another is promised more. */
  preparing: Ballot | null = null;
  rounds = 0;
  beats = 0;
  readonly marks = new Set<string>();
  readonly replica: Replica<Value>;

  constructor(
    readonly self: Proposer,
    private disk: readonly ReplicaRecord<Value>[],
  ) {
    this.replica = new Replica<Value>({
      self,
      configuration,
      timing: timeless,
      random: { next: () => 0, below: () => 0 },
      limits: { messageBytesMax: 1_000, sizeOf: () => 1 },
      begin: (ballot) => [0, [[entryKind.begin, ballotStamp(ballot)]]],
      nowMs: 0,
      memory: disk.length > 0 ? foldRecords(disk).replica : undefined,
    });
  }

  /** One input and the end of its turn. An acknowledgement that could have waited for more is sent at once, and once more with the rest. */
  take(...inputs: readonly ReplicaInput<Value>[]): Acted {
    const frames: Frame[] = [];
    const applied: string[] = [];
    for (const input of [...inputs, { type: 'flush', nowMs: 0 } as const]) {
      const { persist, send, apply, events } = this.replica.step(input);
      this.keep(persist);
      for (const { to, message } of send) {
        if (message.type === 'prepare') this.preparing = message.ballot;
        const receivers = to.type === 'node' ? [to.node] : voters;
        for (const node of receivers) if (node !== this.self.node) frames.push({ from: this.self, to: node, message });
      }
      for (const { slot, value } of apply) applied.push(`${slot}=${valueName(value)}`);
      for (const event of events) {
        if (event.type !== 'leading') continue;
        this.preparing = null;
        this.beats = 1;
        if (event.adopted > event.filled) this.marks.add('a vote is adopted');
        if (event.filled > 0) this.marks.add('a gap is filled');
      }
    }
    // No seat is given to a stranger, so what its replica would apply is applied nowhere; only its frames are of interest.
    return { frames, applied: this.self.incarnation.endsWith('#1') ? applied : [] };
  }

  beat(): Acted {
    this.beats += 1;
    return this.take({ type: 'tick', nowMs: -1 });
  }

  /** The disk holds every record; of those that a later one replaces, a fold sees nothing. */
  private keep(records: readonly ReplicaRecord<Value>[]): void {
    const latest = new Map<string, ReplicaRecord<Value>>();
    for (const record of [...this.disk, ...records]) latest.set('slot' in record ? `${record.type} ${record.slot}` : record.type, record);
    this.disk = [...latest].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
  }

  restarted(): LogNode {
    const node = new LogNode({ ...this.self, run: this.self.run + 1 }, this.disk);
    node.rounds = this.rounds;
    return node;
  }
}

export function started(self: Proposer): LogNode {
  return new LogNode(self, []);
}

export function restart(node: LogNode): Acted {
  Object.assign(node, node.restarted());
  return { frames: [], applied: [] };
}

export function hear(node: LogNode, from: Proposer, message: PaxosMessage<Value>): Acted {
  return node.take({ type: 'message', from, message, nowMs: 0 });
}

/** A leader first falls silent. Whoever is asked supports the canvass, which is more than real voters would do and binds nobody. */
export function stand(node: LogNode): Acted {
  node.rounds += 1;
  if (node.replica.leading) node.take({ type: 'tick', nowMs: 0 });
  const canvass = node.take({ type: 'tick', nowMs: 0 }).frames.map(({ message }) => message);
  const [question] = canvass.filter((message) => message.type === 'canvass');
  if (!question) return { frames: [], applied: [] };
  const supporter = voters.find((name) => name !== node.self.node) ?? '';
  const from = { node: supporter, incarnation: `${supporter}#1`, run: 1 };
  return node.take({ type: 'message', from, message: { type: 'support', ballot: question.ballot }, nowMs: 0 });
}

/** True if the receiver knows every slot that it tells of. */
export function isLearnt({ log }: Replica<Value>, { from, values }: Chosen<Value>): boolean {
  return values.every((_, index) => log.isChosen(from + index));
}

export function valueName(value: Value | null): string {
  if (value === null) return 'no-op';
  const [number, [entry]] = value;
  if (entry?.[0] === entryKind.stopSign) return `stop-sign ${entry[2]}`;
  return entry ? `begin ${String(entry[1]).split(':')[0] ?? ''}${String(entry[1]).slice(-1)}` : `command ${number}`;
}

export function lifeName({ node, incarnation, run }: Proposer): string {
  const life = incarnation.endsWith('#1') ? node : `${node} (${incarnation})`;
  return run === 1 ? life : `${life} in run ${run}`;
}
