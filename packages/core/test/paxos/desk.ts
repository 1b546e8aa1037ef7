/** One replica at a desk: messages are put before it by hand, and what it says is read. */
import type { Ballot, Proposer } from '../../src/paxos/ballot.ts';
import type { Configuration } from '../../src/paxos/configuration.ts';
import type { PaxosMessage } from '../../src/paxos/message.ts';
import { Replica } from '../../src/paxos/replica.ts';
import type { ReplicaMemory, ReplicaOutput } from '../../src/paxos/replica.ts';
import { seededRandom } from '../../src/time/random.ts';

export const deskTiming = { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 };

export function proposer(node: string, run = 1): Proposer {
  return { node, incarnation: `${node}#1`, run };
}

export function ballotOf(node: string, round: number, run = 1): Ballot {
  return { ...proposer(node, run), round };
}

export function configurationOf(...nodes: readonly string[]): Configuration {
  return { founding: 'f', id: 1, voters: nodes.map((node) => ({ node, incarnation: `${node}#1` })) };
}

export interface DeskOptions {
  readonly node?: string;
  readonly voters?: readonly string[];
  readonly memory?: ReplicaMemory<string>;
  readonly messageBytesMax?: number;
  readonly zombieMs?: number;
  readonly slotsMax?: number;
  readonly bytesMax?: number;
}

/** A value is as many bytes as it has characters; `begin` is the text "begin". */
export class Desk {
  readonly replica: Replica<string>;
  readonly applied: { readonly slot: number; readonly value: string | null }[] = [];
  nowMs = 0;
  last: ReplicaOutput<string> = { persist: [], send: [], apply: [], events: [] };

  constructor({ node = 'a', voters = ['a', 'b', 'c'], memory, messageBytesMax = 1_000, zombieMs, slotsMax, bytesMax }: DeskOptions = {}) {
    this.replica = new Replica<string>({
      self: proposer(node),
      configuration: configurationOf(...voters),
      timing: { ...deskTiming, zombieMs },
      random: seededRandom(1),
      limits: { messageBytesMax, sizeOf: (value) => value.length, slotsMax, bytesMax },
      begin: () => 'begin',
      nowMs: 0,
      memory,
    });
  }

  hear(from: string | Proposer, message: PaxosMessage<string>): PaxosMessage<string>[] {
    const sender = typeof from === 'string' ? proposer(from) : from;
    return this.take(this.replica.step({ type: 'message', from: sender, message, nowMs: this.nowMs }));
  }

  tick(atMs: number): PaxosMessage<string>[] {
    this.nowMs = atMs;
    return this.take(this.replica.step({ type: 'tick', nowMs: atMs }));
  }

  flush(): PaxosMessage<string>[] {
    return this.take(this.replica.step({ type: 'flush', nowMs: this.nowMs }));
  }

  /** The state up to there came by a snapshot. */
  install(upTo: number): PaxosMessage<string>[] {
    return this.take(this.replica.step({ type: 'installed', upTo, nowMs: this.nowMs }));
  }

  propose(value: string): PaxosMessage<string>[] {
    return this.take(this.replica.step({ type: 'propose', value, nowMs: this.nowMs }));
  }

  resign(): PaxosMessage<string>[] {
    return this.take(this.replica.step({ type: 'resign', nowMs: this.nowMs }));
  }

  /** Canvasses, prepares and, with promises of nothing from as many others as a majority takes, leads. Returns its ballot. */
  lead(...supporters: readonly string[]): Ballot {
    const ballot = this.prepare(...supporters);
    for (const node of supporters) this.hear(node, emptyPromise(ballot));
    return ballot;
  }

  /** Canvasses, and prepares with the support of others. Returns its ballot. */
  prepare(...supporters: readonly string[]): Ballot {
    const canvass = this.tick(Math.max(this.nowMs, this.replica.nextDeadlineMs)).find(({ type }) => type === 'canvass');
    if (canvass?.type !== 'canvass') throw new Error('it does not canvass');
    for (const node of supporters) this.hear(node, { type: 'support', ballot: canvass.ballot });
    return canvass.ballot;
  }

  events(): string[] {
    return this.last.events.map(({ type }) => type);
  }

  private take(output: ReplicaOutput<string>): PaxosMessage<string>[] {
    this.last = output;
    this.applied.push(...output.apply);
    return output.send.map(({ message }) => message);
  }
}

export function emptyPromise(ballot: Ballot, chosenIndex = 0): PaxosMessage<string> {
  return { type: 'promise', ballot, chosenIndex, floor: 0, part: 0, parts: 1, votes: [] };
}

/** The accept of `value` in `slot` by the leader of `ballot`. */
export function acceptOf(ballot: Ballot, slot: number, value: string | null, firstSlot = 1, chosenIndex = 0): PaxosMessage<string> {
  return { type: 'accept', ballot, slot, value, firstSlot, chosenIndex };
}

export function heartbeatOf(ballot: Ballot, id = 1, chosenIndex = 0, compactTo = 0): PaxosMessage<string> {
  return { type: 'heartbeat', ballot, id, chosenIndex, leaseMs: deskTiming.electionTimeoutMs, connected: [], compactTo };
}
