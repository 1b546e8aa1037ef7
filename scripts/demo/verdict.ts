/** What the demo saw, judged by the promises: exclusion, rising tokens, fencing, and a leader within four election timeouts (promise 7). */
import { printJson } from '../program.ts';

export interface Figures {
  readonly grants: number;
  readonly leaderChanges: number;
  /** From the end of the leading thread to the next grant, which is a little later than the next leader. */
  readonly takeoverMs: number;
  /** For how long in all the machine kept threads from running meanwhile, when they were due: each may have held the take-over up. */
  readonly machineLateMs: number;
  readonly staleWritesRefused: number;
  readonly overlaps: number;
  readonly tokensFell: number;
}

export interface Verdict extends Figures {
  readonly ok: boolean;
  /** Four of the longest election timeout that can be drawn, and what the machine held threads up. */
  readonly takeoverBoundMs: number;
  /** Each in a few words. */
  readonly broken: readonly string[];
}

/** `electionTimeoutMs` is the shortest that can be drawn; the longest is twice that. */
export function judge(figures: Figures, electionTimeoutMs: number): Verdict {
  const { takeoverMs, machineLateMs, staleWritesRefused, overlaps, tokensFell } = figures;
  const takeoverBoundMs = 4 * 2 * electionTimeoutMs + machineLateMs;
  const broken = [
    ...(overlaps > 0 ? ['two held the lock at once'] : []),
    ...(tokensFell > 0 ? ['tokens fell'] : []),
    ...(staleWritesRefused === 0 ? ['the stale write was taken'] : []),
    ...(takeoverMs > takeoverBoundMs ? [`the take-over lasted longer than ${takeoverBoundMs} ms`] : []),
  ];
  return { ok: broken.length === 0, ...figures, takeoverBoundMs, broken };
}

/** Says the verdict, which sets the exit code of this process. */
export function conclude(verdict: Verdict, { isJson }: { readonly isJson: boolean }): void {
  const { ok, grants, overlaps, tokensFell, staleWritesRefused, takeoverMs, takeoverBoundMs, machineLateMs, broken } = verdict;
  const order = tokensFell === 0 ? 'tokens always rose' : 'TOKENS FELL';
  console.log(`\n${grants} grants, ${overlaps} overlaps, ${order}, ${staleWritesRefused} stale write refused.`);
  const late = machineLateMs > 0 ? ` and ${machineLateMs} ms for threads that the machine kept waiting` : '';
  console.log(`Take-over after ${takeoverMs} ms; promised are at most ${takeoverBoundMs} ms: four election timeouts${late}.`);
  for (const promise of broken) console.log(`BROKEN: ${promise}`);
  if (!ok) process.exitCode = 1;
  if (isJson) printJson(verdict);
}
