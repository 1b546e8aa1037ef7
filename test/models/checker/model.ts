/** What the checker explores: states, the steps out of each, and what must hold in all of them. */

/** One thing that may happen in a state, and where it leads. */
export interface Step<State> {
  /** For the story: who did what, in the terms of the protocol. */
  readonly label: string;
  readonly state: State;
}

/**
 * A small world around shipped state machines, with every order of events instead of a random one. The machines inside a state are
 * kept as snapshots: a step restores what it needs, calls the real `step`, and takes the snapshot of what came out.
 */
export interface Model<State> {
  readonly name: string;
  /** One sentence: who takes part, what may happen to them, and the bounds that make the world finite. */
  readonly about: string;
  /** Numbers of the safety rules in `docs/protocol.md` that a fault in this world would break. */
  readonly rules: readonly number[];
  initial(): readonly State[];
  /** Every step that is possible. It does not change `state`. */
  next(state: State): Iterable<Step<State>>;
  /** The promise that is broken in this state, as a sentence, or null. */
  check(state: State): string | null;
  /** Equal for two states only if everything that can follow is the same in both; symmetric states may share a key where that is sound. */
  key(state: State): string;
  /** Names of rare things this state shows; a complete run must have seen each of `marks`. */
  seen?(state: State): readonly string[];
  readonly marks?: readonly string[];
  /** Where given: from every state one must be reachable in which this holds, else the group is wedged. Only a complete run can tell. */
  goal?(state: State): boolean;
  /** States at the edge of the world, where a bound forbids what the machines would do: what lies beyond has the benefit of the doubt. */
  atEdge?(state: State): boolean;
}

/** A wrong design or a wrong line, installed over the shipped machines for one run. The checker must find what it breaks. */
export interface Planted {
  readonly name: string;
  /** What goes wrong and which rule forbids it, in a sentence. */
  readonly hazard: string;
  /** What it must break, as a part of the sentence in which the model or a machine says so: anything else that breaks proves nothing of it. */
  readonly breaks: string;
  /** The model to run while it is installed; one that differs in the world itself (a seat that rejoins under its old name) may be built here. */
  readonly model: Model<unknown>;
  /** Changes the machines, and returns what undoes it. Absent where the world itself is the wrong one. */
  install?(): () => void;
}
