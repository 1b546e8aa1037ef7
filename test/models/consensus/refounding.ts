/** Survivors of a group that lost its majority give up their seats, and found it anew with those who came back. The safety rule 15. */
import { isVoter, majorityOf } from '../../../packages/core/src/paxos/configuration.ts';
import type { Configuration, Seat } from '../../../packages/core/src/paxos/configuration.ts';
import type { FoundingRecord } from '../../../packages/core/src/paxos/founding-message.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import type { FoundingFrame } from './founding-node.ts';
import { earlierLife, RefoundingNode } from './refounding-node.ts';
import type { RefoundingActed, RefoundingRules } from './refounding-node.ts';

export interface RefoundingWorld extends Omit<RefoundingRules, 'everybodyWatches'> {
  readonly name: string;
  readonly about: string;
  readonly outsiders: readonly string[];
  /** The configurations of the founding that was before, by seats such as `a1`: each world begins with the first, or with the first few. */
  readonly configurations: readonly (readonly string[])[];
  readonly wipes: number;
  /** Of those that lose their memory, so many leave a process behind that says nothing and may vote yet. */
  readonly zombies: number;
  /** A name comes back under a new incarnation no more often than this. */
  readonly incarnationsMax: number;
  /** Answers to founders may come late; else they come at once or never. */
  readonly lateAnswers: boolean;
  /** Whoever gave its incarnation up may be woken up in it. */
  readonly unsealed?: boolean;
  readonly namesJudge?: boolean;
  readonly marks: readonly string[];
}

export interface RefoundingState {
  /** How many of the configurations were chosen. */
  readonly chosen: number;
  readonly nodes: readonly number[];
  readonly sent: Sent;
  readonly wipes: number;
  /** Incarnations that may vote though their names live on in others. */
  readonly zombies: readonly string[];
  /** A founding was completed after the first one. */
  readonly isRefounded: boolean;
  readonly broken: string | null;
}

const founding = 'first';

/** Swaps that nobody has to be told of are steps of learning; who lives answers at once or never, and what stays in the post comes at any time. */
export class RefoundingModel implements Model<RefoundingState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [15];
  readonly marks: readonly string[];
  private nodes = new MachineTable<RefoundingNode, RefoundingActed>();
  private post = new Post<FoundingFrame>();
  /** What some step did that no state tells of. */
  private readonly shown = new Set<string>();
  private readonly everybody: readonly string[];
  private readonly records: readonly FoundingRecord[];
  private retained: readonly RefoundingNode[] | undefined;

  constructor(private readonly world: RefoundingWorld) {
    ({ name: this.name, about: this.about, marks: this.marks } = world);
    this.everybody = [...world.names, ...world.outsiders];
    this.records = world.configurations.map((seats, index) => ({
      configuration: { founding, id: index + 1, voters: seats.map(seatOf) },
      tokenSecond: 0,
      maxSessionTtlMs: earlierLife.longestTtlMs,
      firstFounding: false,
    }));
  }

  initial(): RefoundingState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    return this.records.map((_, index) => this.beginningWith(index + 1));
  }

  *next(state: RefoundingState): Iterable<Step<RefoundingState>> {
    if (state.isRefounded) return yield* this.afterwards(state);
    for (const [id, frame] of this.post.framesOf(state.sent)) {
      const { from, to, message } = frame;
      yield* this.act(state, to, `#${id}`, `hears ${message.type} from ${from.incarnation}`, (node) => node.hear(frame));
    }
    for (const name of this.everybody) {
      const node = this.nodeOf(name, state.nodes);
      yield* this.ask(state, name, node);
      yield* this.watch(state, name, node);
      if (node.question && (this.world.lateAnswers || node.recognises))
        yield* this.act(state, name, 'late', 'asks with a new nonce', (machine) => machine.askAnew());
      if (state.wipes > 0 && node.life < this.world.incarnationsMax) yield* this.wipe(state, name, node);
    }
  }

  check(state: RefoundingState): string | null {
    if (state.broken !== null) return state.broken;
    for (const name of this.everybody) {
      const { inherits, accepted, incarnation } = this.nodeOf(name, state.nodes);
      if (!inherits || !accepted) continue;
      const isAbove = accepted.tokenSecond > inherits.tokenSecond && accepted.maxSessionTtlMs >= inherits.longestTtlMs;
      if (accepted.firstFounding || accepted.replaces === undefined || !isAbove)
        return `rule 15: ${incarnation} accepted a record that forgets what it inherits`;
    }
    if (!state.isRefounded) return null;
    const able = this.records
      .slice(0, state.chosen)
      .find(({ configuration }) => this.hasMajority(configuration, (seat) => this.mayVote(state, seat)));
    return able ? `two foundings decide at once: a majority of ${textOf(able.configuration)} may vote beside a new one` : null;
  }

  key({ chosen, nodes, sent, wipes, zombies, isRefounded, broken }: RefoundingState): string {
    return `${chosen} ${nodes.join()} ${wipes} ${zombies.join()} ${isRefounded} ${broken ?? ''} ${sent}`;
  }

  /** A majority can decide: of the last configuration, once it learns of its seats, or of a founding that came after it. */
  goal({ chosen, nodes, isRefounded }: RefoundingState): boolean {
    const present = this.records[chosen - 1]?.configuration;
    const isUseful = ({ node, incarnation }: Seat): boolean => {
      const machine = this.nodeOf(node, nodes);
      return machine.incarnation === incarnation && (machine.isStandby || machine.seated?.configuration.founding === founding);
    };
    return isRefounded || (present !== undefined && this.hasMajority(present, isUseful));
  }

  atEdge({ nodes }: RefoundingState): boolean {
    return nodes.some((id) => this.nodes.at(id).life > this.world.incarnationsMax);
  }

  seen(state: RefoundingState): string[] {
    const marks = [...this.shown];
    if (state.isRefounded) marks.push('founded anew');
    if (state.isRefounded && this.livesBeside(state)) marks.push('founded anew beside an outsider that votes in the last life');
    return marks;
  }

  private livesBeside({ chosen, nodes }: RefoundingState): boolean {
    const seats = this.records[chosen - 1]?.configuration.voters ?? [];
    return seats.some(
      ({ node, incarnation }) => this.world.outsiders.includes(node) && this.nodeOf(node, nodes).incarnation === incarnation,
    );
  }

  /** All who live know of the first configuration in which they have a seat; they learn of the later ones by and by. */
  private beginningWith(chosen: number): RefoundingState {
    const machines = this.everybody.map((name) => this.machineOf(name, chosen));
    return {
      chosen,
      nodes: machines.map((machine) => this.nodes.intern(machine)),
      sent: '',
      wipes: this.world.wipes,
      zombies: [],
      isRefounded: false,
      broken: null,
    };
  }

  /** A topic keeps what lives before those that have the seats said to the questions of long ago. */
  private livesBefore(): readonly RefoundingNode[] {
    this.retained ??= this.everybody.map((name) => new RefoundingNode(name, this.world, -1));
    return this.retained;
  }

  private machineOf(name: string, chosen: number): RefoundingNode {
    const present = this.records[chosen - 1]?.configuration.voters.find(({ node }) => node === name);
    const incarnation = present?.incarnation ?? `${name}1`;
    const [first] = this.records;
    const rules = this.world.namesJudge === true && first ? { ...this.world, everybodyWatches: first.configuration } : this.world;
    const machine = new RefoundingNode(name, rules);
    while (machine.incarnation !== incarnation) machine.wipe();
    const isFounder = first && isVoter(first.configuration, { node: name, incarnation });
    if (isFounder) machine.beginFounded(first);
    else machine.start();
    return machine;
  }

  private *ask(state: RefoundingState, asker: string, { question, incarnation }: RefoundingNode): Iterable<Step<RefoundingState>> {
    if (!question || question.message.type !== 'hello') return;
    const { nonce } = question.message;
    for (const name of this.world.names) {
      if (name === asker) continue;
      const other = this.nodeOf(name, state.nodes);
      const { self } = other;
      if (this.world.lateAnswers) {
        const frame: FoundingFrame = { from: self, to: asker, message: other.answer(nonce) };
        const sent = this.post.add(state.sent, [frame]);
        if (sent !== state.sent && !this.isSpent(frame, state.nodes))
          yield { label: `${self.incarnation} answers ${incarnation}`, state: { ...state, sent } };
      } else {
        const input = `answer ${state.nodes[this.everybody.indexOf(name)] ?? ''}`;
        const hear = (node: RefoundingNode): RefoundingActed => node.hear({ from: self, to: asker, message: other.answer(nonce) });
        yield* this.act(state, asker, input, `is answered by ${self.incarnation}`, hear);
      }
    }
  }

  /** Questions of survivors, their verdicts, and what they learn of their seats. */
  private *watch(state: RefoundingState, name: string, node: RefoundingNode): Iterable<Step<RefoundingState>> {
    for (const answering of subsetsOf(node.inquiry)) {
      const others = answering.map((asked) => this.nodeOf(asked, state.nodes));
      const input = `round ${answering.map((asked) => state.nodes[this.everybody.indexOf(asked)]).join()}`;
      const label = `asks who has a seat; ${others.map(({ incarnation }) => incarnation).join(' and ') || 'nobody'} answers`;
      yield* this.act(state, name, input, label, (machine) => machine.judge([...others, ...this.livesBefore()]));
    }
    yield* this.learn(state, name, node);
  }

  private *learn(state: RefoundingState, name: string, node: RefoundingNode): Iterable<Step<RefoundingState>> {
    const last = node.seated?.configuration.founding ?? founding;
    const record = last === founding ? this.records.slice(0, state.chosen).find((one) => this.isNewsTo(one, node)) : undefined;
    if (record) yield* this.act(state, name, `learn ${record.configuration.id}`, `learns of ${textOf(record.configuration)}`, (machine) => machine.learn(record)); // prettier-ignore
  }

  private isNewsTo({ configuration }: FoundingRecord, { seated, isStandby, self }: RefoundingNode): boolean {
    if (!isVoter(configuration, self)) return false;
    return seated ? configuration.id > seated.configuration.id : isStandby;
  }

  private *wipe(before: RefoundingState, name: string, { incarnation }: RefoundingNode): Iterable<Step<RefoundingState>> {
    const state = { ...before, wipes: before.wipes - 1 };
    yield* this.act(state, name, 'wipe', 'loses its memory', (machine) => machine.wipe());
    if (state.zombies.length >= this.world.zombies) return;
    const zombies = [...state.zombies, incarnation];
    yield* this.act({ ...state, zombies }, name, 'wipe', 'is started again while its last process sleeps', (machine) => machine.wipe());
  }

  private *act(
    state: RefoundingState,
    name: string,
    input: string,
    label: string,
    act: (node: RefoundingNode) => RefoundingActed,
  ): Iterable<Step<RefoundingState>> {
    const index = this.everybody.indexOf(name);
    const before = state.nodes[index] ?? -1;
    const machine = this.nodes.at(before);
    if (machine.life > this.world.incarnationsMax) return;
    const { id, output } = this.nodes.step(before, input, act);
    const nodes = id === before ? state.nodes : state.nodes.with(index, id);
    if (output.mark !== undefined) this.shown.add(output.mark);
    const current = output.isNewNonce ? this.post.keep(state.sent, (frame) => !isAnswerTo(name, frame)) : state.sent;
    const all = this.post.add(current, output.frames);
    const sent = id === before && all === state.sent ? all : this.post.keep(all, (frame) => !this.isSpent(frame, nodes));
    if (id === before && sent === state.sent) return;
    const { founded } = this.nodes.at(id);
    const isRefounded = state.isRefounded || (founded !== null && founded !== founding);
    const { gaveUp } = output;
    const broken = gaveUp ? this.unlawful(state, gaveUp) : null;
    const zombies = gaveUp && this.world.unsealed === true ? [...state.zombies, gaveUp.seat.incarnation] : state.zombies;
    if (gaveUp) this.shown.add('a seat is given up by a verdict');
    const because = gaveUp ? ' and gives up its seat' : '';
    yield { label: `${machine.incarnation} ${label}${because}`, state: { ...state, nodes, sent, zombies, isRefounded, broken } };
  }

  /** What follows is a life like the first; what is left of that one may still learn of its seats. */
  private *afterwards(state: RefoundingState): Iterable<Step<RefoundingState>> {
    for (const name of this.everybody) yield* this.learn(state, name, this.nodeOf(name, state.nodes));
  }

  /** Why this seat should not have been given up. */
  private unlawful(state: RefoundingState, { seat, configuration }: NonNullable<RefoundingActed['gaveUp']>): string | null {
    if (!configuration) return `rule 15: ${seat.incarnation} gave up its incarnation without a seat`;
    const lives = (other: Seat): boolean => this.nodeOf(other.node, state.nodes).incarnation === other.incarnation;
    if (!this.hasMajority(configuration, lives)) return null;
    return `rule 15: ${seat.incarnation} gave up its seat though a majority of ${textOf(configuration)} lives`;
  }

  private hasMajority(configuration: Configuration, counts: (seat: Seat) => boolean): boolean {
    return configuration.voters.filter(counts).length >= majorityOf(configuration);
  }

  private mayVote({ nodes, zombies }: RefoundingState, seat: Seat): boolean {
    const machine = this.nodeOf(seat.node, nodes);
    return (
      zombies.includes(seat.incarnation) ||
      (machine.incarnation === seat.incarnation && machine.seated?.configuration.founding === founding)
    );
  }

  /** Frames that can do nothing any more. */
  private isSpent({ from, to, message }: FoundingFrame, nodes: readonly number[]): boolean {
    const receiver = this.nodeOf(to, nodes);
    if (message.type === 'greeting') {
      return !message.nonce.startsWith(`${receiver.incarnation}.`) || receiver.founded !== null || receiver.seated !== null;
    }
    if (receiver.seated !== null && receiver.founded === founding) return true;
    const own = receiver.accepted?.configuration.founding;
    if (message.type === 'found')
      return (
        receiver.founded !== null || !message.record.configuration.voters.some(({ incarnation }) => incarnation === receiver.incarnation)
      );
    if (message.type === 'hello') return true;
    if (receiver.founded !== null) {
      const sender = this.nodeOf(from.node, nodes);
      return message.type === 'foundingConfirmed' || sender.founded !== null || sender.incarnation !== from.incarnation;
    }
    return own !== undefined && own !== message.founding;
  }

  private nodeOf(name: string, nodes: readonly number[]): RefoundingNode {
    return this.nodes.at(nodes[this.everybody.indexOf(name)] ?? -1);
  }
}

function isAnswerTo(name: string, { to, message }: FoundingFrame): boolean {
  return to === name && message.type === 'greeting';
}

function subsetsOf(names: readonly string[]): readonly (readonly string[])[] {
  return names.reduce<readonly (readonly string[])[]>((subsets, name) => [...subsets, ...subsets.map((subset) => [...subset, name])], [[]]);
}

/** `a1` is the first life of the name `a`. */
function seatOf(incarnation: string): Seat {
  return { node: incarnation.slice(0, 1), incarnation };
}

function textOf({ voters }: Configuration): string {
  return voters.map(({ incarnation }) => incarnation).join();
}
