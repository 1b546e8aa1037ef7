/** Processes that do not know each other's names found a group by a broker's log, while some lose their memory. The safety rule 22. */
import type { ArbiterRequest, FoundingEntry } from '../../../packages/core/src/paxos/founding-log.ts';
import type { FoundingRecord } from '../../../packages/core/src/paxos/founding-message.ts';
import { MachineTable } from '../checker/machine-table.ts';
import type { Model, Step } from '../checker/model.ts';
import { CountNode } from './count-node.ts';
import type { CountActed } from './count-node.ts';

export interface CountWorld {
  readonly name: string;
  readonly about: string;
  readonly candidates: readonly string[];
  readonly count: number;
  readonly wipes: number;
  readonly restarts: number;
  /** So many writes get no answer while they are on their way, and arrive when they like or never. */
  readonly doubtful: number;
  /** Of one incarnation in one run: more records than this are not written. */
  readonly proposalsMax: number;
  readonly recordsMax: number;
  /** Ends a founding, once: where most of its members are gone, as is asked of an operator; or whichever is complete. */
  readonly operator?: 'careful' | 'careless';
  /** What the log does with a record whose position is taken: only the first counts, as it must be, or it takes what comes. */
  readonly arbiter?: 'takes what comes';
  readonly marks: readonly string[];
}

type Append = Extract<ArbiterRequest, { type: 'append' }>;

export interface CountState {
  readonly nodes: readonly number[];
  readonly log: readonly FoundingEntry[];
  /** Writes whose writer was told of a failure, or is gone. */
  readonly late: readonly Append[];
  readonly doubtful: number;
  readonly wipes: number;
  readonly restarts: number;
  readonly orders: number;
  /** Foundings that anybody ever knew to be complete. */
  readonly known: readonly string[];
  /** "founding incarnation" for every store that ever said so. */
  readonly accepted: readonly string[];
}

export class CountFoundingModel implements Model<CountState> {
  readonly name: string;
  readonly about: string;
  readonly rules = [22];
  readonly marks: readonly string[];
  private nodes = new MachineTable<CountNode, CountActed>();

  constructor(private readonly world: CountWorld) {
    ({ name: this.name, about: this.about, marks: this.marks } = world);
  }

  initial(): CountState[] {
    this.nodes = new MachineTable();
    const { candidates, count, wipes, restarts, doubtful, operator } = this.world;
    const nodes = candidates.map((name) => this.nodes.intern(new CountNode(name, count)));
    return [{ nodes, log: [], late: [], doubtful, wipes, restarts, orders: operator ? 1 : 0, known: [], accepted: [] }];
  }

  *next(state: CountState): Iterable<Step<CountState>> {
    for (const one of state.late) yield* this.arrive(state, one);
    yield* this.end(state);
    for (const [index, name] of this.world.candidates.entries()) {
      const node = this.nodeOf(state, index);
      yield* this.act(state, index, 'soon', 'asks again', (it) => it.tick(false));
      yield* this.act(state, index, 'late', 'has waited for long', (it) => it.tick(true));
      for (const other of this.world.candidates.keys()) if (other !== index) yield* this.greet(state, index, other);
      if (state.wipes > 0 && node.life <= this.world.wipes) {
        const wiped = { ...state, wipes: state.wipes - 1 };
        yield* this.act(wiped, index, 'wipe', `${name} loses its memory`, (it) => it.wipe(), true);
      }
      if (state.restarts > 0) {
        const restarted = { ...state, restarts: state.restarts - 1 };
        yield* this.act(restarted, index, 'restart', `${name} restarts with its memory`, (it) => it.restart(), true);
      }
    }
  }

  check(state: CountState): string | null {
    const { known, accepted, log } = state;
    const lasting = known.filter((founding) => !hasEnded(log, founding));
    if (lasting.length > 1) return `agreement: ${lasting.join(' and ')} were both known to be complete`;
    const deciding = known.filter((founding) => this.decides(state, founding));
    if (deciding.length > 1) return `agreement: ${deciding.join(' and ')} can both decide`;
    for (const founding of known) {
      const record = recordsIn(log).find(({ configuration }) => configuration.founding === founding);
      if (!record) return `rule 22: ${founding} is not in the log`;
      const lacking = record.configuration.voters.find(({ incarnation }) => !accepted.includes(`${founding} ${incarnation}`));
      if (lacking) return `rule 22: ${founding} was known to be complete before ${lacking.incarnation} had taken its seat`;
    }
    return null;
  }

  key({ nodes, log, late, doubtful, wipes, restarts, orders, known, accepted }: CountState): string {
    return JSON.stringify([nodes, log, late, doubtful, wipes, restarts, orders, known, accepted]);
  }

  /** A majority of a founding's members knows that it is complete; or one lost its majority, and no operator will ever end it. */
  goal(state: CountState): boolean {
    return recordsIn(state.log).some(({ configuration: { founding } }) => {
      if (hasEnded(state.log, founding)) return false;
      return this.decides(state, founding) || (state.orders === 0 && this.isLost(state, founding));
    });
  }

  /** Most of its members live, under the incarnations that it lists, and know that it is complete. */
  private decides(state: CountState, founding: string): boolean {
    const { living, voters } = this.membersOf(state, founding);
    return 2 * living.filter((node) => node.founded === founding).length > voters;
  }

  /** It is complete, and most of its members are gone. */
  private isLost(state: CountState, founding: string): boolean {
    const { living, voters } = this.membersOf(state, founding);
    return isJoinedByAll(state.log, founding, voters) && 2 * living.length <= voters;
  }

  private membersOf(state: CountState, founding: string): { readonly living: readonly CountNode[]; readonly voters: number } {
    const { voters } = recordsIn(state.log).find(({ configuration }) => configuration.founding === founding)?.configuration ?? {
      voters: [],
    };
    const machines = state.nodes.map((id) => this.nodes.at(id));
    const living = machines.filter((node) => voters.some(({ incarnation }) => incarnation === node.incarnation));
    return { living, voters: voters.length };
  }

  atEdge(state: CountState): boolean {
    const isSpent = recordsIn(state.log).length >= this.world.recordsMax;
    return isSpent || state.nodes.some((id) => this.nodes.at(id).proposals > this.world.proposalsMax);
  }

  seen(state: CountState): string[] {
    const marks: string[] = [];
    if (this.goal(state)) marks.push(state.wipes < this.world.wipes ? 'founded after a wipe' : 'founded');
    if (state.known.length > 0 && recordsIn(state.log).length > 1) marks.push('founded by a record that replaced another');
    if (this.goal(state) && state.known.some((founding) => hasEnded(state.log, founding))) marks.push('founded after the end of another');
    return marks;
  }

  /** The operator reads and writes until the log says so: whatever comes between counts nothing behind a complete record. */
  private *end(state: CountState): Iterable<Step<CountState>> {
    const { log, orders } = state;
    const record = recordsIn(log).find(({ configuration: { founding, voters } }) => isJoinedByAll(log, founding, voters.length) && !hasEnded(log, founding)); // prettier-ignore
    if (orders === 0 || !record) return;
    const { founding } = record.configuration;
    if (this.world.operator === 'careful' && !this.isLost(state, founding)) return;
    const entry: FoundingEntry = { type: 'ended', founding, tokenSecond: 0 };
    yield { label: `an operator ends ${founding}`, state: { ...state, log: [...log, entry], orders: orders - 1 } };
  }

  /** A write that nobody waits for any more. One that is lost may as well arrive never. */
  private *arrive(state: CountState, one: Append): Iterable<Step<CountState>> {
    const late = state.late.filter((other) => other !== one);
    const log = this.written(state.log, one);
    if (log === 'beyond') return;
    if (log !== state.log) yield { label: `the log takes a late ${one.entry.type}`, state: { ...state, log, late } };
  }

  private written(log: readonly FoundingEntry[], { position, entry }: Append): readonly FoundingEntry[] | 'beyond' {
    if (this.world.arbiter !== 'takes what comes' && position !== log.length) return log;
    if (entry.type === 'record' && recordsIn(log).length >= this.world.recordsMax) return 'beyond';
    return [...log, entry];
  }

  private *greet(state: CountState, asker: number, other: number): Iterable<Step<CountState>> {
    const node = this.nodeOf(state, asker);
    if (!node.asksSomebody) return;
    const answering = this.nodeOf(state, other);
    const greeting = answering.greetingTo(node);
    if (!greeting) return;
    const { self } = answering;
    yield* this.act(state, asker, `${JSON.stringify([self, greeting])}`, `hears ${self.incarnation} (${greeting.standing})`, (it) => it.hear(self, greeting)); // prettier-ignore
  }

  private *act(
    state: CountState,
    index: number,
    input: string,
    label: string,
    act: (node: CountNode) => CountActed,
    isStep = false,
  ): Iterable<Step<CountState>> {
    const before = state.nodes[index] ?? -1;
    if (this.nodes.at(before).proposals > this.world.proposalsMax) return;
    const { id, output } = this.nodes.step(before, input, act);
    const { request } = output;
    if (id === before && !request && !isStep) return;
    const { incarnation } = this.nodes.at(id);
    yield* this.follow(this.taken(state, index, id), index, request, `${incarnation} ${label}`);
  }

  /**
   * What is asked of the log is asked at once: a process that reads late, or writes late what it made of an early reading, is one that
   * takes the step before late. Only a write whose answer is lost, or whose writer is gone, arrives later.
   */
  private *follow(state: CountState, index: number, request: ArbiterRequest | null, label: string): Iterable<Step<CountState>> {
    if (!request) return yield { label, state };
    const { log, doubtful } = state;
    if (request.type === 'read') return yield* this.answer(state, index, log, `${label} and reads ${log.length} entries`);
    const written = this.written(log, request);
    const what = `${label} and writes ${request.entry.type} at ${request.position}`;
    if (written === 'beyond') return;
    yield* this.answer({ ...state, log: written }, index, written, written === log ? `${what} in vain` : what);
    if (doubtful === 0) return;
    yield* this.answer({ ...state, log: written, doubtful: doubtful - 1 }, index, null, `${what}, and hears nothing of it`);
    const late = sorted([...state.late, request]);
    yield* this.answer({ ...state, late, doubtful: doubtful - 1 }, index, null, `${what}, which is on its way for long`);
  }

  private *answer(state: CountState, index: number, log: readonly FoundingEntry[] | null, label: string): Iterable<Step<CountState>> {
    const { id, output } = this.nodes.step(state.nodes[index] ?? -1, `log ${JSON.stringify(log)}`, (node) => node.answered(log));
    yield* this.follow(this.taken(state, index, id), index, output.request, label);
  }

  private taken(state: CountState, index: number, id: number): CountState {
    const { incarnation, founded, accepted: foundings } = this.nodes.at(id);
    const known = founded === null || state.known.includes(founded) ? state.known : [...state.known, founded].sort();
    const own = [...foundings].map((founding) => `${founding} ${incarnation}`);
    const isNews = own.some((entry) => !state.accepted.includes(entry));
    const accepted = isNews ? [...new Set([...state.accepted, ...own])].sort() : state.accepted;
    return { ...state, nodes: state.nodes.with(index, id), known, accepted };
  }

  private nodeOf(state: CountState, index: number): CountNode {
    return this.nodes.at(state.nodes[index] ?? -1);
  }
}

function recordsIn(log: readonly FoundingEntry[]): readonly FoundingRecord[] {
  return log.flatMap((entry) => (entry.type === 'record' ? [entry.record] : []));
}

function hasEnded(log: readonly FoundingEntry[], founding: string): boolean {
  return log.some((entry) => entry.type === 'ended' && entry.founding === founding);
}

function isJoinedByAll(log: readonly FoundingEntry[], founding: string, members: number): boolean {
  const joined = log.flatMap((entry) => (entry.type === 'joined' && entry.founding === founding ? [entry.seat.incarnation] : []));
  return new Set(joined).size === members;
}

function sorted(late: readonly Append[]): readonly Append[] {
  return late.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
