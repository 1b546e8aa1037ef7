/** A voter with a store that may go back, and one that hears of it: the machines of the model of stores. */
import type { MemberOutput, MemberRecord } from '../../../packages/core/src/group/member.ts';
import type { GroupBatch } from '../../../packages/core/src/group/member-message.ts';
import { StoreWatch } from '../../../packages/core/src/group/store-watch.ts';
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import type { Configuration } from '../../../packages/core/src/paxos/configuration.ts';
import type { PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { Replica } from '../../../packages/core/src/paxos/replica.ts';
import type { StoreMessage } from '../../../packages/core/src/paxos/store-message.ts';
import { foldRecords } from '../../../packages/core/src/storage/begin-run.ts';
import { timeless } from './log-node.ts';

export interface StoreFrame {
  readonly from: Proposer;
  readonly to: string;
  readonly message: StoreMessage;
}

export const voters = ['a', 'b', 'c'];
export const configuration: Configuration = { founding: 'f', id: 1, voters: voters.map((node) => ({ node, incarnation: `${node}#1` })) };
const now = { monotonicMs: 0, wallMs: 0 };
/** Every question is due at once, and nobody waits for the rest. */
const timing = { heartbeatMs: 0, electionTimeoutMs: 0, leaseMaxMs: 0 };

/** The voter in question: what it is asked to promise, its disk, and what it makes of the others' words. */
export class StoreNode {
  readonly found: number;
  /** It has promised something in this run. */
  hasSpoken = false;
  /** It has given its incarnation up. */
  isOver = false;
  private readonly replica: Replica<GroupBatch>;
  private readonly stores: StoreWatch;

  /** A run that is forgotten with its store is counted twice; the start of a process is not. */
  constructor(
    readonly self: Proposer,
    readonly starts: number,
    readonly disk: MemberRecord[],
  ) {
    const memory = foldRecords(disk);
    this.found = memory.position ?? 0;
    this.stores = new StoreWatch({ self, memory, timing, random: { next: () => 0, below: () => starts } });
    this.replica = new Replica<GroupBatch>({
      self,
      configuration,
      timing: timeless,
      random: { next: () => 0, below: () => 0 },
      limits: { messageBytesMax: 1_000, sizeOf: () => 1 },
      begin: () => [0, []],
      nowMs: 0,
      memory: self.run > 1 ? memory.replica : undefined,
      isInDoubt: this.stores.isInDoubt,
    });
  }

  get position(): number {
    return this.stores.position;
  }

  get isInDoubt(): boolean {
    return this.stores.isInDoubt;
  }

  /** One message of the log, from `b` or `c`: it promises, or it learns. */
  hearOfLog(from: Proposer, message: PaxosMessage<GroupBatch>): StoreFrame[] {
    const output = emptyOutput();
    const { persist, send } = this.replica.step({ type: 'message', from, message, nowMs: 0 });
    output.persist.push(...persist);
    output.send.push(...send);
    if (persist.some(({ type }) => type === 'promised')) this.hasSpoken = true;
    return this.end(output);
  }

  hear({ from, message }: StoreFrame): StoreFrame[] {
    const output = emptyOutput();
    const lapse = this.stores.onMessage(frameOf(from), message, configuration, output);
    return lapse ? this.giveUp() : this.settle(output);
  }

  tick(): StoreFrame[] {
    return this.settle(emptyOutput());
  }

  /** As the group's place does: a seat that learns that its store went back is over. */
  private settle(output: MemberOutput): StoreFrame[] {
    const { replica } = this;
    return this.stores.recollect({ replica }, now, output) ? this.giveUp() : this.end(output);
  }

  private giveUp(): StoreFrame[] {
    this.isOver = true;
    return [];
  }

  private end(output: MemberOutput): StoreFrame[] {
    this.stores.finish(output, configuration);
    this.disk.push(...output.persist);
    return framesOf(this.self, output);
  }
}

/** One of the others: it keeps nothing, so that a restart of it begins anew. */
export class Witness {
  private readonly stores: StoreWatch;

  constructor(readonly self: Proposer) {
    this.stores = new StoreWatch({ self, timing, random: { next: () => 0, below: () => 0 }, isVolatile: true });
  }

  /** What it knows of the store of `a`. */
  get known(): number {
    const [frame] = this.hear({
      from: { node: 'a', incarnation: 'a#1', run: 0 },
      to: this.self.node,
      message: { type: 'recall', nonce: '' },
    });
    return frame?.message.type === 'recalled' ? frame.message.position : 0;
  }

  hear({ from, message }: StoreFrame): StoreFrame[] {
    const output = emptyOutput();
    this.stores.onMessage(frameOf(from), message, configuration, output);
    return framesOf(this.self, output);
  }

  /** What it tells the others, as a leader does with each heartbeat. */
  beat(): StoreFrame[] {
    const output = emptyOutput();
    const ballot = { ...this.self, round: 1 };
    const heartbeat = { type: 'heartbeat', ballot, id: 1, chosenIndex: 0, leaseMs: 0, connected: [], compactTo: 0 } as const;
    output.send.push({ to: { type: 'all' }, message: heartbeat });
    this.stores.finish(output, configuration);
    return framesOf(this.self, output);
  }
}

function frameOf(from: Proposer): { founding: string; configuration: number; from: Proposer; messages: [] } {
  return { founding: 'f', configuration: 1, from, messages: [] };
}

function emptyOutput(): MemberOutput {
  const none = { installed: null, written: null, arbitrate: null, results: [], states: [], covered: [], changes: [], events: [] };
  return { configuration: 1, persist: [], send: [], ...none };
}

/** Of what leaves, only what is about stores: all else is lost in this world. */
function framesOf(from: Proposer, { send }: MemberOutput): StoreFrame[] {
  return send.flatMap(({ to, message }): StoreFrame[] => {
    if (message.type !== 'storeAt' && message.type !== 'storesSeen' && message.type !== 'recall' && message.type !== 'recalled') return [];
    const receivers = to.type === 'node' ? [to.node] : voters.filter((node) => node !== from.node);
    return receivers.map((node) => ({ from, to: node, message }));
  });
}
