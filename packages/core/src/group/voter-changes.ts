/**
 * A leader's part in who votes: which seats are due to be given to others, and what it answers to orders. The safety rules 5, 14 and 16;
 * `docs/protocol.md`, "Standbys and swaps".
 */
import { unreachable } from '../errors.ts';
import { sameBallot } from '../paxos/ballot.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { Seat } from '../paxos/configuration.ts';
import type { Hello } from '../paxos/founding-message.ts';
import type { LeaderTerm } from '../paxos/leader.ts';
import type { StandbySeen } from '../paxos/message.ts';
import type { OrderAnswer, Roster, StandbySeat, VoterOrder } from '../paxos/voter-order.ts';
import type { GroupBatch } from './member-message.ts';
import { StandbyList } from './standby-list.ts';
import { changeTo } from './voter-change.ts';
import type { Change, ChangeCause, Circumspection } from './voter-change.ts';

/** What a leader is to do: to propose a change, to hand its leadership over, or nothing but to answer. */
export type Decision =
  | { readonly type: 'change'; readonly change: Change; readonly cause: ChangeCause }
  | { readonly type: 'handOver'; readonly to: string }
  | { readonly type: 'answer'; readonly answer: OrderAnswer };

/** More are not told of: a heartbeat stays small. */
const rosterMax = 64;

/**
 * 1. A seat whose incarnation answered a heartbeat within `silenceMs` is not given to the next one of its name; nor in a term younger
 *    than that.
 * 2. It is given to another name only where an operator, or the voter itself, asks for that, or after `replaceAfterMs` of silence.
 */
export class VoterChanges {
  private readonly standbys = new StandbyList();
  private rosterDueMs = -Infinity;

  /** An echo counts only in the term whose heartbeat it answers. */
  onStandby(from: Proposer, message: StandbySeen | Hello, term: Pick<LeaderTerm<GroupBatch>, 'ballot' | 'lease'> | null): void {
    if (!term || (message.type === 'standbySeen' && !sameBallot(term.ballot, message.ballot))) return;
    this.standbys.onMessage(from, message, term.lease.newestId);
  }

  roster(present: Circumspection): readonly StandbySeat[] {
    return this.standbys.isEmpty ? [] : this.standbys.roster(present);
  }

  /** What is to be told to everyone now of those who stand by, or null. */
  rosterDue(present: Circumspection): Roster | null {
    const { term, nowMs, silenceMs } = present;
    const standbys = nowMs < this.rosterDueMs ? [] : this.roster(present);
    if (standbys.length === 0) return null;
    this.rosterDueMs = nowMs + silenceMs;
    return { type: 'roster', ballot: term.ballot, standbys: standbys.slice(0, rosterMax) };
  }

  /** The change that is due by itself, or null. */
  due(present: Circumspection): (Decision & { readonly type: 'change' }) | null {
    if (this.standbys.isEmpty) return null;
    return this.swapDue(present) ?? this.replacementDue(present);
  }

  answerTo(order: VoterOrder, present: Circumspection): Decision {
    const seat = present.configuration.voters.find(({ node }) => node === order.node);
    switch (order.type) {
      case 'add':
        return seat ? answer('done') : this.enter(present, order.node);
      case 'remove':
        return seat ? decided(this.changeTo(present, { leaves: seat }), 'order') : answer('done');
      case 'replace':
        return this.replace(present, order, seat);
      case 'leave':
        return seat ? this.replaceByAnyone(present, seat, 'leaving') : answer('done');
      case 'lead':
        return this.handOver(present, order.node, seat);
      default:
        return unreachable(order);
    }
  }

  /** Whose next incarnation stands by, and is not there itself. */
  private swapDue(present: Circumspection): (Decision & { readonly type: 'change' }) | null {
    const { configuration, term, silenceMs, nowMs } = present;
    if (nowMs - term.sinceMs < silenceMs) return null;
    const connected = term.lease.connected(nowMs, silenceMs);
    for (const seat of configuration.voters) {
      const enters = this.standbys.candidate(seat.node, present);
      if (typeof enters === 'string' || connected.includes(seat.node)) continue;
      const swap = decided(this.changeTo(present, { enters, leaves: seat }), 'swap');
      if (swap.type === 'change') return swap;
    }
    return null;
  }

  /** Of a voter that answered no heartbeat for so long, in a term that lasts for as long. */
  private replacementDue(present: Circumspection): (Decision & { readonly type: 'change' }) | null {
    const { configuration, term, replaceAfterMs, nowMs } = present;
    if (nowMs - term.sinceMs < replaceAfterMs) return null;
    const heard = term.lease.connected(nowMs, replaceAfterMs);
    for (const seat of configuration.voters) {
      if (heard.includes(seat.node)) continue;
      const replacement = this.replaceByAnyone(present, seat, 'autopilot');
      if (replacement.type === 'change') return replacement;
    }
    return null;
  }

  private enter(present: Circumspection, node: string, leaves?: Seat): Decision {
    const enters = this.standbys.candidate(node, present);
    if (typeof enters === 'string') return answer(enters);
    return decided(this.changeTo(present, leaves ? { enters, leaves } : { enters }), 'order');
  }

  private replace(present: Circumspection, { node, by }: VoterOrder & { readonly type: 'replace' }, seat: Seat | undefined): Decision {
    const { configuration, term, silenceMs, nowMs } = present;
    const hasSeat = configuration.voters.some((voter) => voter.node === by);
    if (node === by) {
      if (!seat) return answer('notAVoter');
      return term.lease.connected(nowMs, silenceMs).includes(node) ? answer('seatInUse') : this.enter(present, node, seat);
    }
    if (!seat) return answer(hasSeat ? 'done' : 'notAVoter');
    return hasSeat ? decided(this.changeTo(present, { leaves: seat }), 'order') : this.enter(present, by, seat);
  }

  /** Names that the group was founded with come first: others may be refused. */
  private replaceByAnyone(present: Circumspection, leaves: Seat, cause: ChangeCause): Decision {
    const { configuration, named } = present;
    const others = this.roster(present).filter(({ node }) => configuration.voters.every((voter) => voter.node !== node));
    const inOrder = [...others].sort((a, b) => Number(named.includes(b.node)) - Number(named.includes(a.node)) || a.lacking - b.lacking);
    let refusal: Decision = answer('noStandby');
    for (const { node } of inOrder) {
      const enters = this.standbys.candidate(node, present);
      const outcome = typeof enters === 'string' ? answer(enters) : decided(this.changeTo(present, { enters, leaves }), cause);
      if (outcome.type === 'change') return outcome;
      refusal = outcome;
    }
    return refusal;
  }

  private changeTo(present: Circumspection, wanted: { readonly enters?: Seat; readonly leaves?: Seat }): Change | OrderAnswer {
    return changeTo(present, wanted, (seat) => this.standbys.hasEnded(seat, present.term));
  }

  private handOver({ term, silenceMs, nowMs }: Circumspection, node: string, seat: Seat | undefined): Decision {
    if (node === term.ballot.node) return answer('done');
    if (!seat) return answer('notAVoter');
    if (!term.lease.connected(nowMs, silenceMs).includes(node)) return answer('notHeard');
    return { type: 'handOver', to: node };
  }
}

function answer(given: OrderAnswer): Decision {
  return { type: 'answer', answer: given };
}

function decided(outcome: Change | OrderAnswer, cause: ChangeCause): Decision {
  return typeof outcome === 'string' ? answer(outcome) : { type: 'change', change: outcome, cause };
}
