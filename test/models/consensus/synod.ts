/** One decree among three acceptors, two of which propose. "Paxos Made Simple" §2; the safety rules 3 and 11. */
import { compareBallots, sameBallot, zeroBallot } from '../../../packages/core/src/paxos/ballot.ts';
import type { Ballot, Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import type { Configuration } from '../../../packages/core/src/paxos/configuration.ts';
import { foldSynodRecords, Synod } from '../../../packages/core/src/paxos/synod.ts';
import type { SynodMessage, SynodRecord, SynodSnapshot } from '../../../packages/core/src/paxos/synod.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';

/** How a node comes back that lost its memory. */
export type Return = 'as a stranger' | 'under its old identity' | 'after reading a majority';

/** Its value is a single character. */
export interface SynodProposer {
  readonly node: string;
  readonly value: string;
}

export interface SynodWorld {
  readonly name: string;
  readonly about: string;
  readonly proposers: readonly SynodProposer[];
  /** The highest round that a proposer begins. */
  readonly roundMax: number;
  readonly restarts: number;
  readonly wipes: number;
  /** Where the voters do not propose they are all alike, and one may stand for whichever loses its memory. */
  readonly wiped?: readonly string[];
  readonly returns?: Return;
  /** Answers to an earlier ballot of their receiver are delivered too, where a wrong machine might count them. */
  readonly staleAnswers?: boolean;
}

interface Frame {
  readonly from: Proposer;
  readonly to: string;
  readonly message: SynodMessage<string>;
}

/** A process and its disk. */
interface SynodNode {
  self: Proposer;
  synod: Synod<string>;
  /** The last record of each kind: all that a fold of the records comes to. */
  disk: SynodRecord<string>[];
  /** What it last asked of the others as a proposer: only answers to that can still be of use. */
  asked: { readonly type: 'synodPrepare' | 'synodAccept'; readonly ballot: Ballot } | null;
}

export interface SynodState {
  readonly nodes: readonly number[];
  readonly sent: Sent;
  /** Every value that anyone ever decided. */
  readonly decisions: string;
  readonly restarts: number;
  readonly wipes: number;
}

const voters = ['a', 'b', 'c'];
const configuration: Configuration = { founding: 'f', id: 1, voters: voters.map((node) => ({ node, incarnation: `${node}#1` })) };
/** Time stands still and no round takes any: whether a proposer waits or tries again is a step like any other. */
const timeless = { roundMs: 0, random: { next: () => 0, below: () => 0 } };

export class SynodModel implements Model<SynodState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [3];
  readonly marks: readonly string[];
  /** Voters, then proposers that are none. */
  private readonly names: readonly string[];
  private nodes = new MachineTable<SynodNode, readonly Frame[]>();
  private post = new Post<Frame>();

  constructor(private readonly world: SynodWorld) {
    this.name = world.name;
    this.about = world.about;
    const { proposers, restarts, wipes } = world;
    this.names = [...new Set([...voters, ...proposers.map(({ node }) => node)])];
    const duel = proposers.length > 1 ? ['a vote is adopted', ...(world.roundMax > 1 ? ['a proposal is refused'] : [])] : [];
    this.marks = ['decided', ...duel, ...(restarts > 0 ? ['a restarted node votes'] : []), ...(wipes > 0 ? ['decided after a wipe'] : [])];
  }

  initial(): SynodState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    const nodes = this.names.map((node) => this.nodes.intern(started({ node, incarnation: `${node}#1`, run: 1 })));
    let state: SynodState = { nodes, sent: '', decisions: '', restarts: this.world.restarts, wipes: this.world.wipes };
    // Whoever has no vote loses nothing by asking early: its frames may come as late as they like.
    for (const proposer of this.world.proposers) {
      if (!voters.includes(proposer.node)) for (const step of this.propose(state, proposer)) state = step.state;
    }
    return [state];
  }

  *next(state: SynodState): Iterable<Step<SynodState>> {
    yield* this.deliveries(state);
    for (const { node, value } of this.world.proposers) {
      yield* this.propose(state, { node, value });
      yield* this.act(state, node, 'tries a higher ballot', ({ synod }) => {
        return synod.snapshot().round < this.world.roundMax ? synod.step({ type: 'tick', nowMs: 0 }) : null;
      });
    }
    if (state.restarts > 0) {
      for (const { label, state: after } of this.at(voters, state, 'restarts with its memory', restart)) {
        yield { label, state: { ...after, restarts: state.restarts - 1 } };
      }
    }
    if (state.wipes > 0) {
      for (const { label, state: after } of this.wipe(state)) yield { label, state: { ...after, wipes: state.wipes - 1 } };
    }
  }

  check({ decisions }: SynodState): string | null {
    if (decisions.length > 1) return `agreement: both ${[...decisions].join(' and ')} are decided`;
    const isProposed = decisions === '' || this.world.proposers.some(({ value }) => value === decisions);
    return isProposed ? null : `validity: ${decisions} is decided, which nobody proposed`;
  }

  key({ nodes, sent, decisions, restarts, wipes }: SynodState): string {
    return `${nodes.join()} ${decisions}${restarts}${wipes} ${sent}`;
  }

  seen({ sent, decisions, wipes }: SynodState): string[] {
    const marks: string[] = [];
    if (decisions !== '') marks.push('decided', ...(wipes < this.world.wipes ? ['decided after a wipe'] : []));
    for (const [, { message, from }] of this.post.framesOf(sent)) {
      if (message.type === 'synodReject') marks.push('a proposal is refused');
      if (message.type === 'synodAccepted' && from.run > 1) marks.push('a restarted node votes');
      if (message.type === 'synodAccept' && this.ownValue(message.ballot) !== message.value) marks.push('a vote is adopted');
    }
    return marks;
  }

  private ownValue({ node }: Ballot): string | undefined {
    return this.world.proposers.find((proposer) => proposer.node === node)?.value;
  }

  private *deliveries(state: SynodState): Iterable<Step<SynodState>> {
    for (const [id, { from, to, message }] of this.post.framesOf(state.sent)) {
      const act = ({ synod }: SynodNode): ReturnType<Synod<string>['step']> => synod.step({ type: 'message', from, message, nowMs: 0 });
      yield* this.act(state, to, () => `hears ${describe(message)} from ${nameOf(from)}`, act, `#${id}`);
    }
  }

  private propose(state: SynodState, { node, value }: SynodProposer): Iterable<Step<SynodState>> {
    return this.act(state, node, `proposes ${value}`, ({ synod }) => {
      return synod.snapshot().round < this.world.roundMax ? synod.step({ type: 'propose', value, nowMs: 0 }) : null;
    });
  }

  /** Nothing is yielded for a step that changes nothing. */
  private *act(
    state: SynodState,
    node: string,
    label: string | (() => string),
    act: (node: SynodNode) => ReturnType<Synod<string>['step']> | null,
    input = String(label),
  ): Iterable<Step<SynodState>> {
    const index = this.names.indexOf(node);
    const before = state.nodes[index] ?? -1;
    const { id, output } = this.nodes.step(before, input, (machine) => {
      const out = act(machine);
      if (!out) return [];
      keep(machine, out.persist);
      for (const { message } of out.send) if (message.type === 'synodPrepare' || message.type === 'synodAccept') machine.asked = message;
      return out.send.flatMap(({ to, message }) =>
        (to.type === 'node' ? [to.node] : voters)
          .filter((receiver) => receiver !== node)
          .map((receiver) => ({ from: machine.self, to: receiver, message })),
      );
    });
    const told = output.map(({ message }) => (message.type === 'synodDecided' ? message.value : '')).concat(state.decisions);
    const decisions = [...new Set(told.join(''))].sort().join('');
    const nodes = id === before ? state.nodes : state.nodes.with(index, id);
    const all = this.post.add(state.sent, output);
    const sent = id === before && all === state.sent ? all : this.post.keep(all, (frame) => !this.isSpent(frame, nodes));
    if (id === before && sent === state.sent && decisions === state.decisions) return;
    const who = nameOf(this.nodes.at(before).self);
    const doing = (): string => `${who} ${typeof label === 'string' ? label : label()}`;
    yield { state: { ...state, nodes, sent, decisions }, get label() { return doing(); } }; // prettier-ignore
  }

  /**
   * Frames that can do nothing any more are forgotten. Decisions told are of that kind: who learns one merely falls silent, which it
   * may do anyway. So are answers to what their receiver asks no longer, and requests whose answer nobody waits for and that would
   * only raise a promise: whatever follows with the promise raised can follow without.
   */
  private isSpent({ from, to, message }: Frame, nodes: readonly number[]): boolean {
    const { self, synod, asked } = this.nodeOf(to, nodes);
    if (message.type === 'synodDecided' || message.type === 'synodAsk' || synod.decided) return true;
    if (message.type === 'synodPrepare' || message.type === 'synodAccept') {
      const asker = this.nodeOf(from.node, nodes);
      const isAsked = asker.asked?.type === message.type && sameBallot(asker.asked.ballot, message.ballot) && !asker.synod.decided;
      if (self.incarnation !== `${to}#1` || !voters.includes(to)) return true;
      return !isAsked && (message.type === 'synodPrepare' || compareBallots(synod.snapshot().promised, message.ballot) >= 0);
    }
    if (!asked) return true;
    if (!this.world.staleAnswers && !sameBallot(asked.ballot, message.ballot)) return true;
    // A refusal in the last round of this world has the effect of silence.
    if (message.type === 'synodReject') return message.ballot.round >= this.world.roundMax;
    return message.type === 'synodPromise' && asked.type !== 'synodPrepare';
  }

  private nodeOf(node: string, nodes: readonly number[]): SynodNode {
    return this.nodes.at(nodes[this.names.indexOf(node)] ?? -1);
  }

  private *at(nodes: readonly string[], state: SynodState, label: string, act: (node: SynodNode) => void): Iterable<Step<SynodState>> {
    for (const node of nodes) {
      yield* this.act(state, node, label, (machine) => {
        act(machine);
        return null;
      });
    }
  }

  private wipe(state: SynodState): Iterable<Step<SynodState>> {
    const { wiped = voters } = this.world;
    switch (this.world.returns ?? 'as a stranger') {
      case 'as a stranger':
        return this.at(wiped, state, 'loses its memory and comes back under a new incarnation', (machine) => {
          const { node } = machine.self;
          Object.assign(machine, started({ node, incarnation: `${node}#2`, run: 1 }));
        });
      case 'under its old identity':
        return this.at(wiped, state, 'loses its memory and comes back under its old identity', (machine) => {
          Object.assign(machine, started({ ...machine.self, run: machine.self.run + 1 }));
        });
      case 'after reading a majority':
        return this.rejoin(state);
    }
  }

  /** The two others are a majority of three; what both say is the best that such a recovery could ever read. */
  private *rejoin(state: SynodState): Iterable<Step<SynodState>> {
    for (const node of this.world.wiped ?? voters) {
      const index = voters.indexOf(node);
      const read = state.nodes
        .slice(0, voters.length)
        .filter((_, other) => other !== index)
        .map((id) => this.nodes.at(id).synod.snapshot());
      const records = highestOf(read);
      const label = 'loses its memory, reads a majority, adopts the highest and comes back under its old identity';
      const input = `rejoin ${JSON.stringify(records)}`;
      const rejoined = (machine: SynodNode): null => {
        Object.assign(machine, started({ ...machine.self, run: machine.self.run + 1 }, records));
        return null;
      };
      yield* this.act(state, node, label, rejoined, input);
    }
  }
}

function started(self: Proposer, disk: SynodRecord<string>[] = []): SynodNode {
  const memory = disk.length > 0 ? foldSynodRecords(disk) : undefined;
  return { self, synod: new Synod<string>({ self, configuration, ...timeless }, memory), disk, asked: null };
}

function restart(machine: SynodNode): void {
  Object.assign(machine, started({ ...machine.self, run: machine.self.run + 1 }, machine.disk));
}

/** A step's records are durable before its frames leave, so a crash between the two is a crash after it with the frames lost. */
function keep(machine: SynodNode, records: readonly SynodRecord<string>[]): void {
  const all = [...machine.disk, ...records];
  machine.disk = (['promised', 'voted'] as const).flatMap((type) => all.filter((record) => record.type === type).slice(-1));
}

function highestOf(read: readonly SynodSnapshot<string>[]): SynodRecord<string>[] {
  const promised = read.map((memory) => memory.promised).sort(compareBallots).at(-1) ?? zeroBallot; // prettier-ignore
  const votes = read.flatMap(({ vote }) => vote ?? []).sort((one, other) => compareBallots(one.ballot, other.ballot));
  const voted = votes.slice(-1).map(({ ballot, value }) => ({ type: 'voted', slot: 1, ballot, value: { value } }) as const);
  return sameBallot(promised, zeroBallot) ? voted : [{ type: 'promised', ballot: promised }, ...voted];
}

function nameOf({ node, incarnation, run }: Proposer): string {
  const life = incarnation.endsWith('#1') ? '' : ` (${incarnation})`;
  return run === 1 ? `${node}${life}` : `${node}${life} in run ${run}`;
}

function describe(message: SynodMessage<string>): string {
  switch (message.type) {
    case 'synodPrepare':
      return `prepare ${ballotName(message.ballot)}`;
    case 'synodPromise':
      return `a promise of ${ballotName(message.ballot)}${message.vote ? ` with its vote for ${message.vote.value}` : ''}`;
    case 'synodAccept':
      return `accept ${ballotName(message.ballot)} ${message.value}`;
    case 'synodAccepted':
      return `that ${ballotName(message.ballot)} is accepted`;
    case 'synodReject':
      return `a refusal of ${ballotName(message.ballot)}`;
    case 'synodDecided':
      return `that ${message.value} is decided`;
    default:
      return message.type;
  }
}

function ballotName({ round, node, run }: Ballot): string {
  return `${round}${node}${run > 1 ? `/${run}` : ''}`;
}
