/** Wrong ways to find out whether a store went back: trusted too early, by the wrong words, or by a count that is none. The safety rule 21. */
import { model, patch, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

const storeModel = model('store-that-goes-back');

export const stores: readonly Mutant[] = [
  {
    name: 'recollection-by-an-old-answer',
    hazard: 'An answer to an earlier start of a voter says that its store is whole, though more was promised since (rule 21).',
    patches: [patch('paxos/recollection.ts', 'if (nonce !== this.options.nonce) return;\n    ', '')],
    killers: [unit('group/store-watch'), storeModel],
  },
  {
    name: 'recollection-without-a-majority',
    hazard: 'A voter that nobody answers takes its store for whole (rule 21).',
    patches: [
      patch('paxos/recollection.ts', 'if (answered + 1 < majorityOf(configuration)) {', 'if (others.length === 0 && answered > 0) {'),
    ],
    killers: [unit('group/store-watch')],
  },
  {
    name: 'vote-in-doubt',
    hazard: 'A voter votes while it asks whether its store went back (rule 21).',
    patches: [patch('paxos/follower.ts', "if (this.isInDoubt && type !== 'fetch' && type !== 'chosen') return false;\n    ", '')],
    killers: [unit('group/store-went-back'), storeModel],
  },
  {
    name: 'position-grows-in-doubt',
    hazard: 'What is learned in doubt counts, and after one more crash a store that went back looks as long as it was (rule 21).',
    patches: [
      patch(
        'group/store-watch.ts',
        "if (this.recollection) persist.push({ type: 'position', position: this.at });\n    else this.at += persist.length;",
        'this.at += persist.length;',
      ),
    ],
    killers: [unit('group/store-watch'), storeModel],
  },
  {
    name: 'founding-that-a-store-forgot',
    hazard: 'A voter whose store forgot that it accepted the founding stands by for the seat that it has, for ever (rule 21).',
    patches: [patch('group/member.ts', '    if (this.desk.hasForgotten(record)) return this.takeSeat(this.place.forget(told), at);\n', '')],
    killers: [unit('group/store-went-back')],
  },
  {
    name: 'snapshot-without-a-position',
    hazard: 'A snapshot takes the place of records and not of their number: whoever restarts after one gives up a seat that is sound.',
    patches: [
      patch(
        'group/kept-records.ts',
        "  // Last, for it says what all that is before it comes to.\n  records.push({ type: 'position', position: stores.position });\n",
        '',
      ),
    ],
    killers: [unit('group/store-went-back')],
  },
  {
    name: 'store-that-is-not-reported',
    hazard: 'Voters do not say how far their stores are, so that nobody can tell one that went back (rule 21).',
    patches: [patch('group/store-watch.ts', 'if (reportTo && this.at > 0) send', 'if (reportTo && this.at < 0) send')],
    killers: [unit('group/store-watch', 'group/store-went-back')],
  },
];
