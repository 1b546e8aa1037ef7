/** Breadth-first search through every state of a model, so that the first broken promise found has the shortest story. */
import type { Model, Step } from './model.ts';
import { StateTable } from './state-table.ts';

export interface ExploreLimits {
  readonly statesMax: number;
  readonly secondsMax: number;
}

export const exploreDefaults: ExploreLimits = { statesMax: 3_000_000, secondsMax: 600 };

/**
 * `holds`: every state of the world was seen, nothing is broken, and every mark was shown. `bounded`: nothing was found, but a limit
 * ended the search, so nothing is known of the rest. `unmarked`: complete, but a rare thing that the world must show never happened.
 */
export type Verdict = 'holds' | 'broken' | 'bounded' | 'unmarked';

export interface Exploration {
  readonly name: string;
  readonly verdict: Verdict;
  /** True for `holds` alone. */
  readonly ok: boolean;
  readonly complete: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly seconds: number;
  readonly marksMissed: readonly string[];
  /** The promise that is broken at the end of `story`. */
  readonly broken?: string;
  readonly story?: readonly string[];
}

export function explore<State>(model: Model<State>, limits: Partial<ExploreLimits> = {}): Exploration {
  return new Search(model, { ...exploreDefaults, ...limits }).run();
}

interface Reached<State> {
  readonly id: number;
  readonly state: State;
}

interface Finding {
  readonly id: number;
  readonly broken: string;
  /** What could not be carried out, where a machine refused to go on. */
  readonly last?: string;
}

class Search<State> {
  private readonly table = new StateTable();
  private readonly roots: readonly State[];
  private readonly missing: Set<string>;
  private readonly goals: number[] = [];
  private readonly edges: number[] = [];
  private readonly startedMs = performance.now();
  private frontier: Reached<State>[] = [];
  private depth = 0;
  private transitions = 0;
  private stopped = false;
  private finding: Finding | null = null;

  constructor(
    private readonly model: Model<State>,
    private readonly limits: ExploreLimits,
  ) {
    this.roots = model.initial();
    this.missing = new Set(model.marks ?? []);
  }

  run(): Exploration {
    for (const state of this.roots) this.reach(state, -1, 0);
    while (this.frontier.length > 0 && !this.finding && !this.stopped) this.layer();
    if (!this.finding && !this.stopped) this.finding = this.wedge();
    return this.report();
  }

  /** Every step out of every state of the present depth. */
  private layer(): void {
    const layer = this.frontier;
    this.frontier = [];
    for (const [index, reached] of layer.entries()) {
      this.stepsOf(reached);
      if (this.finding) break;
      if (index % 128 === 0 && this.isOverLimit()) this.stopped = true;
      if (this.stopped) return;
    }
    if (this.frontier.length > 0) this.depth += 1;
  }

  private stepsOf({ id, state }: Reached<State>): void {
    let ordinal = 0;
    try {
      for (const step of this.model.next(state)) {
        this.transitions += 1;
        this.reach(step.state, id, ordinal);
        if (this.finding) return;
        ordinal += 1;
      }
    } catch (error) {
      if (!isBrokenInvariant(error)) throw error;
      this.finding = { id, broken: error.message, last: 'the next step: a machine stops' };
    }
  }

  private reach(state: State, parent: number, ordinal: number): void {
    const { model, table } = this;
    const { id, isNew } = table.add(model.key(state), parent, ordinal);
    if (model.goal && parent >= 0) table.addEdge(parent, id);
    if (!isNew) return;
    const broken = model.check(state);
    if (broken !== null) this.finding ??= { id, broken };
    if (this.missing.size > 0) for (const mark of model.seen?.(state) ?? []) this.missing.delete(mark);
    if (model.goal?.(state)) this.goals.push(id);
    if (model.atEdge?.(state)) this.edges.push(id);
    this.frontier.push({ id, state });
  }

  /** The first state from which the goal is out of reach whatever happens. */
  private wedge(): Finding | null {
    if (!this.model.goal) return null;
    const reaches = this.table.reaching([...this.goals, ...this.edges]);
    const stuck = reaches.indexOf(0);
    return stuck < 0 ? null : { id: stuck, broken: 'the group is wedged: nothing that can still happen brings it to its goal' };
  }

  private isOverLimit(): boolean {
    return this.table.size >= this.limits.statesMax || this.seconds() >= this.limits.secondsMax;
  }

  private seconds(): number {
    return (performance.now() - this.startedMs) / 1000;
  }

  private report(): Exploration {
    const { finding } = this;
    const complete = !finding && !this.stopped;
    const marksMissed = complete ? [...this.missing] : [];
    const verdict = finding ? 'broken' : !complete ? 'bounded' : marksMissed.length > 0 ? 'unmarked' : 'holds';
    return {
      name: this.model.name,
      verdict,
      ok: verdict === 'holds',
      complete,
      states: this.table.size,
      transitions: this.transitions,
      depth: this.depth,
      seconds: this.seconds(),
      marksMissed,
      ...(finding && { broken: finding.broken, story: this.storyOf(finding) }),
    };
  }

  /** Carries the steps of the shortest way out again: their labels are not kept. */
  private storyOf({ id, last }: Finding): string[] {
    const { root, ordinals } = this.table.wayTo(id);
    let state = this.roots.find((candidate) => this.table.add(this.model.key(candidate), -1, 0).id === root);
    const story: string[] = [];
    for (const ordinal of ordinals) {
      const step: Step<State> | undefined = state === undefined ? undefined : stepAt(this.model.next(state), ordinal);
      if (!step) throw new Error(`The model ${this.model.name} offers other steps when it is asked again.`);
      story.push(step.label);
      state = step.state;
    }
    if (state !== undefined && this.table.add(this.model.key(state), -1, 0).id !== id) {
      throw new Error(`The model ${this.model.name} comes elsewhere when its steps are taken again.`);
    }
    return last === undefined ? story : [...story, last];
  }
}

function stepAt<State>(steps: Iterable<Step<State>>, ordinal: number): Step<State> | undefined {
  let index = 0;
  for (const step of steps) {
    if (index === ordinal) return step;
    index += 1;
  }
  return undefined;
}

/** An assertion of the shipped machines is a broken promise; any other error is a mistake of the model. */
function isBrokenInvariant(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'INVARIANT';
}
