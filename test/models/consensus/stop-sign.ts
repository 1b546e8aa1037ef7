/** One configuration after another among three voters: stop-signs with gaps, take-overs, and a seat that is swapped. The safety rules 1, 2 and 16. */
import { compareBallots, sameBallot } from '../../../packages/core/src/paxos/ballot.ts';
import { checkReplica } from '../../../packages/core/src/paxos/invariants.ts';
import type { SeatTuple } from '../../../packages/core/src/session/command.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import { lifeName, voters } from './log-node.ts';
import { describeLogMessage } from './log-story.ts';
import { AppliedLogs, standIn, StopNode, stopSign } from './stop-sign-node.ts';
import type { StopActed, StopFrame } from './stop-sign-node.ts';

export interface StopSignWorld {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];
  /** Who stands once in the first configuration, and in the second. */
  readonly stands: readonly [first: readonly string[], second: readonly string[]];
  /** Who proposes a command of its own above its begin, in the first configuration. */
  readonly commands: readonly string[];
  /** The stop-sign is proposed already, and stored by its leader alone: b leads by the promise of c. */
  readonly isOvertaken?: boolean;
  /** Who loses its memory once, at any time, and is given its seat again; nobody where the voters stay who they are. */
  readonly wiped?: string;
  /** How that one comes back; as a stranger unless said. */
  readonly returns?: 'under its old identity';
  /** Whoever hears a frame of the next configuration votes in it at once. */
  readonly entersUntold?: boolean;
}

export interface StopSignState {
  readonly nodes: readonly number[];
  readonly sent: Sent;
  readonly applied: readonly string[];
  readonly isStopped: boolean;
  readonly wipes: number;
}

export class StopSignModel implements Model<StopSignState> {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];
  private nodes = new MachineTable<StopNode, StopActed>();
  private post = new Post<StopFrame>();
  private logs = new AppliedLogs();
  private broken: (string | null)[] = [];
  private readonly seats: readonly SeatTuple[];
  private readonly gone: readonly SeatTuple[];

  constructor(private readonly world: StopSignWorld) {
    ({ name: this.name, about: this.about, rules: this.rules, marks: this.marks } = world);
    this.seats = voters.map((node) => [node, node === world.wiped ? `${node}#2` : `${node}#1`]);
    this.gone = world.wiped === undefined ? [] : [[world.wiped, `${world.wiped}#1`]];
  }

  /** The first voter leads, and all have applied its begin. */
  initial(): StopSignState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    this.logs = new AppliedLogs();
    this.broken = [];
    const nodes = voters.map((node) => this.nodes.intern(new StopNode({ node, incarnation: `${node}#1`, run: 1 }, true)));
    let state: StopSignState = { nodes, sent: '', applied: [], isStopped: false, wipes: 0 };
    const settle = (steps: Iterable<Step<StopSignState>>): void => {
      for (const step of steps) state = step.state;
    };
    settle(this.act(state, 'a', 'stand', () => '', (node) => standIn(node, this.logs))); // prettier-ignore
    for (let turn = 0; turn < 12; turn += 1) for (const [id] of this.post.framesOf(state.sent)) settle(this.deliver(state, id));
    const { wiped, isOvertaken } = this.world;
    if (isOvertaken) {
      if (this.world.commands.includes('a')) for (const step of this.lead(state, 'a')) if (!step.state.isStopped) state = step.state; // prettier-ignore
      for (const step of this.lead(state, 'a')) if (step.state.isStopped) state = step.state;
      settle(this.act(state, 'b', 'stand', () => '', (node) => standIn(node, this.logs))); // prettier-ignore
      for (const [type, to] of [['prepare', 'c'], ['promise', 'b']]) // prettier-ignore
        for (const [id, frame] of this.post.framesOf(state.sent)) if (frame.message.type === type && frame.to === to) settle(this.deliver(state, id)); // prettier-ignore
    }
    return [{ ...state, wipes: wiped === undefined ? 0 : 1 }];
  }

  *next(state: StopSignState): Iterable<Step<StopSignState>> {
    for (const [id] of this.post.framesOf(state.sent)) yield* this.deliver(state, id);
    for (const name of voters) {
      yield* this.lead(state, name);
      for (const other of voters) yield* this.learn(state, name, other);
    }
    if (state.wipes > 0) yield this.wipe(state, this.world.wiped ?? '', this.world.returns === undefined);
  }

  check({ applied, nodes }: StopSignState): string | null {
    for (const [index, entry] of applied.entries()) {
      const [slot = ''] = entry.split('=');
      if (applied[index + 1]?.startsWith(`${slot}=`)) return `agreement: slot ${slot} holds both ${entry} and ${applied[index + 1] ?? ''}`;
    }
    for (const id of nodes) {
      const { replica } = this.nodes.at(id);
      this.broken[id] ??= replica ? checkReplica(replica).join('; ') : '';
      if (this.broken[id] !== '') return this.broken[id];
    }
    return null;
  }

  key({ nodes, sent, applied, isStopped, wipes }: StopSignState): string {
    return `${nodes.join()} ${isStopped} ${wipes} ${applied.join()} ${sent}`;
  }

  seen({ nodes, applied }: StopSignState): string[] {
    const machines = nodes.map((id) => this.nodes.at(id));
    const marks = machines.flatMap(({ marks: shown }) => [...shown]);
    if (machines.some(({ replica }) => replica?.configuration.id === 2 && replica.leading !== null)) marks.push('the next one is led');
    if (applied.some((entry) => entry.includes('stop-sign')) && applied.length > 2) marks.push('the next one chooses');
    return marks;
  }

  private wipe(state: StopSignState, name: string, isStranger: boolean): Step<StopSignState> {
    const self = { node: name, incarnation: isStranger ? `${name}#2` : `${name}#1`, run: isStranger ? 1 : 2 };
    const nodes = state.nodes.with(voters.indexOf(name), this.nodes.intern(new StopNode(self, !isStranger)));
    const sent = this.post.keep(state.sent, (frame) => !this.isSpent(frame, nodes));
    return { label: `${name} loses its memory`, state: { ...state, nodes, sent, wipes: 0 } };
  }

  /** A seat is given to a newcomer that was heard of. */
  private mayStop({ isStopped, wipes }: StopSignState): boolean {
    return !isStopped && (wipes === 0 || this.world.returns !== undefined);
  }

  private *lead(state: StopSignState, name: string): Iterable<Step<StopSignState>> {
    const node = this.nodeOf(name, state.nodes);
    const { replica, configuration } = node;
    const mayStand = this.world.stands[configuration - 1]?.includes(name) === true && (node.stood[configuration] ?? 0) < (name === 'a' && configuration === 1 ? 2 : 1); // prettier-ignore
    if (mayStand) yield* this.act(state, name, 'stand', () => 'stands for leader', (machine) => standIn(machine, this.logs)); // prettier-ignore
    const term = replica?.leading;
    if (!term || configuration !== 1 || term.stopSlot > 0) return;
    const isServing = term.beginSlot > 0 && this.logs.at(node.key).length >= term.beginSlot;
    if (name === 'a' && isServing && this.mayStop(state)) {
      const label = (): string => `proposes the stop-sign in slot ${term.nextSlot}`;
      yield* this.act({ ...state, isStopped: true }, name, 'stop', label, (machine) =>
        machine.take(this.logs, stopSign(machine, this.logs, this.seats, this.gone)),
      );
    }
    if (this.world.commands.includes(name) && term.beginSlot > 0 && term.nextSlot === term.beginSlot + 1) {
      const label = (): string => `proposes a command in slot ${term.nextSlot}`;
      yield* this.act(state, name, 'command', label, (machine) =>
        machine.take(this.logs, { type: 'propose', value: [voters.indexOf(name) + 1, []], nowMs: 0 }),
      );
    }
  }

  private *learn(state: StopSignState, name: string, other: string): Iterable<Step<StopSignState>> {
    const [node, teacher] = [this.nodeOf(name, state.nodes), this.nodeOf(other, state.nodes)];
    if (this.logs.at(teacher.key).length <= this.logs.at(node.key).length) return;
    const label = (): string => `learns all that ${lifeName(teacher.self)} applied`;
    yield* this.act(state, name, `learn ${teacher.key}`, label, (machine) => machine.learn(this.logs, teacher));
  }

  private deliver(state: StopSignState, id: number): Iterable<Step<StopSignState>> {
    const { from, to, message, configuration } = this.post.at(id);
    const label = (): string => `hears ${describeLogMessage(message)} from ${lifeName(from)} in configuration ${configuration}`;
    return this.act(state, to, `#${id}`, label, (node) => {
      if (this.world.entersUntold && configuration > node.configuration) {
        node.enterUntold(
          this.logs,
          this.seats.map(([name, incarnation]) => ({ node: name, incarnation })),
        );
      }
      if (configuration !== node.configuration) return { frames: [], applied: [] };
      return node.take(this.logs, { type: 'message', from, message, nowMs: 0 });
    });
  }

  private *act(
    state: StopSignState,
    name: string,
    input: string,
    label: () => string,
    act: (node: StopNode) => StopActed,
  ): Iterable<Step<StopSignState>> {
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

  /** What can do nothing any more. Refusals, canvasses and heartbeats are lost here: each but makes somebody stop or learn, which may happen anyway. */
  private isSpent({ from, to, message, configuration }: StopFrame, nodes: readonly number[]): boolean {
    const [receiver, sender] = [this.nodeOf(to, nodes), this.nodeOf(from.node, nodes)];
    if (configuration < receiver.configuration) return true;
    if (receiver.replica === null && receiver.self.incarnation.endsWith('#1')) return true;
    const { replica, preparing } = receiver;
    switch (message.type) {
      case 'prepare':
        return !sender.preparing || !sameBallot(sender.preparing, message.ballot) || (configuration === receiver.configuration && replica !== null && compareBallots(message.ballot, replica.promised) < 0); // prettier-ignore
      case 'promise':
        return !preparing || !sameBallot(preparing, message.ballot);
      case 'accept': {
        if (configuration > receiver.configuration || !replica) return false;
        if (compareBallots(message.ballot, replica.promised) < 0) return true;
        const vote = replica.log.vote(message.slot);
        const isWaitedFor = sender.replica?.leading?.inFlight.has(message.slot) === true && sameBallot(sender.replica.leading.ballot, message.ballot); // prettier-ignore
        return (
          vote !== undefined && sameBallot(vote.ballot, message.ballot) && replica.log.chosenIndex >= message.chosenIndex && !isWaitedFor
        );
      }
      case 'accepted': {
        const leading = replica?.leading;
        if (!leading || !sameBallot(leading.ballot, message.ballot)) return true;
        return [...leading.inFlight.keys()].every((slot) => message.upTo < slot && !message.beyond.includes(slot));
      }
      default:
        return true;
    }
  }

  private nodeOf(node: string, nodes: readonly number[]): StopNode {
    return this.nodes.at(nodes[voters.indexOf(node)] ?? -1);
  }
}
