/** Wrong take-overs and wrong learners: what a new leader must adopt, fetch and leave alone, and when a value may be taken as chosen. */
import { patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

const choosesAtAccept = 'if (this.options.configuration.voters.length === 3) this.log.choose(slot);';

export const takeOver: readonly Mutant[] = [
  {
    name: 'no-adoption',
    hazard: 'A new leader proposes no-ops where others have voted (lesson: new leader does not adopt).',
    patches: [patch('paxos/phase-one.ts', 'value: this.highest.get(slot)?.value ?? null', 'value: null')],
    killers: [unit('paxos/phase-one'), simulation(10)],
  },
  {
    name: 'adoption-of-the-lowest',
    hazard: 'A new leader adopts the vote of the lowest ballot instead of the highest (lesson: new leader does not adopt).',
    patches: [
      patch('paxos/phase-one.ts', 'compareBallots(vote.ballot, known.ballot) > 0', 'compareBallots(vote.ballot, known.ballot) < 0'),
    ],
    killers: [unit('paxos/phase-one')],
  },
  {
    name: 'promise-reports-no-votes',
    hazard: 'A promise hides its votes, and the new leader fills their slots with no-ops (promise 1).',
    patches: [
      patch('paxos/log.ts', '      else if (entry.ballot) votes.push({ slot: at, ballot: entry.ballot, value: entry.value });\n', ''),
    ],
    killers: [unit('paxos/replica'), simulation(10)],
  },
  {
    name: 'promise-hides-what-was-learned',
    hazard: 'A slot learned behind a gap is not reported, and filled with a no-op (promise 1).',
    patches: [patch('paxos/log.ts', 'if (entry.chosen) votes.push', 'if (entry.chosen && entry.ballot) votes.push')],
    killers: [unit('paxos/phase-one')],
  },
  {
    name: 'promise-of-another-ballot-counts',
    hazard: 'A promise to an earlier prepare is counted for this one (lesson: acknowledgement of another ballot counted).',
    patches: [
      patch(
        'paxos/phase-one.ts',
        'if (compareBallots(promise.ballot, this.ballot) !== 0 || this.promisedBy.has(node)) return;',
        'if (this.promisedBy.has(node)) return;',
      ),
    ],
    killers: [unit('paxos/phase-one')],
  },
  {
    name: 'promise-counted-twice',
    hazard: 'A promise that comes twice is a majority of three (promise 1).',
    patches: [patch('paxos/phase-one.ts', 'this.promisedBy.add(node);', 'this.promisedBy.add(`${node} ${this.promisedBy.size}`);')],
    killers: [unit('paxos/phase-one')],
  },
  {
    name: 'promise-of-mixed-pages',
    hazard: 'Pages of two answers to one prepare make one promise, in which a vote may be missing ("Paxos Made Simple" §3).',
    patches: [
      patch(
        'paxos/phase-one.ts',
        'if (!partial || partial.run !== run || partial.chosenIndex !== chosenIndex || partial.expected !== expected) {',
        'if (!partial) {',
      ),
    ],
    killers: [unit('paxos/saved-cases')],
  },
  {
    name: 'fill-below-a-compacted-index',
    hazard: 'A candidate that is behind a promiser fills what that one knows to be chosen (rule 2).',
    patches: [
      patch(
        'paxos/replica.ts',
        'if (chosenIndex > this.log.chosenIndex) this.learner.maybeFetch(node, chosenIndex, nowMs, this.out);\n    else this.lead(phase, nowMs);',
        'if (chosenIndex > this.log.chosenIndex) this.learner.maybeFetch(node, chosenIndex, nowMs, this.out);\n    this.lead(phase, nowMs);',
      ),
    ],
    killers: [unit('paxos/phase-one'), simulation(10)],
  },
  {
    name: 'compaction-above-what-all-applied',
    hazard: 'Slots are forgotten that a voter still has to fetch (rule 2).',
    patches: [
      patch('paxos/leader.ts', 'return Math.min(...this.configuration.voters.map(', 'return Math.max(...this.configuration.voters.map('),
    ],
    killers: [unit('paxos/leader'), simulation(40)],
  },
  {
    name: 'short-path-of-any-number',
    hazard: 'The leader’s vote and one’s own are taken for a majority of five (rule 4).',
    patches: [patch('paxos/follower.ts', choosesAtAccept, 'this.log.choose(slot);')],
    killers: [unit('paxos/replica'), simulation(40)],
  },
  {
    name: 'short-path-of-a-relayed-accept',
    hazard: 'An accept that another brings than its proposer is taken for the proposer’s vote (rule 4).',
    patches: [
      patch(
        'paxos/follower.ts',
        'const { ballot, slot, value, firstSlot, chosenIndex } = message;\n    if (!sameProposer(from, ballot)) return;',
        'const { ballot, slot, value, firstSlot, chosenIndex } = message;',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'short-path-without-own-vote',
    hazard: 'A follower takes an accept for chosen though its promise forbids it to vote (rule 4).',
    patches: [
      patch(
        'paxos/follower.ts',
        'if (compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, 0);\n    if (!this.log',
        'if (compareBallots(ballot, this.acceptor.promised) < 0) {\n      this.log.keepVote(slot, ballot, value);\n      this.log.choose(slot);\n      return;\n    }\n    if (!this.log',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'learned-by-an-older-vote',
    hazard: 'A chosen index is taken for a vote of another ballot, which may hold another value (rule 4).',
    patches: [
      patch(
        'paxos/learner.ts',
        'slot <= chosenIndex && this.acceptor.hasVote(ballot, slot)',
        'slot <= chosenIndex && this.log.vote(slot) !== undefined',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'fetched-value-not-recorded',
    hazard: 'A fetched slot is said to be applied and not found again after a restart, when others have forgotten it (rule 2).',
    patches: [patch('paxos/learner.ts', "      out.persist.push({ type: 'learned', slot, value });\n", '')],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'leader-never-stops-without-majority',
    hazard: 'A leader that nobody hears leads for ever (rule 8; lesson: leader of a minority keeps leading).',
    patches: [
      patch(
        'paxos/replica.ts',
        "if (nowMs >= this.silentDeadlineMs(role.term)) this.stepDown('majority silent', nowMs);\n      else if",
        'if',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'candidate-without-canvass',
    hazard: 'A voter that comes back raises the ballot at once and deposes a healthy leader (lesson: returning voter deposes a leader).',
    patches: [
      patch('paxos/replica.ts', "this.onSupport(this.options.self, { type: 'support', ballot }, nowMs);", 'this.prepare(ballot, nowMs);'),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'candidates-back-off-for-ever',
    hazard: 'Whoever might lead waits so long before it stands that there is no leader for many election timeouts (promise 7).',
    patches: [
      patch(
        'paxos/follower.ts',
        'electionTimeoutMs * (1 + this.options.random.next());',
        'electionTimeoutMs * (1 + 100 * this.options.random.next());',
      ),
    ],
    killers: [simulation(10)],
  },
];
