/** The log among three voters, two of which lead: take-over, gaps, fetching, the short path and compaction. The safety rules 2 to 4. */
import { compareBallots, sameBallot } from '../../../packages/core/src/paxos/ballot.ts';
import type { Ballot } from '../../../packages/core/src/paxos/ballot.ts';
import { checkReplica } from '../../../packages/core/src/paxos/invariants.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import { hear, isLearnt, lifeName, restart, stand, started, valueName, voters } from './log-node.ts';
import type { Acted, Frame, LogNode, Value } from './log-node.ts';
import { describeLogMessage } from './log-story.ts';

/** One that may lead. */
export interface Candidate {
  /** How often it stands in one run of its process. */
  readonly stands: number;
  /** As a leader it proposes commands of its own in slots up to here. */
  readonly slotMax: number;
  /** Its heartbeats in one ballot, the first of which comes with its leading. */
  readonly beats: number;
}

export interface LogWorld {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];
  readonly candidates: Readonly<Record<string, Candidate>>;
  /** Leads already when the story begins, by the promise of one other and of nobody else. */
  readonly firstLeader?: { readonly node: string; readonly by: string };
  readonly restarts: number;
  /** Who may lose its memory, once, and then speak on as a stranger; or under its old identity. */
  readonly wiped?: string;
  readonly relays?: boolean;
}

export interface LogState {
  readonly nodes: readonly number[];
  readonly sent: Sent;
  /** Everything that any voter ever applied: "slot=value", sorted. */
  readonly applied: readonly string[];
  readonly restarts: number;
  readonly wipes: number;
}

export class LogModel implements Model<LogState> {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];
  private nodes = new MachineTable<LogNode, Acted>();
  private post = new Post<Frame>();
  private broken: (string | null)[] = [];

  constructor(private readonly world: LogWorld) {
    ({ name: this.name, about: this.about, rules: this.rules, marks: this.marks } = world);
  }

  initial(): LogState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    this.broken = [];
    const nodes = voters.map((node) => this.nodes.intern(started({ node, incarnation: `${node}#1`, run: 1 })));
    const { restarts, wiped, firstLeader } = this.world;
    const state: LogState = { nodes, sent: '', applied: [], restarts, wipes: wiped === undefined ? 0 : 1 };
    return [firstLeader ? this.led(state, firstLeader.node, firstLeader.by) : state];
  }

  *next(state: LogState): Iterable<Step<LogState>> {
    for (const [id] of this.post.framesOf(state.sent)) yield* this.deliver(state, id);
    for (const [node, candidate] of Object.entries(this.world.candidates)) yield* this.lead(state, node, candidate);
    if (this.world.relays) yield* this.relay(state);
    if (state.restarts > 0) {
      for (const node of voters) {
        yield* this.act({ ...state, restarts: state.restarts - 1 }, node, 'restart', () => 'restarts with its memory', restart);
      }
    }
    if (state.wipes > 0) {
      const { wiped = '' } = this.world;
      const label = (): string => 'loses its memory and comes back under a new incarnation';
      yield* this.act({ ...state, wipes: 0 }, wiped, 'wipe', label, (node) => {
        Object.assign(node, started({ node: wiped, incarnation: `${wiped}#2`, run: 1 }));
        return { frames: [], applied: [] };
      });
    }
  }

  check({ applied, nodes }: LogState): string | null {
    for (const [index, entry] of applied.entries()) {
      const [slot = ''] = entry.split('=');
      if (applied[index + 1]?.startsWith(`${slot}=`)) return `agreement: slot ${slot} holds both ${entry} and ${applied[index + 1] ?? ''}`;
    }
    for (const id of nodes) {
      this.broken[id] ??= checkReplica(this.nodes.at(id).replica).join('; ');
      if (this.broken[id] !== '') return this.broken[id];
    }
    return null;
  }

  key({ nodes, sent, applied, restarts, wipes }: LogState): string {
    return `${nodes.join()} ${restarts}${wipes} ${applied.join()} ${sent}`;
  }

  seen({ sent, applied, nodes }: LogState): string[] {
    const machines = nodes.map((id) => this.nodes.at(id));
    const marks = machines.flatMap(({ marks: shown }) => [...shown]);
    if (applied.some((entry) => entry.endsWith('=no-op'))) marks.push('a no-op is applied');
    if (machines.some(({ replica }) => replica.log.floor > 0)) marks.push('a log is compacted');
    if (machines.filter(({ replica }) => replica.leading !== null).length > 1) marks.push('two lead at once');
    for (const [, { message, from }] of this.post.framesOf(sent)) {
      if (message.type === 'fetch') marks.push('a slot is fetched');
      if (message.type === 'chosen' && message.values.length > 0) marks.push('a fetch is answered');
      if (message.type === 'accepted' && from.run > 1) marks.push('a restarted voter votes');
      if (message.type === 'accepted' && from.incarnation.endsWith('#2')) marks.push('a stranger votes');
    }
    return marks;
  }

  private deliver(state: LogState, id: number): Iterable<Step<LogState>> {
    const { from, to, message } = this.post.at(id);
    const label = (): string => `hears ${describeLogMessage(message)} from ${lifeName(from)}`;
    return this.act(state, to, `#${id}`, label, (node) => hear(node, from, message));
  }

  private led(initial: LogState, node: string, by: string): LogState {
    let [state] = [...this.act(initial, node, 'stand', () => 'stands for leader', stand)].map((step) => step.state);
    for (const [type, to] of [
      ['prepare', by],
      ['promise', node],
    ]) {
      // prettier-ignore
      const before = state ?? initial;
      for (const [id, frame] of this.post.framesOf(before.sent)) {
        if (frame.message.type === type && frame.to === to) for (const step of this.deliver(before, id)) state = step.state;
      }
    }
    return state ?? initial;
  }

  private *lead(state: LogState, name: string, { stands, slotMax, beats: beatsMax }: Candidate): Iterable<Step<LogState>> {
    const { replica, rounds, beats, self } = this.nodes.at(state.nodes[voters.indexOf(name)] ?? -1);
    if (!self.incarnation.endsWith('#1')) return;
    if (rounds < stands) yield* this.act(state, name, 'stand', () => 'stands for leader', (node) => stand(node)); // prettier-ignore
    const { leading } = replica;
    if (!leading) return;
    if (leading.nextSlot <= slotMax) {
      const value: Value = [leading.ballot.round * 10 + voters.indexOf(name), []];
      const label = (): string => `proposes ${valueName(value)} in slot ${leading.nextSlot}`;
      yield* this.act(state, name, 'propose', label, (node) => node.take({ type: 'propose', value, nowMs: 0 }));
    }
    if (beats < beatsMax) yield* this.act(state, name, 'beat', () => 'sends a heartbeat', (node) => node.beat()); // prettier-ignore
  }

  /** Somebody hands on an accept that it got: a frame that nobody should take for its proposer's. */
  private *relay(state: LogState): Iterable<Step<LogState>> {
    for (const [id, { to: relay, message }] of this.post.framesOf(state.sent)) {
      if (message.type !== 'accept') continue;
      const { self } = this.nodes.at(state.nodes[voters.indexOf(relay)] ?? -1);
      for (const receiver of voters) {
        if (receiver === relay) continue;
        const label = (): string => `hears ${describeLogMessage(message)} from ${lifeName(self)}, who relays it`;
        yield* this.act(state, receiver, `relay ${id}`, label, (node) => hear(node, self, message));
      }
    }
  }

  /** Nothing is yielded for a step that changes nothing. */
  private *act(state: LogState, name: string, input: string, label: () => string, act: (node: LogNode) => Acted): Iterable<Step<LogState>> {
    const index = voters.indexOf(name);
    const before = state.nodes[index] ?? -1;
    const { id, output } = this.nodes.step(before, input, act);
    const all = this.post.add(state.sent, output.frames);
    const nodes = id === before ? state.nodes : state.nodes.with(index, id);
    const sent = id === before && all === state.sent ? all : this.post.keep(all, (frame) => !this.isSpent(frame, nodes));
    const applied = output.applied.length === 0 ? state.applied : [...new Set([...state.applied, ...output.applied])].sort();
    if (id === before && sent === state.sent && applied.length === state.applied.length) return;
    const { self } = this.nodes.at(before);
    const story = (): string => `${lifeName(self)} ${label()}`;
    yield { state: { ...state, nodes, sent, applied }, get label() { return story(); } }; // prettier-ignore
  }

  /**
   * Frames that can do nothing any more are forgotten, as if lost: answers to what their receiver asks no longer, words of a ballot
   * below the receiver's promise, what the receiver knows already. A refusal is always of that kind: whoever is refused may as well
   * fall silent by itself. So is a canvass, which changes nothing at anyone: this world supports whoever stands.
   */
  private isSpent({ from, to, message }: Frame, nodes: readonly number[]): boolean {
    const { replica, preparing } = this.nodeOf(to, nodes);
    const sender = this.nodeOf(from.node, nodes);
    const leads = (ballot: Ballot): boolean => replica.leading !== null && sameBallot(replica.leading.ballot, ballot);
    switch (message.type) {
      case 'prepare':
        return !sender.preparing || !sameBallot(sender.preparing, message.ballot) || compareBallots(message.ballot, replica.promised) < 0;
      case 'promise':
        return !preparing || !sameBallot(preparing, message.ballot);
      case 'accept':
        return this.isAcceptSpent(message, this.nodeOf(to, nodes), sender);
      case 'accepted':
        return !leads(message.ballot) || [...(replica.leading?.inFlight.keys() ?? [])].every((slot) => message.upTo < slot && !message.beyond.includes(slot)); // prettier-ignore
      case 'heartbeat':
        if (compareBallots(message.ballot, replica.promised) < 0) return true;
        return (
          this.beatsOf(message.ballot) < 2 && sameBallot(message.ballot, replica.promised) && message.chosenIndex <= replica.log.chosenIndex
        );
      case 'heartbeatSeen':
        return (
          this.beatsOf(message.ballot) < 3 ||
          !leads(message.ballot) ||
          (replica.leading?.appliedBy.get(from.node) ?? 0) >= message.appliedIndex
        );
      case 'fetch':
        return sender.replica.log.chosenIndex >= message.to;
      case 'chosen':
        return isLearnt(replica, message);
      default:
        return true;
    }
  }

  private isAcceptSpent({ ballot, slot, chosenIndex }: Extract<Frame['message'], { type: 'accept' }>, to: LogNode, from: LogNode): boolean {
    const { log, promised } = to.replica;
    const isWaitedFor = from.replica.leading?.inFlight.has(slot) === true && sameBallot(from.replica.leading.ballot, ballot);
    if (compareBallots(ballot, promised) < 0) return slot > log.floor || !isWaitedFor;
    const vote = log.vote(slot);
    const hasVoted = slot <= log.floor || (vote !== undefined && sameBallot(vote.ballot, ballot));
    return hasVoted && log.chosenIndex >= chosenIndex && !isWaitedFor;
  }

  private beatsOf({ node }: Ballot): number {
    return this.world.candidates[node]?.beats ?? 0;
  }

  private nodeOf(node: string, nodes: readonly number[]): LogNode {
    return this.nodes.at(nodes[voters.indexOf(node)] ?? -1);
  }
}
