/** The terms of one election as a watcher may be shown them, made from lock states of which some may have been missed. */
import type { HeldState, Term } from './term.ts';
import { termOf } from './term.ts';

/**
 * 1. Between two different terms stands `null`, even where the state in which nobody led was missed.
 * 2. Tokens never fall: a state older than one seen before shows nothing.
 * 3. Nothing is shown twice in a row.
 */
export class TermHistory {
  /** `undefined` before the first state. */
  #current: Term | null | undefined = undefined;
  #version = -1;
  #token = 0;

  /** The term now; `null` for nobody or not known yet. */
  get current(): Term | null {
    return this.#current ?? null;
  }

  /** What to show for `state`, in order: nothing, one thing, or `null` and then a term. */
  next(state: HeldState): readonly (Term | null)[] {
    const term = termOf(state);
    if (state.version < this.#version || (term !== null && term.token < this.#token)) return [];
    const before = this.#current;
    this.#version = state.version;
    this.#current = term;
    if (term !== null) this.#token = term.token;
    if (before === undefined) return [term];
    if (before === null || term === null) return before === term ? [] : [term];
    if (before.token !== term.token) return [null, term];
    return before.value === term.value ? [] : [term];
  }
  /** A new founding counts its versions anew, and nobody leads in it yet. Tokens go on rising. */
  refounded(): readonly null[] {
    const led = this.#current !== null && this.#current !== undefined;
    this.#version = -1;
    if (led) this.#current = null;
    return led ? [null] : [];
  }
}
