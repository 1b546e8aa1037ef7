/** The leader lease on clocks that run at different rates: never do two leaders hold it. The safety rules 7 and 8. */
import { compareBallots, sameBallot } from '../../../packages/core/src/paxos/ballot.ts';
import type { Ballot } from '../../../packages/core/src/paxos/ballot.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { Post } from '../checker/post.ts';
import type { Sent } from '../checker/post.ts';
import { hearAt, LeaseNode, periodMs, standOrBeat, voters } from './lease-node.ts';
import type { LeaseFrame, Moment } from './lease-node.ts';
import { lifeName } from './log-node.ts';
import { ballotName } from './log-story.ts';

export interface LeaseWorld {
  readonly name: string;
  readonly about: string;
  /** How many periods of true time the world lasts. */
  readonly periods: number;
  /** Any one of these restarts once. */
  readonly restarted: readonly string[];
  /** Any one of these is suspended once, for as long as it may be: its monotonic clock stands still, and the calendar clock does not. */
  readonly suspended: readonly string[];
  /** Pairs of rates: of the first leader's clock, and of the others'. */
  readonly rates: readonly (readonly [number, number])[];
}

export interface LeaseState {
  readonly nodes: readonly number[];
  readonly sent: Sent;
  readonly period: number;
  readonly restarts: number;
  /** The machine that was suspended, and for how long so far. */
  readonly sleep: { readonly node: string; readonly ms: number; readonly isOver: boolean } | null;
}

export class LeaseModel implements Model<LeaseState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [7, 8];
  readonly marks: readonly string[];
  private nodes = new MachineTable<LeaseNode, readonly LeaseFrame[]>();
  private post = new Post<LeaseFrame>();

  constructor(private readonly world: LeaseWorld) {
    ({ name: this.name, about: this.about } = world);
    const always = [
      'the first leader holds the lease',
      'the second leader holds the lease',
      'a leader falls silent',
      'a bound voter refuses',
    ];
    this.marks = [
      ...always,
      ...(world.restarted.length > 0 ? ['a restarted voter refuses'] : []),
      ...(world.suspended.includes('a') ? ['a leader that slept sees its lease over by the calendar clock alone'] : []),
    ];
  }

  /** The first leader has the promise of one other voter already, and its first heartbeat is on its way. */
  initial(): LeaseState[] {
    this.nodes = new MachineTable();
    this.post = new Post();
    return this.world.rates.map(([first, others]) => {
      const [a, b, c] = voters.map((node) => new LeaseNode({ node, incarnation: `${node}#1`, run: 1 }, node === 'a' ? first : others));
      if (!a || !b || !c) throw new Error('There are three voters.');
      const [prepare] = standOrBeat(a, beginning).filter(({ to }) => to === 'c');
      const [promise] = prepare ? hearAt(c, prepare, beginning) : [];
      const sent = this.post.add('', promise ? hearAt(a, promise, beginning) : []);
      return {
        nodes: [a, b, c].map((node) => this.nodes.intern(node)),
        sent,
        period: 0,
        restarts: this.world.restarted.length > 0 ? 1 : 0,
        sleep: null,
      };
    });
  }

  *next(state: LeaseState): Iterable<Step<LeaseState>> {
    const { period, restarts, sleep } = state;
    for (const [id, frame] of this.post.framesOf(state.sent)) {
      const label = (): string => `hears ${describe(frame)}`;
      yield* this.act(state, frame.to, `#${id}`, label, (node, now) => hearAt(node, frame, now));
    }
    for (const node of ['a', 'b']) yield* this.act(state, node, 'tick', () => 'looks at its clock', standOrBeat);
    if (restarts > 0) {
      for (const node of this.world.restarted) {
        const label = (): string => 'restarts with its memory';
        yield* this.act({ ...state, restarts: restarts - 1 }, node, 'restart', label, (machine, now) => machine.restart(now));
      }
    }
    if (sleep === null) {
      for (const node of this.world.suspended)
        yield { label: `${node} is suspended`, state: { ...state, sleep: { node, ms: 0, isOver: false } } };
    } else if (!sleep.isOver && sleep.ms > 0) {
      yield { label: `${sleep.node} wakes up`, state: { ...state, sleep: { ...sleep, isOver: true } } };
    }
    if (period < this.world.periods) yield { label: `${periodMs} ms pass`, state: { ...state, period: period + 1, sleep: longer(sleep) } };
  }

  check(state: LeaseState): string | null {
    const machines = state.nodes.map((id) => this.nodes.at(id));
    const holders = machines.filter((node) => isAwake(state, node.self.node) && node.holdsLease(momentOf(state, node.self.node)));
    if (holders.length > 1) return `leases: ${holders.map(({ self }) => self.node).join(' and ')} hold the leader lease at once`;
    const silent = machines.find((node) => node.beatInSilence);
    return silent ? `rule 8: ${silent.self.node} sends heartbeats although no majority answered for a lease length` : null;
  }

  key({ nodes, sent, period, restarts, sleep }: LeaseState): string {
    const slept = sleep === null ? '' : `${sleep.node}${sleep.ms}${sleep.isOver ? '.' : ''}`;
    return `${nodes.join()} ${period} ${restarts} ${slept} ${sent}`;
  }

  seen(state: LeaseState): string[] {
    const machines = state.nodes.map((id) => this.nodes.at(id));
    const [a, b] = machines.map((node) => node.holdsLease(momentOf(state, node.self.node)));
    const marks = machines.flatMap(({ marks: shown }) => [...shown]);
    if (a) marks.push('the first leader holds the lease');
    if (b) marks.push('the second leader holds the lease');
    if (state.sleep?.isOver && machines[0]?.isOverByTheCalendar(momentOf(state, 'a'))) {
      marks.push('a leader that slept sees its lease over by the calendar clock alone');
    }
    return marks;
  }

  private *act(
    state: LeaseState,
    name: string,
    input: string,
    label: () => string,
    act: (node: LeaseNode, now: Moment) => readonly LeaseFrame[],
  ): Iterable<Step<LeaseState>> {
    if (!isAwake(state, name)) return;
    const now = momentOf(state, name);
    const index = voters.indexOf(name);
    const before = state.nodes[index] ?? -1;
    const { id, output } = this.nodes.step(before, `${now.trueMs} ${now.asleepMs} ${input}`, (node) => act(node, now));
    const all = this.post.add(state.sent, output);
    const nodes = id === before ? state.nodes : state.nodes.with(index, id);
    const sent = id === before && all === state.sent ? all : this.post.keep(all, (frame) => !this.isSpent(frame, nodes));
    if (id === before && sent === state.sent) return;
    const { self } = this.nodes.at(before);
    const story = (): string => `${lifeName(self)} ${label()}`;
    yield { state: { ...state, nodes, sent }, get label() { return story(); } }; // prettier-ignore
  }

  /**
   * The frames of the log itself are lost in this world, and so are those that can do nothing any more. A refusal makes a candidate
   * or leader stop, which it may also do by itself.
   */
  private isSpent({ from, to, message }: LeaseFrame, nodes: readonly number[]): boolean {
    const { replica, preparing } = this.nodeOf(to, nodes);
    const sender = this.nodeOf(from.node, nodes);
    switch (message.type) {
      case 'prepare':
        return !sender.preparing || !sameBallot(sender.preparing, message.ballot);
      case 'promise':
        return !preparing || !sameBallot(preparing, message.ballot);
      case 'heartbeat':
        return compareBallots(message.ballot, replica.promised) < 0 || !leads(sender, message.ballot);
      case 'heartbeatSeen':
        return !leads(this.nodeOf(to, nodes), message.ballot);
      default:
        return true;
    }
  }

  private nodeOf(node: string, nodes: readonly number[]): LeaseNode {
    return this.nodes.at(nodes[voters.indexOf(node)] ?? -1);
  }
}

const beginning: Moment = { trueMs: 0, asleepMs: 0 };

function momentOf({ period, sleep }: LeaseState, node: string): Moment {
  return { trueMs: period * periodMs, asleepMs: sleep?.node === node ? sleep.ms : 0 };
}

function isAwake({ sleep }: LeaseState, node: string): boolean {
  return sleep?.node !== node || sleep.isOver;
}

function longer(sleep: LeaseState['sleep']): LeaseState['sleep'] {
  return sleep === null || sleep.isOver ? sleep : { ...sleep, ms: sleep.ms + periodMs };
}

function leads({ replica }: LeaseNode, ballot: Ballot): boolean {
  return replica.leading !== null && sameBallot(replica.leading.ballot, ballot);
}

function describe({ from, message }: LeaseFrame): string {
  const id = 'id' in message ? ` ${message.id}` : '';
  const ballot = 'ballot' in message ? ` of ${ballotName(message.ballot)}` : '';
  return `${message.type}${id}${ballot} from ${lifeName(from)}`;
}
