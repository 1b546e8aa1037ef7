/** Wrong foundings by count: two groups of one name, one that votes too early, or one that never comes to be. Rule 22. */
import { model, patch, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const foundingByCount: readonly Mutant[] = [
  {
    name: 'later-record-replaces-a-complete-one',
    hazard: 'A set that starts later founds the group once more (rule 22).',
    patches: [patch('paxos/founding-log.ts', '    if (this.isComplete) return;\n', '')],
    killers: [unit('paxos/founding-by-count')],
  },
  {
    name: 'record-complete-with-a-majority',
    hazard: 'A record counts as complete before all of its members have taken their seats (rule 22).',
    patches: [
      patch(
        'paxos/founding-log.ts',
        'return this.counting !== null && this.counting.configuration.voters.every((seat) => this.hasJoined(seat));',
        'return this.counting !== null && 2 * this.joined.size > this.counting.configuration.voters.length;',
      ),
    ],
    killers: [unit('paxos/founding-by-count')],
  },
  {
    name: 'seats-of-a-replaced-record-stay-taken',
    hazard: 'Whoever joined a record that was replaced counts as a member of the next one that it has not joined (rule 22).',
    patches: [patch('paxos/founding-log.ts', '    this.joined.clear();\n', '')],
    killers: [model('founding-by-count')],
  },
  {
    name: 'half-started-set-is-never-replaced',
    hazard: 'A set of which one member dies before it took its seat keeps all others from founding the group, for ever (rule 22).',
    patches: [
      patch(
        'paxos/founding-by-count.ts',
        'return isHopeless || this.nowMs - this.progressAtMs > patience * this.options.periodMs;',
        'return false;',
      ),
    ],
    killers: [unit('paxos/founding-by-count'), model('founding-by-count-with-a-wipe')],
  },
  {
    name: 'record-written-blindly',
    hazard: 'A record is written wherever the log ends, whatever was written there meanwhile (rule 22).',
    patches: [patch('arbiter/memory.ts', 'const isFirst = position === this.records.length;', 'const isFirst = true;')],
    killers: [unit('arbiter/memory-conformance')],
  },
  {
    name: 'cleared-log-invites-to-found',
    hazard: 'A log that lost the founding of this very process is taken for one in which nothing was ever written (rule 22).',
    patches: [patch('paxos/founding-by-count.ts', 'if (lost !== null) return this.onLost(lost, null);', '')],
    killers: [unit('paxos/founding-by-count')],
  },
  {
    name: 'living-group-is-not-believed',
    hazard: 'Candidates that hear a group live found another one, because its founding is gone from the log (rule 22).',
    patches: [patch('paxos/founding-by-count.ts', 'this.isAsking || this.doubt ||', 'this.isAsking ||')],
    killers: [unit('paxos/founding-by-count')],
  },
  {
    name: 'seat-taken-before-it-is-kept',
    hazard: 'A member takes its seat in the log, and its own store does not know of it (rules 11 and 22).',
    patches: [patch('paxos/founding-by-count.ts', "    this.out.persist.push({ type: 'founding', record, complete: false });\n", '')],
    killers: [unit('paxos/founding-by-count'), model('founding-by-count')],
  },
  {
    name: 'tokens-start-below-an-earlier-record',
    hazard: 'The tokens of a founding start at or under those of a record before it in the log (rule 13).',
    patches: [patch('paxos/founding-by-count.ts', 'secondOf(wallMs), log.tokenSecond, ...seconds', 'secondOf(wallMs), ...seconds')],
    killers: [unit('paxos/founding-by-count')],
  },
];
