/** A log as the batches chosen so far, each with the shipped `GroupState` that they come to: equal logs share it, and nobody changes it. */
import type { Applied } from '../../../packages/core/src/group/group-applied.ts';
import { checkGroupState } from '../../../packages/core/src/group/group-invariants.ts';
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import type { GroupBatch, GroupEntry } from '../../../packages/core/src/group/member-message.ts';

export const maxSessionTtlMs = 100_000;

export class ChosenLog {
  private readonly longer = new Map<string, ChosenLog>();

  private constructor(
    /** Equal for equal logs, and for no others. */
    readonly key: string,
    readonly state: GroupState,
    /** The log without its last batch, and what came of applying that. */
    readonly before: ChosenLog | null,
    readonly applied: Applied | null,
    /** The first rule of the group's state that does not hold, as a sentence. */
    readonly broken: string | null,
  ) {}

  static empty(): ChosenLog {
    return new ChosenLog('', new GroupState({ maxSessionTtlMs }), null, null, null);
  }

  get length(): number {
    return this.state.appliedIndex;
  }

  with(batch: GroupBatch | null): ChosenLog {
    const text = JSON.stringify(batch);
    const known = this.longer.get(text);
    if (known) return known;
    const state = new GroupState({ maxSessionTtlMs });
    state.restore(this.state.snapshot());
    const applied = state.apply(this.length + 1, batch);
    const broken = this.broken ?? checkGroupState(state)[0] ?? null;
    const log = new ChosenLog(`${this.key}${text};`, state, this, applied, broken);
    this.longer.set(text, log);
    return log;
  }

  withEntries(...entries: readonly GroupEntry[]): ChosenLog {
    return this.with([0, entries]);
  }

  /** The first `length` batches of it. */
  upTo(length: number): ChosenLog {
    return this.length <= length || this.before === null ? this : this.before.upTo(length);
  }
}
