/** How long nobody was granted anything while a process was replaced, read from the history of those that stayed. */
import type { HistoryLine } from '../history.ts';
import type { Restart } from './plot.ts';

/** For each restart the longest time between two grants, of whatever lock, of which a part at least falls into it, in milliseconds. */
export function pausesOf(history: readonly HistoryLine[], restarts: readonly Pick<Restart, 'beganNs' | 'endedNs'>[]): number[] {
  const grantsNs = history.flatMap(({ op, ok, return: at }) => (op === 'acquire' && ok === true && at !== null ? [at] : []));
  grantsNs.sort((a, b) => a - b);
  return restarts.map(({ beganNs, endedNs }) => {
    let longestNs = 0;
    for (let index = 1; index <= grantsNs.length; index += 1) {
      const from = grantsNs[index - 1] ?? 0;
      // Nothing after the last grant is a pause without end, up to the end of the restart.
      const to = grantsNs[index] ?? Math.max(from, endedNs);
      if (to > beganNs && from < endedNs) longestNs = Math.max(longestNs, to - from);
    }
    return longestNs / 1e6;
  });
}
