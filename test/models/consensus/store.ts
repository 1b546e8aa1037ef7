/** A voter whose store may go back while it is down, and two others that heard how far it was. The safety rule 21. */
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import { StoreNode, Witness } from './store-node.ts';
import type { StoreFrame } from './store-node.ts';

export interface StoreWorld {
  readonly name: string;
  readonly about: string;
  readonly marks: readonly string[];
  /** How often the voter is asked for a promise, and how often it is told of a chosen value. */
  readonly promises: number;
  readonly learns: number;
  readonly restarts: number;
  /** How many of its records may be lost in all, some at each restart. */
  readonly losses: number;
  /** How often one of the others forgets what it heard. */
  readonly forgets: number;
}

export interface StoreState {
  readonly voter: number;
  readonly witnesses: readonly number[];
  readonly sent: Sent;
  readonly rounds: number;
  readonly learned: number;
  readonly restarts: number;
  readonly lost: number;
  readonly forgets: number;
  /** How far the store is as it was written, where something was lost and the voter has been in doubt since. */
  readonly whole: number | null;
  /** Each of the others that has known more than that, ever since the voter restarted. */
  readonly knew: readonly boolean[];
}

const names = ['b', 'c'] as const;

/**
 * Frames are lost, late and doubled at will, and time is left out: a question is due at once, and nobody waits for the rest once a majority
 * has answered. What no living voter heard cannot be missed, so the promise is about what both of the others know.
 */
export class StoreModel implements Model<StoreState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [21];
  readonly marks: readonly string[];
  private voters = new MachineTable<StoreNode, readonly StoreFrame[]>();
  private witnesses = new MachineTable<Witness, readonly StoreFrame[]>();
  private post = new Post<StoreFrame>();

  constructor(private readonly world: StoreWorld) {
    ({ name: this.name, about: this.about, marks: this.marks } = world);
  }

  initial(): StoreState[] {
    this.voters = new MachineTable();
    this.witnesses = new MachineTable();
    this.post = new Post();
    return [
      {
        voter: this.voters.intern(new StoreNode(selfOf('a', 1), 1, [])),
        witnesses: names.map((node) => this.witnesses.intern(new Witness(selfOf(node, 1)))),
        sent: '',
        rounds: 0,
        learned: 0,
        restarts: 0,
        lost: 0,
        forgets: 0,
        whole: null,
        knew: [false, false],
      },
    ];
  }

  *next(state: StoreState): Iterable<Step<StoreState>> {
    const { world } = this;
    const { rounds, learned, restarts, lost, forgets } = state;
    for (const [id, frame] of this.post.framesOf(state.sent)) {
      const label = `hears ${describe(frame)}`;
      if (frame.to === 'a') yield* this.voterActs(state, `#${id}`, label, (node) => node.hear(frame));
      else yield* this.witnessActs(state, frame.to, `#${id}`, label, (witness) => witness.hear(frame));
    }
    yield* this.voterActs(state, 'tick', 'looks at its clock', (node) => node.tick());
    yield* this.witnessActs(state, 'b', 'beat', 'tells what it knows', (witness) => witness.beat());
    if (rounds < world.promises) yield* this.asksForPromise(state);
    if (forgets < world.forgets) for (const name of names) yield this.forgetting(state, name);
    if (learned < world.learns) {
      const chosen = { type: 'chosen', from: learned + 1, values: [null], chosenIndex: learned + 1, floor: 0 } as const;
      const more = { ...state, learned: learned + 1 };
      yield* this.voterActs(more, `chosen ${learned}`, 'is told of a chosen value', (node) => node.hearOfLog(selfOf('b', 1), chosen));
    }
    if (restarts === world.restarts) return;
    const most = Math.min(world.losses - lost, this.voters.at(state.voter).disk.length);
    for (let records = 0; records <= most; records += 1) yield this.restarting(state, records);
  }

  check(state: StoreState): string | null {
    const node = this.voters.at(state.voter);
    if (node.isOver && state.lost === 0) return 'memory: a store that kept everything is given up';
    if (node.self.run === 1 || !node.hasSpoken || !state.knew.every(Boolean)) return null;
    return `promise: a promises on a store that it found at ${node.found}, which both of the others had seen further`;
  }

  /** Whatever happened, the voter can come to be one again, or be given up. */
  goal({ voter }: StoreState): boolean {
    const node = this.voters.at(voter);
    return node.isOver || !node.isInDoubt;
  }

  key({ voter, witnesses, sent, rounds, learned, restarts, lost, forgets, whole, knew }: StoreState): string {
    return `${voter} ${witnesses.join()} ${rounds} ${learned} ${restarts} ${lost} ${forgets} ${whole ?? ''} ${knew.map(Number).join('')} ${sent}`;
  }

  seen(state: StoreState): string[] {
    const node = this.voters.at(state.voter);
    const marks: string[] = [];
    if (node.isOver) marks.push('a store that went back is found out');
    if (node.self.run > 1 && !node.isOver && !node.isInDoubt && state.lost === 0) marks.push('a store that kept everything is trusted');
    if (node.self.run > 1 && node.hasSpoken && state.lost > 0) marks.push('a store that went back unseen is trusted');
    if (node.isInDoubt && node.disk.length > node.found) marks.push('a voter in doubt learns');
    if (state.knew.every(Boolean) && node.starts > 2) marks.push('a store that went back starts twice');
    if (node.self.run > 1 && !node.isInDoubt && state.forgets === 2) marks.push('all have forgotten');
    return marks;
  }

  private *voterActs(
    state: StoreState,
    input: string,
    label: string,
    act: (node: StoreNode) => readonly StoreFrame[],
  ): Iterable<Step<StoreState>> {
    if (this.voters.at(state.voter).isOver) return;
    const { id, output } = this.voters.step(state.voter, input, act);
    const sent = this.sentAfter({ ...state, voter: id }, output);
    if (id !== state.voter || sent !== state.sent) yield { label: `a ${label}`, state: { ...state, voter: id, sent } };
  }

  private *witnessActs(
    state: StoreState,
    name: string,
    input: string,
    label: string,
    act: (witness: Witness) => readonly StoreFrame[],
  ): Iterable<Step<StoreState>> {
    const index = names.findIndex((node) => node === name);
    const before = state.witnesses[index] ?? -1;
    const { id, output } = this.witnesses.step(before, input, act);
    const witnesses = state.witnesses.with(index, id);
    const sent = this.sentAfter({ ...state, witnesses }, output);
    if (id !== before || sent !== state.sent) yield { label: `${name} ${label}`, state: { ...state, witnesses, sent } };
  }

  /** Without those that can do nothing any more, or nothing that a later one would not do. */
  private sentAfter({ sent, voter, witnesses }: StoreState, output: readonly StoreFrame[]): Sent {
    const node = this.voters.at(voter);
    return this.post.keep(this.post.add(sent, output), ({ to, message }) => {
      const index = names.findIndex((name) => name === to);
      const knows = index < 0 ? node.position : this.witnesses.at(witnesses[index] ?? -1).known;
      if (message.type === 'recall') return message.nonce.startsWith(`${node.starts}.`);
      if (message.type === 'recalled') return node.isInDoubt || message.nonce.startsWith(`${node.starts}.`);
      return (message.type === 'storeAt' ? message.position : (message.positions[0] ?? 0)) > knows;
    });
  }

  private *asksForPromise(state: StoreState): Iterable<Step<StoreState>> {
    const rounds = state.rounds + 1;
    const from = selfOf('b', 1);
    const prepare = { type: 'prepare', ballot: { ...from, round: rounds }, chosenIndex: 0 } as const;
    const label = `is asked to promise round ${rounds}`;
    yield* this.voterActs({ ...state, rounds }, `prepare ${rounds}`, label, (node) => node.hearOfLog(from, prepare));
  }

  private forgetting(state: StoreState, name: string): Step<StoreState> {
    const index = names.findIndex((node) => node === name);
    const witness = this.witnesses.intern(new Witness(selfOf(name, 1)));
    return {
      label: `${name} restarts and knows nothing`,
      state: {
        ...state,
        witnesses: state.witnesses.with(index, witness),
        forgets: state.forgets + 1,
        knew: state.knew.with(index, false),
      },
    };
  }

  /** What is lost is lost from the end, its run with it: the next one has the number of a run that was. */
  private restarting(state: StoreState, records: number): Step<StoreState> {
    const { starts, disk, isInDoubt } = this.voters.at(state.voter);
    const node = new StoreNode(selfOf('a', 2), starts + 1, disk.slice(0, disk.length - records));
    const before = isInDoubt ? state.whole : null;
    const whole = records > 0 ? Math.min(node.found, before ?? Infinity) : before;
    return {
      label: records === 0 ? 'a restarts with its memory' : `a restarts, and ${records} of its records are lost`,
      state: {
        ...state,
        voter: this.voters.intern(node),
        restarts: state.restarts + 1,
        lost: state.lost + records,
        whole,
        knew: state.witnesses.map((id) => this.witnesses.at(id).known > (whole ?? node.found)),
      },
    };
  }
}

function selfOf(node: string, run: number): Proposer {
  return { node, incarnation: `${node}#1`, run };
}

function describe({ from, message }: StoreFrame): string {
  switch (message.type) {
    case 'storeAt':
      return `that the store of ${from.node} is at ${message.position}`;
    case 'storesSeen':
      return `from ${from.node} what it saw: ${message.positions.join(', ')}`;
    case 'recall':
      return `the question of start ${message.nonce.split('.')[0] ?? ''}`;
    case 'recalled':
      return `from ${from.node} that it saw ${message.position}, to start ${message.nonce.split('.')[0] ?? ''}`;
  }
}
