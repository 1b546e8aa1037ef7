/** How long a killer may take: as long as the slowness of this machine asks for, which the control has shown. */
import type { Killer } from '../../test/mutants/mutant.ts';

export interface KillerLimits {
  /** Seconds after which a run is ended: whatever it was about to find, it took too long. */
  readonly seconds: Readonly<Record<Killer['by'], number>>;
  /** For one test: a mutant that loses an answer is waited for no longer. */
  readonly testTimeoutMs: number;
}

/** What a run of the project as it is took. */
export interface ControlTime {
  readonly by: Killer['by'];
  readonly seconds: number;
  readonly slowestTestMs?: number | undefined;
}

/** The control runs everything at once, and nothing in it hangs. */
export const controlLimits: KillerLimits = { seconds: { unit: 1_200, model: 1_200, simulation: 1_200 }, testTimeoutMs: 120_000 };

const least: KillerLimits = { seconds: { unit: 120, model: 120, simulation: 240 }, testTimeoutMs: 12_000 };
/** A machine may be slower now than it was for the control. */
const secondsMargin = 3;
const testMargin = 5;

export function limitsAfter(controls: readonly ControlTime[]): KillerLimits {
  const secondsOf = (by: Killer['by']): number =>
    Math.max(
      least.seconds[by],
      ...controls.filter((control) => control.by === by).map(({ seconds }) => Math.ceil(seconds * secondsMargin)),
    );
  const slowestMs = Math.max(0, ...controls.map(({ slowestTestMs = 0 }) => slowestTestMs));
  return {
    seconds: { unit: secondsOf('unit'), model: secondsOf('model'), simulation: secondsOf('simulation') },
    testTimeoutMs: Math.max(least.testTimeoutMs, Math.ceil(slowestMs * testMargin)),
  };
}
