/** Wrong acceptors: promises and votes that are not made, not kept, or counted for what they are not. "Paxos Made Simple" §2.2. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const votes: readonly Mutant[] = [
  {
    name: 'decree-accept-raises-no-promise',
    hazard: 'A vote that does not raise the promise lets an older ballot be voted for after it (lesson: promise raised in one handler).',
    patches: [
      patch(
        'paxos/acceptor.ts',
        'if (!this.promise(ballot, persist)) return false;\n    if (slot',
        'if (compareBallots(ballot, this.promisedBallot) < 0) return false;\n    if (slot',
      ),
    ],
    killers: [unit('paxos/acceptor'), model('synod')],
  },
  {
    name: 'log-accept-raises-no-promise',
    hazard:
      'In the log, only prepare raises the promise: an older leader is voted for after a newer one (lesson: promise raised in one handler).',
    patches: [
      patch('paxos/follower.ts', 'this.adoptPromise(ballot, nowMs);\n    this.acceptor.accept(', 'this.acceptor.accept('),
      patch(
        'paxos/acceptor.ts',
        'if (!this.promise(ballot, persist)) return false;\n    if (slot',
        'if (compareBallots(ballot, this.promisedBallot) < 0) return false;\n    if (slot',
      ),
    ],
    killers: [unit('paxos/acceptor')],
  },
  {
    name: 'prepare-raises-no-promise',
    hazard: 'A promise is said and not kept: the old leader is voted for after it (lesson: promise raised in one handler).',
    patches: [
      patch(
        'paxos/follower.ts',
        'this.adoptPromise(ballot, nowMs);\n    this.electionDueMs = nowMs + this.electionDelayMs();\n    const votes',
        'this.electionDueMs = nowMs + this.electionDelayMs();\n    const votes',
      ),
    ],
    killers: [unit('paxos/replica'), simulation(40)],
  },
  {
    name: 'vote-below-the-promise',
    hazard: 'An accept of a lower ballot than the promised one is voted for (promise 1).',
    patches: [
      patch(
        'paxos/follower.ts',
        'if (compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, 0);\n    if (!this.log',
        'if (!this.log',
      ),
      patch(
        'paxos/acceptor.ts',
        'if (!this.promise(ballot, persist)) return false;\n    if (slot',
        'this.promise(ballot, persist);\n    if (slot',
      ),
    ],
    killers: [unit('paxos/acceptor'), simulation(40)],
  },
  {
    name: 'promise-not-persisted',
    hazard: 'A promise does not outlive a restart with memory (lesson: reply leaves before it is durable).',
    patches: [
      patch(
        'paxos/acceptor.ts',
        "this.promisedBallot = ballot;\n      persist.push({ type: 'promised', ballot });",
        'this.promisedBallot = ballot;',
      ),
    ],
    killers: [unit('paxos/acceptor'), simulation(40)],
  },
  {
    name: 'vote-not-persisted',
    hazard: 'A vote does not outlive a restart with memory (lesson: reply leaves before it is durable).',
    patches: [patch('paxos/acceptor.ts', "    persist.push({ type: 'voted', slot, ballot, value });\n", '')],
    killers: [unit('paxos/acceptor'), simulation(40)],
  },
  {
    name: 'send-before-persist',
    hazard: 'What rests on a write leaves before the write is durable (lesson: reply leaves before it is durable).',
    patches: [
      patch(
        'runtime/run-writer.ts',
        'this.isBusy = true;\n    written.then(\n      () => {\n        done();',
        'this.isBusy = true;\n    then();\n    written.then(\n      () => {\n        this.isBusy = false;\n        this.#writtenAt = began;',
      ),
    ],
    killers: [unit('runtime/open-engine'), simulation(20)],
  },
  {
    name: 'own-vote-not-stored',
    hazard: 'A leader counts its own vote without storing it, and the short path of its followers rests on it (rule 4).',
    patches: [
      patch(
        'paxos/replica.ts',
        'this.acceptor.accept(term.ballot, proposal.slot, value, this.out.persist);',
        'this.acceptor.accept(term.ballot, proposal.slot, value, []);',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'accepted-of-another-ballot',
    hazard: 'An acknowledgement of an earlier ballot is counted for this one (lesson: acknowledgement of another ballot counted).',
    patches: [
      patch(
        'paxos/replica.ts',
        "if (role.type !== 'leader' || !sameBallot(role.term.ballot, ballot)) return;\n    role.term.onAccepted",
        "if (role.type !== 'leader') return;\n    role.term.onAccepted",
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'accepted-of-another-slot',
    hazard: 'An acknowledgement of a slot is counted for the next one too (lesson: acknowledgement of another slot counted).',
    patches: [patch('paxos/leader.ts', '(this.upTo.get(node) ?? 0) >= slot ||', '(this.upTo.get(node) ?? 0) >= slot - 1 ||')],
    killers: [unit('paxos/replica'), simulation(40)],
  },
  {
    name: 'vote-of-another-incarnation',
    hazard: 'A voter that lost its memory votes on under its name (rule 3; lesson: wiped voter rejoins under its old identity).',
    patches: [
      patch('paxos/configuration.ts', 'voter.node === seat.node && voter.incarnation === seat.incarnation', 'voter.node === seat.node'),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'majority-off-by-one',
    hazard: 'Half of the voters, rounded down, decide: two such halves need not meet (promise 1).',
    patches: [patch('paxos/configuration.ts', 'Math.floor(voters.length / 2) + 1', 'Math.floor(voters.length / 2)')],
    killers: [unit('paxos/replica'), simulation(10)],
  },
  {
    name: 'acknowledgement-over-a-gap',
    hazard: 'A cumulative acknowledgement covers a slot that was never voted for (lesson: acknowledgement of another slot counted).',
    patches: [
      patch(
        'paxos/acknowledgement.ts',
        'this.upTo = this.acceptor.acceptedUpTo(ballot, firstSlot, this.upTo);',
        'this.upTo = Math.max(this.upTo, slot, this.acceptor.acceptedUpTo(ballot, firstSlot, this.upTo));',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'ballot-without-run',
    hazard: 'A restarted proposer reuses a ballot of its earlier run (rule 3).',
    patches: [
      patch(
        'paxos/ballot.ts',
        ' || compareText(a.incarnation, b.incarnation) || a.run - b.run;',
        ' || compareText(a.incarnation, b.incarnation);',
      ),
    ],
    killers: [unit('paxos/acceptor')],
  },
  {
    name: 'ballot-without-incarnation',
    hazard: 'Two lives of one name share their ballots (rule 3).',
    patches: [patch('paxos/ballot.ts', ' || compareText(a.incarnation, b.incarnation) || a.run - b.run;', ' || a.run - b.run;')],
    killers: [unit('paxos/acceptor')],
  },
  {
    name: 'own-frames-count',
    hazard: 'A frame of this voter’s own, from now or from an earlier run, is taken for another voter’s word (rule 4).',
    patches: [patch('paxos/follower.ts', 'from.node !== this.options.self.node && isVoter', 'isVoter')],
    killers: [unit('paxos/replica')],
  },
];
