/**
 * What a process without a vote keeps so that it can be given one: the log and the state that it makes, learned from those who applied
 * it. The safety rule 16; `docs/protocol.md`, "Standbys and swaps".
 */
import type { Proposer } from '../paxos/ballot.ts';
import type { Sealed } from '../paxos/configuration.ts';
import { Log } from '../paxos/log.ts';
import type { Chosen, Heartbeat } from '../paxos/message.ts';
import type { ReplicaRecord } from '../paxos/replica.ts';
import type { Instant } from '../time/clock.ts';
import { CatchUp } from './catch-up.ts';
import type { GroupState } from './group-state.ts';
import type { GroupBatch, MemberSend } from './member-message.ts';

export interface StandbyOutput {
  readonly persist: ReplicaRecord<GroupBatch>[];
  readonly send: MemberSend[];
  /** The last change of voters among what was applied. After one that `isGiven` the seat, nothing more was applied. */
  readonly sealed: Sealed | null;
}

/**
 * 1. It applies what others applied, in order, and says nothing that could be taken for a vote.
 * 2. It stops at the stop-sign that gives it a seat: from there on its replica decides with the others what follows.
 */
export class Standby {
  readonly log = new Log<GroupBatch>();
  private readonly catchUp: CatchUp;

  constructor(
    readonly state: GroupState,
    periodMs: number,
    /** Of the voters that a stop-sign names, whether this incarnation is among them. */
    private readonly isGiven: (sealed: Sealed) => boolean,
  ) {
    this.catchUp = new CatchUp(periodMs);
    this.log.reset(state.appliedIndex);
  }

  /** The heartbeat's id is a nonce: to echo it proves that the sender lives now. */
  onHeartbeat(from: Proposer, { ballot, id, chosenIndex, compactTo }: Heartbeat, at: Instant): MemberSend[] {
    const { appliedIndex } = this.state;
    this.log.compactTo(Math.min(compactTo, appliedIndex));
    const seen: MemberSend = { to: { type: 'node', node: from.node }, message: { type: 'standbySeen', ballot, id, appliedIndex } };
    return [seen, ...(chosenIndex > appliedIndex ? this.ask(from, at) : [])];
  }

  ask(from: Proposer, at: Instant): MemberSend[] {
    return this.catchUp.ask(from.node, this.state.appliedIndex + 1, at.monotonicMs);
  }

  onChosen(from: Proposer, { from: first, values, chosenIndex }: Chosen<GroupBatch>, at: Instant): StandbyOutput {
    const persist: ReplicaRecord<GroupBatch>[] = [];
    values.forEach((value, index) => {
      const slot = first + index;
      if (slot <= this.log.floor || this.log.isChosen(slot) || !this.log.reaches(slot)) return;
      this.log.learn(slot, value);
      persist.push({ type: 'learned', slot, value });
    });
    const before = this.state.appliedIndex;
    const sealed = this.applyAll();
    const { appliedIndex } = this.state;
    if (appliedIndex > before) this.catchUp.answered();
    const isBehind = appliedIndex > before && chosenIndex > appliedIndex && !(sealed && this.isGiven(sealed));
    return { persist, send: isBehind ? this.ask(from, at) : [], sealed };
  }

  private applyAll(): Sealed | null {
    let last: Sealed | null = null;
    for (const { slot, value } of this.log.takeChosen()) {
      const { sealed } = this.state.apply(slot, value);
      last = sealed ?? last;
      if (sealed && this.isGiven(sealed)) return sealed;
    }
    return last;
  }
}
