/** What a leader may answer while its configuration ends: those of the next know nothing of its leases. The safety rules 1, 5 and 6. */
import { lockOp } from '../../../packages/core/src/lock/command.ts';
import type { LockOp } from '../../../packages/core/src/lock/command.ts';
import type { GroupBatch, GroupSessionMessage, MemberSend } from '../../../packages/core/src/group/member-message.ts';
import { isLogMessage } from '../../../packages/core/src/group/member-message.ts';
import { isPartitionsState } from '../../../packages/core/src/operation.ts';
import type { PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import type { ChosenLog } from './chosen-log.ts';
import { Holders } from './holders.ts';
import type { Holder } from './holders.ts';
import { isForClient, leaseMs, looksAtClock, names, SharedLogs, stands, tickMs, VoterNode } from './voter-node.ts';

const resource = 'l/x';

export interface AcrossWorld {
  readonly name: string;
  readonly about: string;
  readonly marks: readonly string[];
  readonly asks: 'keep-alive' | 'read';
  /** The stop-sign is stored by its leader alone, which fell silent; the second voter leads by its promise, and adopts it. */
  readonly isAdopted: boolean;
  readonly ttlTicks: number;
  /** So long the world lasts. */
  readonly ticks: number;
}

interface State {
  readonly nowMs: number;
  /** a, b, the first c, and the c that comes back without its memory. */
  readonly nodes: readonly number[];
  readonly isStopped: boolean;
  readonly holder: Holder;
  readonly asked: GroupSessionMessage | null;
  readonly foundOver: boolean;
  readonly isWritten: boolean;
  /** The longest log that anybody had applied when the read left, and who has heard it. */
  readonly mustSee: string | null;
  readonly heardBy: readonly number[];
  readonly broken: string | null;
}

/** Who leads the first configuration and who the next, and the one that answers each of them. */
interface Cast {
  readonly leaders: readonly [first: number, next: number];
  readonly partners: Readonly<Record<number, number>>;
  /** From whom the next leader learns that the first configuration is over; null where it has accepted that itself. */
  readonly teacher: number | null;
}

const sent: Cast = { leaders: [0, 1], partners: { 0: 1, 1: 3 }, teacher: null };
/** The former leader hears from the first c that its own stop-sign was chosen, in the back of the one that adopted it. */
const adopted: Cast = { leaders: [1, 0], partners: { 1: 2, 0: 3 }, teacher: 2 };

interface Sent {
  readonly state: State;
  readonly sends: readonly MemberSend[];
}

const all = [0, 1, 2, 3];
const newcomer = { node: 'c', incarnation: 'c#2', run: 1 };

export function acrossStopSign(world: AcrossWorld): Model<unknown> {
  return new AcrossStopSign(world) as Model<unknown>;
}

class AcrossStopSign implements Model<State> {
  readonly name: string;
  readonly about: string;
  readonly marks: readonly string[];
  readonly rules = [1, 5, 6];
  private nodes = new MachineTable<VoterNode, readonly MemberSend[]>();
  private logs = new SharedLogs();
  private readonly holders: Holders;
  private readonly cast: Cast;

  constructor(private readonly world: AcrossWorld) {
    ({ name: this.name, about: this.about, marks: this.marks } = world);
    this.cast = world.isAdopted ? adopted : sent;
    this.holders = new Holders({ instance: 'x#.1', ttlMs: world.ttlTicks * tickMs, resendMs: 100 * tickMs });
  }

  initial(): State[] {
    this.nodes = new MachineTable();
    this.logs = new SharedLogs();
    const selves = [...names.map((node) => ({ node, incarnation: `${node}#1`, run: 1 })), newcomer];
    const at = { monotonicMs: 0, wallMs: 0 };
    const opening = this.holders.step(this.holders.idle(), { type: 'open', at });
    const nodes = selves.map((self) => this.nodes.intern(new VoterNode(self, self !== newcomer)));
    const none = { asked: null, foundOver: false, isWritten: false, mustSee: null, heardBy: [], broken: null };
    let state: State = { nowMs: 0, nodes, isStopped: false, holder: opening.holder, ...none };
    state = this.settled(this.elected(state, 0, 1) ?? state);
    state = this.act(state, 0, 'confirm', (node) => node.confirmed()).state;
    state = this.beaten({ ...state, nowMs: tickMs }, 0, 1).state;
    state = this.settled(this.beaten(state, 0, null).state);
    const open = { type: 'openSession', ttlMs: 100 * tickMs, replaces: 0 } as const;
    const [ask] = opening.send;
    if (ask) state = this.told(this.heard(this.settled(state), 0, 'x', ask));
    state = this.settled(this.told(this.heard(this.settled(state), 0, 'y', { ...open, nonce: 'y' })));
    state = this.settled(this.told(this.heard(state, 0, 'z', { ...open, nonce: 'z' })));
    const { log } = this.newest(state);
    const [opened] = [log, log.before, log.before?.before].flatMap((one) => one?.applied?.opened ?? []).filter(({ node }) => node === 'x');
    if (!opened) throw new Error('x has a session');
    const { nonce, session, ttlMs } = opened;
    const confirming = this.holders.step(state.holder, { type: 'message', message: { type: 'sessionOpened', nonce, session, ttlMs }, at });
    state = { ...state, nowMs: leaseMs, holder: confirming.holder };
    state = this.told(this.beaten(state, 0, 1));
    state = this.confirmed(this.world.isAdopted ? { ...state, nowMs: leaseMs + tickMs } : state);
    return [this.world.isAdopted ? this.overtaken(state) : state];
  }

  *next(state: State): Iterable<Step<State>> {
    if (state.foundOver || state.broken !== null || this.isOver(state)) return;
    const { nowMs } = state;
    if (nowMs < this.startMs + this.world.ticks * tickMs)
      yield { label: `it is ${nowMs + tickMs} ms`, state: { ...state, nowMs: nowMs + tickMs } };
    for (const index of all) {
      yield* this.leads(state, index);
      yield* this.follows(state, index);
      yield* this.hears(state, index);
    }
    if (this.world.asks === 'keep-alive') yield* this.holds(state);
    else if (state.mustSee === null) yield { label: 'z sends its read', state: { ...state, mustSee: this.newest(state).log.key } };
  }

  check(state: State): string | null {
    if (state.broken !== null) return state.broken;
    const { holder } = state;
    if (this.world.asks === 'read' || holder.phase.type !== 'open') return null;
    if (!this.holders.isValid(holder, this.instant(state)) || this.newest(state).log.state.session(holder.phase.session)) return null;
    return 'the group has ended a session while its holder relies on it (promise 3)';
  }

  key(state: State): string {
    const { nowMs, nodes, isStopped, holder, asked, foundOver, isWritten, mustSee, heardBy, broken } = state;
    const inUse = [idOf(asked)];
    const beats = holder.lease.beats.filter(([id]) => inUse.includes(id));
    const due = nowMs >= holder.beatDueMs;
    const rest = [holder.phase, holder.lease.answered, holder.lease.lastId, beats, due, asked, foundOver, isWritten, mustSee, heardBy];
    return `${nowMs} ${nodes.join()} ${isStopped} ${broken ?? ''} ${JSON.stringify(rest)}`;
  }

  seen(state: State): string[] {
    const machines = state.nodes.map((id) => this.nodes.at(id));
    const marks: string[] = [];
    const former = machines.find((node) => node.configuration === 1 && node.term !== null)?.term;
    const isHeld = former ? state.nowMs < former.lease.heldUntilMs() : false;
    const isSilent = isHeld && (former?.stopSlot !== 0 || former.beginSlot === 0);
    const next = machines.find((node) => node.configuration === 2 && node.seat?.isServing === true);
    if (isSilent) marks.push('a silent leader holds its lease');
    if (isSilent && next) marks.push('the next one is served under a lease of the last');
    if (next && !isHeld && state.holder.lease.answered?.monotonicMs === state.nowMs) marks.push('renewed in the next one');
    if (this.newest(state).log.applied?.ended.length) marks.push('expired in the next one');
    if (next && state.mustSee !== null && state.heardBy.length > 0 && state.isWritten) marks.push('read after a write of the next one');
    return marks;
  }

  /** Nothing more can come of a session that ended, and that its holder does not rely on. */
  private isOver(state: State): boolean {
    const { phase } = state.holder;
    return this.world.asks === 'keep-alive' && phase.type === 'open' && !this.newest(state).log.state.session(phase.session);
  }

  private get startMs(): number {
    return this.world.isAdopted ? 2 * leaseMs : leaseMs;
  }

  /** Everything that a leader does by itself. */
  private *leads(state: State, index: number): Iterable<Step<State>> {
    const node = this.at(state, index);
    const { term, self, configuration } = node;
    if (!term) return;
    const mayStop = !this.world.isAdopted && !state.isStopped && index === 0;
    for (const standby of mayStop ? [false, true] : [false]) {
      const { state: after, sends } = this.beaten(state, index, null, standby);
      const proposed = this.at(after, index).term?.nextSlot;
      if (proposed === term.nextSlot) continue;
      const isStopped = state.isStopped || (this.at(after, index).term?.stopSlot ?? 0) > 0;
      yield* this.changed(state, `${self.incarnation} proposes what is due`, { state: { ...after, isStopped }, sends });
    }
    const partner = this.partnerOf(state, index);
    if (partner === null) return;
    yield* this.changed(state, `${self.incarnation} is granted the lease`, this.beaten(state, index, partner));
    for (const slot of term.inFlight.keys()) {
      if (term.hasAccepted(this.at(state, partner).self.node, slot)) continue;
      const label = `${this.at(state, partner).self.incarnation} accepts slot ${slot} of ${self.incarnation}`;
      const { state: accepted, sends } = this.accepted(state, index, partner, slot);
      if (configuration === 1) yield* this.changed(state, label, { state: accepted, sends: [] });
      yield* this.changed(state, `${label}, which hears of it`, this.answeredTo(accepted, partner, index, sends));
    }
  }

  /** The election of the next configuration, and what one learns from another. */
  private *follows(state: State, index: number): Iterable<Step<State>> {
    const node = this.at(state, index);
    const { self, configuration } = node;
    const partner = this.cast.partners[index] ?? index;
    if (configuration === 2 && index === this.cast.leaders[1] && !node.stood[2]) {
      const elected = this.elected(this.taught(state, partner, index), index, partner);
      const label = `${self.incarnation} is elected in configuration 2 by ${this.at(state, partner).self.incarnation}`;
      if (elected) yield* this.changed(state, label, { state: elected, sends: [] });
    }
    const { teacher } = this.cast;
    if (teacher === null || index !== this.cast.leaders[1]) return;
    if (this.logs.at(this.at(state, teacher).key).state.configuration.id <= configuration) return;
    const label = `${self.incarnation} learns all that ${this.at(state, teacher).self.incarnation} applied`;
    yield* this.changed(state, label, { state: this.taught(state, index, teacher), sends: [] });
  }

  private taught(state: State, index: number, from: number): State {
    const teacher = this.at(state, from);
    return this.act(state, index, `${state.nowMs} learn ${teacher.key}`, (machine) => machine.learn(this.logs, state.nowMs, teacher)).state;
  }

  /** What comes from outside reaches any seat that leads. */
  private *hears(state: State, index: number): Iterable<Step<State>> {
    const { term, self, configuration } = this.at(state, index);
    if (!term) return;
    const label = (what: string): string => `${self.incarnation} hears ${what}`;
    if (this.world.asks === 'keep-alive') {
      const renewed = state.asked && this.heard(state, index, 'x', state.asked);
      // What cannot be answered at once is lost instead: x asks again.
      if (renewed?.sends.length) yield* this.changed(state, label('the keep-alive of x, and answers it'), renewed);
      return;
    }
    if (!state.isWritten && configuration === 2) {
      const session = this.newest(state).log.state.sessionOfNode('y') ?? 0;
      const op: LockOp = [lockOp.acquire, 1, resource, 0, 0, null];
      const written = this.heard(state, index, 'y', { type: 'submit', session, floor: 0, ops: [op] });
      yield* this.changed(state, label('a command of y'), { ...written, state: { ...written.state, isWritten: true } });
    }
    if (state.mustSee === null || state.heardBy.includes(index)) return;
    const session = this.newest(state).log.state.sessionOfNode('z') ?? 0;
    const read = this.heard(state, index, 'z', { type: 'watch', session, version: 1, since: 0, part: 1, added: [resource], removed: [] });
    yield* this.changed(state, label('the read of z'), { ...read, state: { ...read.state, heardBy: [...state.heardBy, index].sort() } });
  }

  private *holds(state: State): Iterable<Step<State>> {
    const { holder } = state;
    const at = this.instant(state);
    if (state.nowMs >= this.holders.nextDeadlineMs(holder)) {
      const { holder: after, send } = this.holders.step(holder, { type: 'tick', at });
      yield { label: 'x sends a keep-alive', state: { ...state, holder: after, asked: send[0] ?? state.asked } };
    }
    const { holder: after, remainingMs } = this.holders.asked(holder, at);
    if (remainingMs === 0) yield { label: 'x finds its session over', state: { ...state, holder: after, foundOver: true } };
  }

  private *changed(before: State, label: string, sent: Sent): Iterable<Step<State>> {
    const state = this.told(sent);
    if (this.key(state) !== this.key(before)) yield { label, state };
  }

  /** Clients are told at once what a seat has to say to them: it may be lost all the same. */
  private told({ state, sends }: Sent): State {
    let after = state;
    for (const { to, message } of sends) {
      if (to.type !== 'node' || !isForClient(message)) continue;
      if (to.node === 'x' && message.type === 'keptAlive') after = this.received(after, message);
      if (to.node !== 'z' || message.type !== 'watched' || after.mustSee === null) continue;
      const must = this.logs.at(after.mustSee).state.lockState(resource);
      const [shown] = message.states;
      const isOld = shown === undefined || isPartitionsState(shown) || (shown.holders.length === 0 && must.holders.length > 0);
      if (isOld) after = { ...after, broken: 'a read shows less than was known when it was sent (rule 6)' };
    }
    return after;
  }

  private heard(state: State, index: number, from: string, message: GroupSessionMessage): Sent {
    const proposer = { node: from, incarnation: `${from}#`, run: 1 };
    const input = `${state.nowMs} request ${from} ${JSON.stringify(message)}`;
    return this.act(state, index, input, (node) => node.take(this.logs, state.nowMs, (seat, at) => seat.onRequest(proposer, message, at)));
  }

  /** The leader looks at its clock; if it beats, one voter, or none, answers at once. */
  private beaten(state: State, index: number, voter: number | null, standby = false): Sent {
    const ticked = this.act(state, index, `${state.nowMs} tick ${standby}`, (node) => looksAtClock(node, this.logs, state.nowMs, standby ? newcomer : undefined)); // prettier-ignore
    const beat = ticked.sends.find(({ message }) => message.type === 'heartbeat')?.message;
    if (voter !== null && !beat) return { state, sends: [] };
    if (voter === null || !beat || !isLogMessage(beat)) return ticked;
    const seen = this.delivered(ticked.state, index, voter, beat);
    const answered = this.answeredTo(seen.state, voter, index, seen.sends);
    return { state: answered.state, sends: [...ticked.sends, ...answered.sends] };
  }

  private accepted(state: State, index: number, voter: number, slot: number): Sent {
    const node = this.at(state, index);
    const proposal = node.term?.inFlight.get(slot);
    if (!node.term || !proposal) throw new Error('that is not proposed');
    return this.delivered(state, index, voter, node.term.acceptOf(proposal, node.seat?.replica.log.chosenIndex ?? 0));
  }

  /** Canvass, phase 1 and the first heartbeat, with one other voter that answers what it must. Null where the two do not make a leader. */
  private elected(state: State, index: number, partner: number): State | null {
    let sent = this.act(state, index, `${state.nowMs} stand`, (node) => stands(node, this.logs, state.nowMs));
    for (const question of ['canvass', 'prepare'] as const) {
      const asked = sent.sends.find(({ message }) => message.type === question)?.message;
      if (!asked || !isLogMessage(asked)) return null;
      const answered = this.delivered(sent.state, index, partner, asked);
      sent = this.answeredTo(answered.state, partner, index, answered.sends);
    }
    const beat = sent.sends.find(({ message }) => message.type === 'heartbeat')?.message;
    if (!beat || !isLogMessage(beat)) return null;
    const seen = this.delivered(sent.state, index, partner, beat);
    return this.answeredTo(seen.state, partner, index, seen.sends).state;
  }

  private answeredTo(state: State, from: number, to: number, sends: readonly MemberSend[]): Sent {
    let sent: Sent = { state, sends: [] };
    const { node } = this.at(state, to).self;
    for (const { to: destination, message } of sends) {
      if (destination.type !== 'node' || destination.node !== node || !isLogMessage(message)) continue;
      const next = this.delivered(sent.state, from, to, message);
      sent = { state: next.state, sends: [...sent.sends, ...next.sends] };
    }
    return sent;
  }

  /** Between two of one configuration. */
  private delivered(state: State, from: number, to: number, message: PaxosMessage<GroupBatch>): Sent {
    const [sender, receiver] = [this.at(state, from), this.at(state, to)];
    if (receiver.isOver || sender.configuration !== receiver.configuration) return { state, sends: [] };
    const input = `${state.nowMs} ${sender.self.incarnation} ${JSON.stringify(message)}`;
    return this.act(state, to, input, (node) => node.take(this.logs, state.nowMs, (seat, at) => seat.onMessage(sender.self, message, at)));
  }

  private act(state: State, index: number, input: string, act: (node: VoterNode) => readonly MemberSend[]): Sent {
    const { id, output } = this.nodes.step(state.nodes[index] ?? -1, input, act);
    return { state: { ...state, nodes: state.nodes.with(index, id) }, sends: output };
  }

  // What happened before the world begins.

  /** Everything that the first voter proposed is accepted by both others and applied by all. */
  private settled(from: State): State {
    let state = from;
    for (;;) {
      const [slot] = this.at(state, 0).term?.inFlight.keys() ?? [];
      if (slot === undefined) break;
      for (const voter of [1, 2]) {
        const accepted = this.accepted(state, 0, voter, slot);
        state = this.answeredTo(accepted.state, voter, 0, accepted.sends).state;
        if (!this.at(state, 0).term?.inFlight.has(slot)) break;
      }
    }
    for (const voter of [1, 2]) state = this.taught(state, voter, 0);
    return state;
  }

  private confirmed(from: State): State {
    let state: State = from;
    const beat = this.holders.step(state.holder, { type: 'tick', at: this.instant(state) });
    const [asked] = beat.send;
    if (!asked) throw new Error('a session that opens is kept alive');
    state = this.told(this.heard({ ...state, holder: beat.holder, asked }, 0, 'x', asked));
    return { ...state, asked: null };
  }

  private overtaken(from: State): State {
    let state = this.beaten(from, 0, null, true).state;
    if (!this.at(state, 0).term?.stopSlot) throw new Error('the stop-sign is proposed');
    state = { ...state, isStopped: true, nowMs: this.startMs };
    state = this.beaten(state, 0, null).state;
    const elected = this.elected(state, 1, 0);
    if (!elected) throw new Error('the second voter leads');
    return elected;
  }

  private received(state: State, answer: GroupSessionMessage): State {
    const { holder, send } = this.holders.step(state.holder, { type: 'message', message: answer, at: this.instant(state) });
    const asked = send[0] ?? (idOf(state.asked) <= idOf(answer) ? null : state.asked);
    return { ...state, holder, asked };
  }

  /** Who answers it, once both are in one configuration. */
  private partnerOf(state: State, index: number): number | null {
    const partner = this.cast.partners[index];
    return partner !== undefined && this.at(state, partner).configuration === this.at(state, index).configuration ? partner : null;
  }

  private newest({ nodes }: State): { readonly log: ChosenLog } {
    const logs = nodes.map((id) => this.logs.at(this.nodes.at(id).key));
    return { log: logs.reduce((longest, log) => (log.length > longest.length ? log : longest)) };
  }

  private instant({ nowMs }: State): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: nowMs, wallMs: nowMs };
  }

  private at({ nodes }: State, index: number): VoterNode {
    return this.nodes.at(nodes[index] ?? -1);
  }
}

function idOf(message: GroupSessionMessage | null): number {
  return message?.type === 'keepAlive' || message?.type === 'keptAlive' ? message.id : 0;
}
