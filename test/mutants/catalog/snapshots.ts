/** Wrong snapshots and wrong floors: a state that is taken up in part or mixed, written while it changes, or forgotten too early. */
import { patch, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const snapshots: readonly Mutant[] = [
  {
    name: 'snapshot-installed-in-part',
    hazard: 'A snapshot is taken up before its last chunk is there (lesson: snapshot larger than a frame).',
    patches: [
      patch('snapshot/snapshot-intake.ts', 'return this.nextChunk < header.chunks ?', 'return this.nextChunk < header.chunks - 1 ?'),
      patch('snapshot/snapshot-intake.ts', 'if (this.rows !== header.rows)', 'if (this.rows > header.rows)'),
      patch(
        'snapshot/snapshot-intake.ts',
        "if (group === null || this.hash.update(headerText(header)).digest('hex') !== header.hash)",
        'if (group === null || headerText(header) === header.hash)',
      ),
    ],
    killers: [unit('snapshot/snapshot')],
  },
  {
    name: 'two-snapshots-mixed',
    hazard: 'Chunks of two snapshots become one state (lesson: two snapshots mixed).',
    patches: [patch('snapshot/snapshot-intake.ts', 'hash !== header.hash || chunk !== this.nextChunk', 'chunk !== this.nextChunk')],
    killers: [unit('snapshot/snapshot')],
  },
  {
    name: 'snapshot-hash-unchecked',
    hazard: 'A snapshot with a row that was changed on its way is taken up (lesson: snapshot larger than a frame).',
    patches: [
      patch(
        'snapshot/snapshot-intake.ts',
        "if (group === null || this.hash.update(headerText(header)).digest('hex') !== header.hash)",
        'if (group === null || headerText(header) === header.hash)',
      ),
    ],
    killers: [unit('snapshot/snapshot')],
  },
  {
    name: 'applied-while-it-is-written',
    hazard: 'Slots are applied while a snapshot of the state is being written, so that it is the state of no slot (rule 2).',
    patches: [patch('group/voter-seat.ts', 'if (this.waiting.length > 0 && !this.isFrozen)', 'if (this.waiting.length > 0)')],
    killers: [unit('group/snapshot-writing')],
  },
  {
    name: 'candidate-fills-under-the-floor',
    hazard: 'A candidate that lacks what a promiser has forgotten fills it with no-ops (rule 2).',
    patches: [
      patch(
        'paxos/replica.ts',
        'if (chosenIndex > this.log.chosenIndex) this.learner.maybeFetch',
        'if (chosenIndex > this.log.chosenIndex && this.log.chosenIndex > 0) this.learner.maybeFetch',
      ),
    ],
    killers: [unit('paxos/forgotten')],
  },
  {
    name: 'snapshot-leaves-the-log-behind',
    hazard: 'The log goes on under a snapshot that was taken up, and hands slots out that are in the state already (rule 2).',
    patches: [
      patch(
        'paxos/log.ts',
        'this.entries.splice(0, slot - this.base);\n    this.base = slot;\n    this.floor = slot;',
        'this.entries.splice(0, slot - this.base);\n    this.base = slot;',
      ),
    ],
    killers: [unit('paxos/forgotten')],
  },
  {
    name: 'log-of-the-dead',
    hazard: 'A voter that is gone makes the log of the others grow for ever (lesson: unbounded memory).',
    patches: [patch('paxos/log.ts', 'const floor = this.chosenIndex - slotsMax;', 'const floor = 0 * slotsMax || 0;')],
    killers: [unit('paxos/forgotten')],
  },
  {
    name: 'served-log-forgotten',
    hazard: 'What follows a snapshot is forgotten while it is being fetched, so that whoever took it needs another at once (rule 2).',
    patches: [patch('paxos/log.ts', 'Math.min(slot, this.taken, this.keepAbove)', 'Math.min(slot, this.taken)')],
    killers: [unit('paxos/forgotten')],
  },
  {
    name: 'slots-forgotten-while-a-snapshot-is-written',
    hazard:
      'A voter forgets slots that it chose while it writes a snapshot, and what its store keeps beside that lacks them (rules 2 and 21).',
    patches: [patch('group/snapshot-server.ts', 'return this.writer || this.kept ?', 'return this.kept ?')],
    killers: [unit('group/snapshot-writing')],
  },
  {
    name: 'slots-forgotten-in-the-turn-of-the-question',
    hazard: 'A voter begins to write a snapshot and forgets, in the same turn, slots that it learns after that (rules 2 and 21).',
    patches: [
      patch(
        'group/place.ts',
        '    this.hold(snapshots);\n    if (installed)',
        '    if (voter) voter.isFrozen = snapshots.server.isWriting;\n    if (installed)',
      ),
    ],
    killers: [unit('group/snapshot-writing')],
  },
  {
    name: 'slots-forgotten-above-a-snapshot-taken-up',
    hazard: 'A voter takes up a snapshot and forgets slots above it before its store holds them (rules 2 and 21).',
    patches: [patch('group/snapshots.ts', 'return Math.min(this.installedIndex, this.server.keepAbove);', 'return this.server.keepAbove;')],
    killers: [unit('group/snapshot-storing')],
  },
  {
    name: 'snapshot-kept-at-any-price',
    hazard: 'A snapshot that somebody asks for and never gets keeps the log of everybody for ever, and nothing more is stored (promise 7).',
    patches: [patch('group/snapshot-server.ts', 'if (isTooLong || nowMs', 'if (nowMs')],
    killers: [unit('group/snapshot-storing')],
  },
  {
    name: 'learned-beside-a-snapshot-and-not-kept',
    hazard:
      'What a standby learned in the turn of its snapshot is in no store, and it fills it with nothing in the seat that it is given (rule 2).',
    patches: [patch('group/kept-records.ts', 'if (log) records.push', 'if (isGiven && log) records.push')],
    killers: [unit('group/snapshot-storing')],
  },
  {
    name: 'given-seat-that-serves-nothing',
    hazard:
      'A voter whose seat was given away, and that was restarted, does not tell of the stop-sign that it may be one of two to know (rule 16).',
    patches: [
      patch(
        'group/voter-seat.ts',
        '    if (this.isOver) for (const { slot, value } of this.present.log.takeChosen()) this.state.apply(slot, value);\n',
        '',
      ),
    ],
    killers: [unit('group/catching-up')],
  },
  {
    name: 'stop-sign-forgotten-above-a-snapshot',
    hazard:
      'A voter that takes up a snapshot, and learns at once that its seat is given away, keeps the snapshot and not the stop-sign (rule 16).',
    patches: [patch('group/kept-records.ts', '    if (log) records.push(...learnedAbove(index, log));\n', '')],
    killers: [unit('group/catching-up')],
  },
  {
    name: 'two-compactions-at-once',
    hazard:
      'An installed snapshot is stored while an earlier one is still being written, and the later to end takes records with it (rule 2).',
    patches: [
      patch('runtime/run-writer.ts', 'compacts && this.#beside ? this.#beside.then(write) : write();', 'compacts ? write() : write();'),
    ],
    killers: [unit('runtime/run-writer'), unit('simulation/saved-lives')],
  },
  {
    name: 'snapshots-of-an-earlier-founding',
    hazard: 'A standby of a founding that is over takes a seat in the next, and refuses its snapshots for those of another (promise 7).',
    patches: [
      patch('group/place.ts', '    if (this.known?.configuration.founding !== record.configuration.founding) this.snapshots = null;\n', ''),
      patch('group/place.ts', '    this.standby = null;\n    this.snapshots = null;\n', '    this.standby = null;\n'),
    ],
    killers: [unit('group/catching-up')],
  },
  {
    name: 'snapshot-asked-of-the-first-alone',
    hazard: 'Whoever was known first is asked for a snapshot on and on, though it has none to give any more (promise 7).',
    patches: [
      patch('group/snapshot-client.ts', '    if (this.isFetching) this.sources = [...new Set([...this.sources, ...sources])];\n', ''),
    ],
    killers: [unit('group/snapshot-client')],
  },
  {
    name: 'snapshot-of-an-earlier-founding',
    hazard: 'A voter comes back with the state of a founding that is no more, in which it stood by for a seat (promise 1).',
    patches: [patch('storage/begin-run.ts', 'kept && isOf(lastFounding(records), kept) ? kept : undefined', 'kept')],
    killers: [unit('storage/earlier-founding')],
  },
  {
    name: 'slots-of-an-earlier-founding',
    hazard: 'A voter comes back with slots that it learned in a founding that is no more (promise 1).',
    patches: [
      patch(
        'storage/begin-run.ts',
        'record.record.configuration.founding !== founder.record?.configuration.founding',
        "record.record.configuration.founding === ''",
      ),
    ],
    killers: [unit('storage/earlier-founding')],
  },
];
