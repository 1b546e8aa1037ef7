/** Voters found a group while one loses its memory. The safety rules 11 and 12. */
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import { FoundingNode } from './founding-node.ts';
import type { FoundingActed, FoundingFrame } from './founding-node.ts';

export interface FoundingWorld {
  readonly name: string;
  readonly about: string;
  readonly voters: readonly string[];
  /** True if answers may come late, after their sender changed its mind; false if an answer comes at once or never. */
  readonly lateAnswers: boolean;
  readonly wipes: number;
  /** Names that may lose their memory. Those that do not propose are all alike. */
  readonly wiped: readonly string[];
  /** A name comes back under a new incarnation no more often than this. */
  readonly incarnationsMax: number;
  readonly marks: readonly string[];
}

export interface FoundingState {
  readonly nodes: readonly number[];
  readonly sent: Sent;
  readonly wipes: number;
  /** "founding node" for every name that ever knew a founding to be complete, sorted. */
  readonly known: readonly string[];
}

export class FoundingModel implements Model<FoundingState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [11];
  readonly marks: readonly string[];
  private nodes = new MachineTable<FoundingNode, FoundingActed>();
  private post = new Post<FoundingFrame>();

  constructor(private readonly world: FoundingWorld) {
    ({ name: this.name, about: this.about, marks: this.marks } = world);
  }

  initial(): FoundingState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    const { voters, wipes } = this.world;
    const machines = voters.map((name) => new FoundingNode(name, voters));
    for (const machine of machines) machine.start();
    return [{ nodes: machines.map((machine) => this.nodes.intern(machine)), sent: '', wipes, known: [] }];
  }

  *next(state: FoundingState): Iterable<Step<FoundingState>> {
    for (const [id, frame] of this.post.framesOf(state.sent)) {
      const { from, to, message } = frame;
      const standing = message.type === 'greeting' ? ` (${message.standing})` : '';
      yield* this.act(state, to, `#${id}`, `hears ${message.type}${standing} from ${from.incarnation}`, (node) => node.hear(frame));
    }
    const { voters } = this.world;
    for (const asker of voters) {
      for (const name of voters) if (name !== asker) yield* this.ask(state, asker, name);
    }
    for (const name of voters) {
      // Where no answer is late a new nonce changes nothing, but that a group not heard of any more is taken for gone.
      const { recognises, life } = this.nodeOf(name, state.nodes);
      if (this.world.lateAnswers || recognises) yield* this.act(state, name, 'late', 'asks with a new nonce', (node) => node.askAnew());
      if (state.wipes === 0 || !this.world.wiped.includes(name) || life >= this.world.incarnationsMax) continue;
      yield* this.act({ ...state, wipes: state.wipes - 1 }, name, 'wipe', 'loses its memory', (node) => node.wipe());
    }
  }

  check({ known, nodes }: FoundingState): string | null {
    const twice = nodes.map((id) => this.nodes.at(id)).find(({ accepted }) => accepted.size > 1);
    if (twice) return `rule 11: ${twice.incarnation} accepted ${[...twice.accepted].join(' and ')}`;
    const foundings = known.map((entry) => entry.split(' ')[0] ?? '');
    const majorities = [...new Set(foundings.filter((founding, index) => foundings.indexOf(founding) !== index))];
    return majorities.length > 1 ? `agreement: a majority voted in each of ${majorities.join(' and ')}` : null;
  }

  key({ nodes, sent, wipes, known }: FoundingState): string {
    return `${nodes.join()} ${wipes} ${known.join()} ${sent}`;
  }

  /**
   * A majority of the names, as they live now, know that the same founding is complete: they can vote. Where a founding was complete
   * and lost its majority afterwards, nothing is to be reached: whoever knows of it binds the rest until an operator decides.
   */
  goal({ nodes }: FoundingState): boolean {
    const machines = nodes.map((id) => this.nodes.at(id));
    const foundings = machines.flatMap(({ founded }) => founded ?? []);
    return foundings.some((founding, index) => {
      const living = machines.filter((node) => node.isListedIn(founding)).length;
      return foundings.indexOf(founding) !== index || living * 2 <= machines.length;
    });
  }

  atEdge({ nodes }: FoundingState): boolean {
    return nodes.some((id) => this.nodes.at(id).life > this.world.incarnationsMax);
  }

  seen(state: FoundingState): string[] {
    const marks = state.nodes.flatMap((id) => [...this.nodes.at(id).marks]);
    if (this.goal(state)) marks.push(state.wipes < this.world.wipes ? 'founded after a wipe' : 'founded');
    return marks;
  }

  /** A question is asked again and again while its nonce lives, so it may come at any time. */
  private *ask(state: FoundingState, asker: string, name: string): Iterable<Step<FoundingState>> {
    const { question, incarnation } = this.nodeOf(asker, state.nodes);
    if (!question) return;
    for (const answered of this.act(state, name, `asked by ${incarnation}`, `answers ${incarnation}`, (node) => node.hear(question))) {
      if (this.world.lateAnswers) yield answered;
      else yield* this.hearAtOnce(answered, asker);
    }
  }

  private *hearAtOnce({ label, state }: Step<FoundingState>, asker: string): Iterable<Step<FoundingState>> {
    const isAnswer = ({ to, message }: FoundingFrame): boolean => to === asker && message.type === 'greeting';
    const sent = this.post.keep(state.sent, (frame) => !isAnswer(frame));
    for (const [id, frame] of this.post.framesOf(state.sent)) {
      if (!isAnswer(frame)) continue;
      for (const heard of this.act({ ...state, sent }, asker, `#${id}`, 'hears it', (node) => node.hear(frame))) {
        yield { label: `${label}, which hears it`, state: heard.state };
      }
    }
  }

  private *act(
    state: FoundingState,
    name: string,
    input: string,
    label: string,
    act: (node: FoundingNode) => FoundingActed,
  ): Iterable<Step<FoundingState>> {
    const index = this.world.voters.indexOf(name);
    const before = state.nodes[index] ?? -1;
    const machine = this.nodes.at(before);
    if (machine.life > this.world.incarnationsMax) return;
    const { id, output } = this.nodes.step(before, input, act);
    const nodes = id === before ? state.nodes : state.nodes.with(index, id);
    const current = output.isNewNonce
      ? this.post.keep(state.sent, ({ to, message }) => to !== name || message.type !== 'greeting')
      : state.sent;
    const all = this.post.add(current, output.frames);
    const sent = id === before && all === state.sent ? all : this.post.keep(all, (frame) => !this.isSpent(frame, nodes));
    const { founded } = this.nodes.at(id);
    const known = founded === null ? state.known : [...new Set([...state.known, `${founded} ${name}`])].sort();
    if (id === before && sent === state.sent && known.length === state.known.length) return;
    yield { label: `${machine.incarnation} ${label}${output.gaveUp ? ' and gives up its incarnation' : ''}`, state: { ...state, nodes, sent, known } }; // prettier-ignore
  }

  /** Frames that can do nothing any more: of lives that ask no longer, and of foundings that their receiver can no longer be part of. */
  private isSpent({ from, to, message }: FoundingFrame, nodes: readonly number[]): boolean {
    const receiver = this.nodeOf(to, nodes);
    const sender = this.nodeOf(from.node, nodes);
    switch (message.type) {
      case 'greeting':
        if (!message.nonce.startsWith(`${receiver.incarnation}.`) || receiver.founded !== null) return true;
        // While it has accepted nothing, only the proposer needs to know who is there; others, whether there is a group.
        return to !== this.world.voters[0] && !receiver.hasAccepted && message.standing !== 'founded';
      case 'found':
        return receiver.founded !== null || !receiver.mayJoin(message.record);
      case 'foundingAccepted':
        return receiver.founded !== null ? sender.founded !== null || sender.incarnation !== from.incarnation : !receiver.mayComplete(message.founding); // prettier-ignore
      case 'foundingConfirmed':
        return receiver.founded !== null || !receiver.mayComplete(message.founding);
      default:
        return true;
    }
  }

  private nodeOf(name: string, nodes: readonly number[]): FoundingNode {
    return this.nodes.at(nodes[this.world.voters.indexOf(name)] ?? -1);
  }
}
