/** What a kind of rollout does round by round, apart from the traffic around it and the verdict over it. */
import type { ChaosProcess, EpisodeSettings, Troupe } from '../troupe.ts';
import type { Traffic } from './traffic.ts';

export interface Plot {
  /** How many processes a round replaces. */
  readonly perRound: number;
  /** In the order in which they ended. */
  readonly restarts: readonly Restart[];
  /** Whoever ever took part. */
  readonly everyone: readonly ChaosProcess[];
  /** Resolves once the group is whole, with all of the troupe in it. */
  form(): Promise<void>;
  /** Replaces every process once, and resolves when the group is whole again. */
  playRound(): Promise<void>;
}

/** One process that another took the place of. */
export interface Restart {
  readonly name: string;
  readonly beganNs: number;
  readonly endedNs: number;
  /** How long the next one took to be ready. */
  readonly readyMs: number;
}

export interface PlotParts {
  readonly troupe: Troupe;
  readonly settings: EpisodeSettings;
  readonly traffic: Traffic;
  /** For one replacement, however it goes: the end of a dead namesake's session, elections, and what a loaded machine adds. */
  readonly patienceMs: number;
}
