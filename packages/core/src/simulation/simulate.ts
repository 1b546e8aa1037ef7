/**
 * Your own code in a simulated world: a group of processes runs it under faults of every kind, over as many seeds as you like, and you
 * say what must always hold. Time is virtual: twenty seconds of storm take a moment, and a seed that fails always fails.
 */
import type { Quorate } from '../api/quorate.ts';
import { isQuorateError } from '../errors.ts';
import type { Random } from '../time/random.ts';
import { drawCircumstances } from './circumstances.ts';
import type { Circumstances, FaultKind } from './circumstances.ts';
import { liveOnce } from './life.ts';
import type { LifeResult } from './life.ts';
import { shrink } from './shrink.ts';
import type { SimulatedProcess, World } from './world.ts';

/** One start of one process, as the program in it sees it. */
export interface SimulatedNode<State> {
  readonly quorate: Quorate;
  /** Its name; a process that crashed comes back under it. */
  readonly node: string;
  /** What `setup` made: the world outside the group, shared by all processes of a seed. */
  readonly state: State;
  /** Chance of its own, from the seed. `Math.random` would make a seed tell another story each time. */
  readonly random: Random;
  /** False once the storm is over; a program that loops should then come to its end. */
  readonly isRunning: boolean;
  /** Virtual milliseconds since the beginning. */
  nowMs(): number;
  /** Waits in virtual time, on the process's own clock. A real timer would never come due. */
  sleep(ms: number): Promise<void>;
}

export interface SimulateOptions<State> {
  readonly seeds: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** Names of the voters. Default: three or five, as the seed has it. */
  readonly voters?: readonly string[];
  /** Names of the nodes beside them. */
  readonly clients?: readonly string[];
  /** Kinds of faults that may come. Default: all. */
  readonly faults?: readonly FaultKind[];
  /** How long faults come, in virtual milliseconds. Default 17,000. */
  readonly stormMs?: number;
  /** Makes the world outside the group, anew for each seed. */
  readonly setup: () => State;
  /**
   * Runs in every process from each of its starts on. It is begun again where it rejects with a `QuorateError`, as a process manager
   * would do it; anything else that it throws is a failure.
   */
  readonly program: (node: SimulatedNode<State>) => Promise<void>;
  /** Asked after every event and at the end: a sentence where something is wrong, else null. */
  readonly invariant: (state: State) => string | null;
  /** Told after each seed. */
  readonly onSeed?: (result: { readonly seed: number; readonly ok: boolean }) => void;
}

export interface SimulationFailure {
  readonly seed: number;
  /** `invariant` for yours; else the promise of the group that did not hold, or `program`. */
  readonly promise: string;
  readonly what: string;
  /** What happened, line by line, in the shortest life found that ends like this. */
  readonly story: readonly string[];
}

export interface SimulationReport {
  readonly seeds: number;
  readonly events: number;
  /** Locks and elections granted. */
  readonly grants: number;
  /** Of the first seed that failed, or null: later ones are not tried. */
  readonly failure: SimulationFailure | null;
}

const pauseBeforeRestartMs = 10;
/** Lives tried in search of a shorter story. */
const shorteningsMax = 50;

/** Runs the program over the seeds, up to the first one that fails. The same options give the same report. */
export async function simulate<State>(options: SimulateOptions<State>): Promise<SimulationReport> {
  const { seeds, from = 1, onSeed } = options;
  let events = 0;
  let grants = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const circumstances = drawCircumstances(seed, {
      ...options,
      kinds: options.faults,
      actorsPerNode: 1,
      withoutOwning: true,
      withoutStandbys: true,
    });
    const result = await live(options, circumstances, false);
    events += result.events;
    grants += result.grants;
    onSeed?.({ seed, ok: result.broken === null });
    if (result.broken) return { seeds: seed - from + 1, events, grants, failure: await explain(options, circumstances, result) };
  }
  return { seeds, events, grants, failure: null };
}

async function explain<State>(options: SimulateOptions<State>, drawn: Circumstances, failed: LifeResult): Promise<SimulationFailure> {
  const { result } = await shrink(drawn, failed, (circumstances) => live(options, circumstances, true), shorteningsMax);
  const told = result.story.length > 0 ? result : await live(options, drawn, true);
  const { promise = '', what = '' } = told.broken ?? {};
  return { seed: drawn.seed, promise, what, story: told.story };
}

function live<State>(options: SimulateOptions<State>, circumstances: Circumstances, hasStory: boolean): Promise<LifeResult> {
  const state = options.setup();
  return liveOnce({
    circumstances,
    hasStory,
    programEnds: false,
    program: (world) => async (process, quorate) => {
      const node = nodeOf(world, process, quorate, state);
      while (node.isRunning) {
        try {
          return await options.program(node);
        } catch (error) {
          if (!isQuorateError(error)) throw error;
          await node.sleep(pauseBeforeRestartMs);
        }
      }
    },
    check: () => options.invariant(state),
  });
}

function nodeOf<State>(world: World, process: SimulatedProcess, quorate: Quorate, state: State): SimulatedNode<State> {
  return {
    quorate,
    node: process.node,
    state,
    random: process.random,
    get isRunning() {
      return !world.isPeace && quorate.status.session !== 'closed';
    },
    nowMs: () => world.nowMs,
    sleep: (ms) => world.sleep(process, ms),
  };
}
