/** Upgrades that leave somebody behind: a level that rises too early, and what is said before all can understand it. */
import { patch, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const versions: readonly Mutant[] = [
  {
    name: 'level-raised-with-a-voter-missing',
    hazard: 'The level rises though one voter has not said that it can: the frames that follow are nothing to it (issue 6, versions).',
    patches: [
      patch(
        'group/version-watch.ts',
        '(this.known.get(incarnation)?.newest ?? 0)',
        '(this.known.get(incarnation)?.newest ?? this.range.newest)',
      ),
    ],
    killers: [unit('group/version-watch')],
  },
  {
    name: 'level-raised-over-an-earlier-voter',
    hazard: 'The level rises to what the leader can, and the last voter of the earlier version is cut off in the middle of an upgrade.',
    patches: [
      patch(
        'group/version-watch.ts',
        'for (const { incarnation } of voters) most = Math.min(most, this.newestOf(incarnation));',
        'for (const { incarnation } of voters) most = Math.max(most, this.newestOf(incarnation));',
      ),
    ],
    killers: [unit('group/version-watch')],
  },
  {
    name: 'command-above-the-level',
    hazard: 'A command of the next level takes effect on the voters that know it and on no other: their states part.',
    patches: [
      patch(
        'group/group-state.ts',
        'if (this.#levels.ofOp(op) > this.#level) return',
        'if (this.#levels.ofOp(op) > this.#levels.newest) return',
      ),
    ],
    killers: [unit('group/feature-level')],
  },
  {
    name: 'level-raised-by-an-older-leader',
    hazard: 'A later leader adopts what a cut-off one knew of its voters, and the level rises on the word of a term that is over (rule 5).',
    patches: [
      patch(
        'group/group-state.ts',
        'if (stamp !== this.#stamp || level <= this.#level) return;',
        'if (stamp === this.#stamp && level <= this.#level) return;',
      ),
    ],
    killers: [unit('group/feature-level')],
  },
  {
    name: 'newest-version-spoken-at-once',
    hazard: 'A process speaks the newest version that it can as soon as it starts, and those of the earlier one hear nothing of it.',
    patches: [
      patch(
        'group/version-watch.ts',
        'return Math.min(range.newest, Math.max(range.least,',
        'return Math.max(range.newest, Math.max(range.least,',
      ),
    ],
    killers: [unit('group/version-watch')],
  },
];
