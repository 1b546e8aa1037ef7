/**
 * Three seats that lead one after another: the shipped `LeaderService` and `LeaderTerm` of each, over Paxos reduced to what it
 * promises. A slot is chosen the moment a second acceptor has it; what only its leader has is seen by a later candidate, or not.
 */
import { LeaderService } from '../../../packages/core/src/group/leader-service.ts';
import type { Answer, ServiceOptions } from '../../../packages/core/src/group/leader-service.ts';
import type { GroupState } from '../../../packages/core/src/group/group-state.ts';
import type { GroupBatch, GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import { sessionViewOf } from '../../../packages/core/src/group/watched-states.ts';
import type { PartitionView } from '../../../packages/core/src/partition/partition-steward.ts';
import { ballotStamp } from '../../../packages/core/src/paxos/ballot.ts';
import type { Ballot, Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { LeaderTerm } from '../../../packages/core/src/paxos/leader.ts';
import { entryKind } from '../../../packages/core/src/session/command.ts';
import { ChosenLog, maxSessionTtlMs } from './chosen-log.ts';
import { copied, textOf } from './copied.ts';

const nodes = ['a', 'b', 'c'] as const;

export interface Seat {
  /** The highest round that its acceptor has promised. */
  readonly promised: number;
  /** When the lease that its acceptor granted runs out. */
  readonly boundUntilMs: number;
  /** What its acceptor has above all that is chosen. */
  readonly tail: readonly Accepted[];
  readonly term: Term | null;
}

interface Accepted {
  readonly slot: number;
  readonly round: number;
  readonly batch: GroupBatch | null;
}

interface Term {
  readonly service: LeaderService;
  /** As far as it applied. */
  readonly log: ChosenLog;
  /** Up to here its proposals were accepted by another. */
  readonly acceptedTo: number;
  /** Its newest heartbeat was answered, and it has not heard of that. */
  readonly echo: { readonly id: number; readonly sentMs: number; readonly voter: string } | null;
}

export interface Seats {
  readonly nowMs: number;
  readonly log: ChosenLog;
  /** Round 1 is led by the first seat, and so on. */
  readonly rounds: number;
  readonly seats: readonly Seat[];
  /** How long the log was when the world began. */
  readonly openedAt: number;
}

export interface Turn {
  readonly label: string;
  readonly seats: Seats;
  readonly answers: readonly Answer[];
}

export interface SuccessionOptions {
  readonly reads: 'lease' | 'quorum';
  readonly leaseMs: number;
  readonly rounds: number;
  /** The answer to a heartbeat may take its time; else a leader hears of a grant at once. */
  readonly lateEchoes: boolean;
  /** A leader may apply what is chosen later than others learn it; else it learns and applies at once. */
  readonly lateLearning: boolean;
  /** False where the first lease lasts for all of the world's time. */
  readonly heartbeats?: boolean;
}

/** What the world must set beside what it drives through the doors: machines that share logs are given theirs. */
interface ServiceInside {
  state: unknown;
  readonly readsParked: boolean;
  readonly parked: readonly { readonly message: { readonly id: number } }[];
  readonly steward: { view: unknown; covers: unknown } | null;
  readonly partitions: { view: unknown; covers(token: number): boolean } | null;
  readonly term: LeaderTerm<GroupBatch>;
}

export class Succession {
  private readonly configuration = { founding: 'f', id: 1, voters: nodes.map((node) => ({ node, incarnation: `${node}#` })) };
  private readonly ballots: readonly Ballot[];
  private readonly services: readonly ServiceOptions[];
  private readonly constants: ReadonlySet<object>;

  constructor(private readonly options: SuccessionOptions) {
    const record = { configuration: this.configuration, tokenSecond: 1, maxSessionTtlMs, firstFounding: true };
    const sizes = { batchBytesMax: () => 10_000, sizeOfEntry: () => 1, sizeOfTuple: () => 1 };
    this.ballots = nodes.map((node, index) => ({ ...proposerOf(node), round: index + 1 }));
    this.services = this.ballots.map((ballot) => ({
      self: proposerOf(ballot.node),
      record,
      stamp: ballotStamp(ballot),
      reads: options.reads,
      ...sizes,
      completeSinceMs: 0,
      quorumRoundMaxMs: options.leaseMs,
    }));
    this.constants = new Set<object>([this.configuration, ...this.ballots, ...this.services]);
  }

  /** The first seat leads, has opened the group and holds the lease; the sessions are opened by what it was asked. */
  opened(...requests: readonly (readonly [node: string, message: GroupSessionMessage])[]): Turn {
    const seat: Seat = { promised: 0, boundUntilMs: -1, tail: [], term: null };
    let seats: Seats = { nowMs: 0, log: ChosenLog.empty(), rounds: 0, seats: [seat, seat, seat], openedAt: 0 };
    seats = this.elected(seats, 1);
    seats = this.echoed(this.beaten(seats, 0, 1), 0).seats;
    seats = this.settled(seats).seats;
    seats = this.settled(this.ticked(seats, 0).seats).seats;
    for (const [node, message] of requests) seats = this.heard(seats, 0, node, message).seats;
    const turn = this.settled(seats);
    const openedAt = turn.seats.log.length;
    return { ...turn, seats: this.withSeat({ ...turn.seats, openedAt }, 2, { promised: 1 }) };
  }

  /** Everything that the seats may do by themselves now. */
  *turns(seats: Seats): Iterable<Turn> {
    yield* this.elections(seats);
    for (let index = 0; index < nodes.length; index += 1) {
      const { term, tail } = seatOf(seats, index);
      if (!term) continue;
      if (tail.length > 0) yield* this.accepts(seats, index);
      if (term.log.length < term.acceptedTo) yield this.applied(seats, index);
      if (term.echo !== null) yield this.echoed(seats, index);
      if (this.options.heartbeats !== false && !this.hasBeaten(term, seats.nowMs)) yield* this.heartbeat(seats, index);
      yield this.ticked(seats, index);
    }
  }

  /** A request reaches a seat; `null` for one that does not lead. */
  hears(seats: Seats, index: number, from: string | Proposer, message: GroupSessionMessage): Turn | null {
    return seatOf(seats, index).term ? this.heard(seats, index, from, message) : null;
  }

  /** True where a read waits for what its leader had proposed when it came. */
  isReadWaiting(seats: Seats, index: number): boolean {
    const { term } = seatOf(seats, index);
    return term !== null && inside(term.service).readsParked;
  }

  looksAtClock(seats: Seats, index: number): Turn {
    return this.ticked(seats, index);
  }

  /** How much of what the seat's acceptor has is not chosen. */
  unchosen(seats: Seats, index: number): number {
    return seatOf(seats, index).tail.length;
  }

  /** Ids of keep-alives that wait at a seat until they may be answered. */
  waiting(seats: Seats, index: number): number[] {
    const { term } = seatOf(seats, index);
    return term ? inside(term.service).parked.map(({ message }) => message.id) : [];
  }

  key({ nowMs, log, rounds, seats }: Seats): string {
    const texts = seats.map(({ promised, boundUntilMs, tail, term }) => {
      const bound = boundUntilMs > nowMs ? boundUntilMs : 0;
      return [promised, bound, tail, term && [term.log.length, term.acceptedTo, term.echo?.sentMs, this.textOf(term.service)]];
    });
    return `${nowMs} ${log.key} ${rounds} ${JSON.stringify(texts)}`;
  }

  private readonly texts = new WeakMap<LeaderService, string>();

  private textOf(service: LeaderService): string {
    const known = this.texts.get(service);
    if (known !== undefined) return known;
    const text = textOf(service, this.constants);
    this.texts.set(service, text);
    return text;
  }

  private *elections(seats: Seats): Iterable<Turn> {
    const candidate = seats.rounds;
    if (candidate >= this.options.rounds) return;
    for (const partner of others(candidate)) {
      const isFree = [candidate, partner].every((index) => seatOf(seats, index).boundUntilMs <= seats.nowMs);
      if (this.options.reads === 'lease' && !isFree) continue;
      const label = `${nodes[candidate]} is promised round ${candidate + 1} by ${nodes[partner]}`;
      yield { label, seats: this.elected(seats, partner), answers: [] };
    }
  }

  /** Phase 1: the partner's votes are adopted, gaps are filled, and `begin` follows. A leader whose acceptor promised stops leading. */
  private elected(seats: Seats, partner: number): Seats {
    const candidate = seats.rounds;
    const round = candidate + 1;
    const ballot = this.ballots[candidate];
    const options = this.services[candidate];
    if (!ballot || !options) throw new Error(`no seat leads round ${round}`);
    const term = new LeaderTerm<GroupBatch>(ballot, seats.log.length + 1, seats.nowMs, this.configuration, this.options.leaseMs);
    // It has every chosen slot when phase 1 is over, but need not have applied what came since the world began.
    const applied = this.options.lateLearning ? seats.log.upTo(seats.openedAt) : seats.log;
    const service = new LeaderService(options, term, applied.state);
    service.allConfirmed = true;
    const reported = new Map(seatOf(seats, partner).tail.map(({ slot, batch }) => [slot, batch]));
    const last = Math.max(seats.log.length, ...reported.keys());
    const begin: GroupBatch = [0, [[entryKind.begin, ballotStamp(ballot)]]];
    const tail: Accepted[] = [];
    for (let slot = seats.log.length + 1; slot <= last; slot += 1) {
      term.propose(null, 0);
      tail.push({ slot, round, batch: reported.get(slot) ?? null });
    }
    term.propose(null, 0);
    tail.push({ slot: last + 1, round, batch: begin });
    term.inFlight.clear();
    const leading = { service, log: applied, acceptedTo: seats.log.length, echo: null };
    const promised = this.withSeat({ ...seats, rounds: round }, partner, { promised: round, term: null });
    return this.withSeat(promised, candidate, { promised: round, tail, term: leading });
  }

  private *accepts(seats: Seats, index: number): Iterable<Turn> {
    const [next] = seatOf(seats, index).tail;
    for (const voter of others(index)) {
      if (!next || seatOf(seats, voter).promised > next.round) continue;
      const label = `${nodes[voter]} accepts slot ${next.slot} of ${nodes[index]}: ${JSON.stringify(next.batch?.[1] ?? null)} is chosen`;
      const accepted = this.accepted(seats, index, voter);
      yield this.options.lateLearning ? { label, seats: accepted, answers: [] } : { ...this.applied(accepted, index), label };
    }
  }

  private accepted(seats: Seats, index: number, voter: number): Seats {
    const { tail, term } = seatOf(seats, index);
    const [next] = tail;
    if (!next || !term) return seats;
    const log = seats.log.with(next.batch);
    const above = seats.seats.map((seat) => ({ ...seat, tail: seat.tail.filter(({ slot }) => slot > log.length) }));
    const stopped = seatOf(seats, voter).promised < next.round ? { promised: next.round, term: null } : {};
    const voted = this.withSeat({ ...seats, log, seats: above }, voter, stopped);
    return this.withSeat(voted, index, { term: { ...term, acceptedTo: log.length } });
  }

  private applied(seats: Seats, index: number): Turn {
    const term = termOf(seats, index);
    const log = seats.log.upTo(term.log.length + 1);
    const turn = this.stepped(this.withSeat(seats, index, { term: { ...term, log } }), index, (service) => {
      const inside = service as unknown as ServiceInside;
      inside.state = log.state;
      if (inside.steward) inside.steward.view = sessionViewOf(log.state, () => 1e6);
      if (inside.partitions) inside.partitions.view = partitionViewOf(log.state);
      if (log.applied) service.onApplied(log.applied, seats.nowMs, () => false);
    });
    return { ...turn, label: `${nodes[index]} applies slot ${log.length}` };
  }

  private hasBeaten({ service, echo }: Term, nowMs: number): boolean {
    return echo?.sentMs === nowMs || inside(service).term.lease.majorityAnsweredMs() === nowMs;
  }

  /** One voter serves each leader: the last seat, so that the second can become leader in the first one's back; and it, the first. */
  private *heartbeat(seats: Seats, index: number): Iterable<Turn> {
    const voter = index === 2 ? 0 : 2;
    if (seatOf(seats, voter).promised > seatOf(seats, index).promised) return;
    const label = `${nodes[voter]} grants ${nodes[index]} the lease`;
    const sent = this.beaten(seats, index, voter);
    yield this.options.lateEchoes ? { label, seats: sent, answers: [] } : { ...this.echoed(sent, index), label };
  }

  /** The answer to an earlier heartbeat is lost. */
  private beaten(seats: Seats, index: number, voter: number): Seats {
    const { promised } = seatOf(seats, index);
    const granter = seatOf(seats, voter);
    const boundUntilMs = Math.max(granter.boundUntilMs, seats.nowMs + this.options.leaseMs);
    const stopped = granter.promised < promised ? { promised, term: null } : {};
    const granted = this.withSeat(seats, voter, { boundUntilMs, ...stopped });
    let id = 0;
    const { seats: sent } = this.stepped(granted, index, (service) => {
      id = inside(service).term.lease.heartbeatSent(seats.nowMs, nodeOf(index));
    });
    const echo = { id, sentMs: seats.nowMs, voter: nodeOf(voter) };
    return this.withSeat(sent, index, { term: { ...termOf(sent, index), echo } });
  }

  private echoed(seats: Seats, index: number): Turn {
    const term = termOf(seats, index);
    const heard = this.withSeat(seats, index, { term: { ...term, echo: null } });
    const turn = this.stepped(heard, index, (service) => {
      if (term.echo) inside(service).term.lease.heartbeatSeen(term.echo.id, term.echo.voter);
      service.retryParked(seats.nowMs);
    });
    return { ...turn, label: `${nodes[index]} hears that ${term.echo?.voter ?? 'nobody'} granted it the lease` };
  }

  private ticked(seats: Seats, index: number): Turn {
    const turn = this.stepped(seats, index, (service) => service.onTick(seats.nowMs));
    return { ...turn, label: `${nodes[index]} looks at its clock` };
  }

  private heard(seats: Seats, index: number, from: string | Proposer, message: GroupSessionMessage): Turn {
    const proposer = typeof from === 'string' ? proposerOf(from) : from;
    const turn = this.stepped(seats, index, (service) => service.onMessage(proposer, message, seats.nowMs));
    return { ...turn, label: `${nodes[index]} hears ${message.type} of ${proposer.incarnation}` };
  }

  /** Everything that the first seat proposed is chosen and applied. */
  settled(from: Seats): Turn {
    let seats = from;
    const answers: Answer[] = [];
    while (seatOf(seats, 0).tail.length > 0) {
      const turn = this.applied(this.accepted(seats, 0, 1), 0);
      answers.push(...turn.answers);
      seats = turn.seats;
    }
    return { label: '', seats, answers };
  }

  /** One call of the shipped service, on a copy; what it wants proposed its own acceptor has at once. */
  private stepped(seats: Seats, index: number, step: (service: LeaderService) => void): Turn {
    const term = termOf(seats, index);
    const { tail, promised } = seatOf(seats, index);
    const service = copied(term.service, this.constants);
    const { steward, partitions } = inside(service);
    // A function is not copied: the copy must ask its own steward of partitions.
    if (steward && partitions) steward.covers = (token: number): boolean => partitions.covers(token);
    step(service);
    const answers = service.takeAnswers();
    const proposed: Accepted[] = [];
    for (let batch = service.takeBatch(0); batch; batch = service.takeBatch(0)) {
      const { slot } = inside(service).term.propose(null, 0);
      proposed.push({ slot, round: promised, batch });
    }
    inside(service).term.inFlight.clear();
    return {
      label: '',
      seats: this.withSeat(seats, index, { tail: [...tail, ...proposed], term: { ...term, service } }),
      answers,
    };
  }

  private withSeat(seats: Seats, index: number, change: Partial<Seat>): Seats {
    return { ...seats, seats: seats.seats.map((seat, at) => (at === index ? { ...seat, ...change } : seat)) };
  }
}

export function partitionViewOf(state: GroupState): PartitionView {
  const { partitions: table } = state.tables;
  return { sets: () => table.sets(), set: (name) => table.set(name), ttlMsOf: (session) => state.session(session)?.ttlMs ?? 0 };
}

function inside(service: LeaderService): ServiceInside {
  return service as unknown as ServiceInside;
}

export function proposerOf(node: string): Proposer {
  return { node, incarnation: `${node}#`, run: 1 };
}

export function nodeOf(index: number): string {
  return nodes[index] ?? '';
}

function others(index: number): number[] {
  return [0, 1, 2].filter((other) => other !== index);
}

export function seatOf({ seats }: Seats, index: number): Seat {
  const seat = seats[index];
  if (!seat) throw new Error(`there is no seat ${index}`);
  return seat;
}

function termOf(seats: Seats, index: number): Term {
  const { term } = seatOf(seats, index);
  if (!term) throw new Error(`${nodeOf(index)} does not lead`);
  return term;
}
