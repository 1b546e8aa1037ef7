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
    patches: [patch('paxos/founding-log.ts', '    this.counting = record;\n    this.joined.clear();\n', '    this.counting = record;\n')],
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
  {
    name: 'roll-call-counts-replayed-greetings',
    hazard: 'Whether a group lives is told from greetings that answer nobody now (rules 11 and 22).',
    patches: [patch('paxos/survivors.ts', 'nonce !== this.nonce || ', '')],
    killers: [unit('paxos/survivors')],
  },
  {
    name: 'roll-call-by-the-first-voters',
    hazard: 'Whether a group lives is asked of those who founded it, though others vote by now (rule 22).',
    patches: [
      patch('paxos/survivors.ts', 'if (record.configuration.id > this.configuration.id) this.configuration = record.configuration;', ''),
    ],
    killers: [unit('paxos/survivors')],
  },
  {
    name: 'founding-ended-though-it-lives',
    hazard: 'An operator’s call ends a group that has a leader (rule 22).',
    patches: [patch('api/refound.ts', 'if (isAlive) throw groupLives(group, voters, heard);', '')],
    killers: [unit('api/refound')],
  },
  {
    name: 'next-founding-without-its-wait',
    hazard: 'The founding after one that an operator ended grants leases while those of the lost life may still hold (rule 12).',
    patches: [patch('paxos/founding-by-count.ts', 'firstFounding: firstFounding && !log.hasAnyEnded,', 'firstFounding,')],
    killers: [unit('api/refound')],
  },
  {
    name: 'founded-beside-a-leader',
    hazard: 'A founding that was ended is followed by another while its leader still answers (rule 22).',
    patches: [patch('paxos/founding-by-count.ts', "if (standing === 'led') this.endedButLedAtMs = this.nowMs;", '')],
    killers: [unit('paxos/founding-by-count')],
  },
  {
    name: 'survivor-keeps-its-seat',
    hazard: 'A voter whose founding an operator ended goes on voting in it (rule 22).',
    patches: [patch('paxos/founding-by-count.ts', "    this.out.persist.push({ type: 'discarded' });\n", '')],
    killers: [unit('paxos/founding-by-count'), model('founding-by-count-ended')],
  },
  {
    name: 'deafness-taken-for-silence',
    hazard: 'An operator that cannot read what the voters say ends their group (rule 22).',
    patches: [patch('api/refound.ts', 'if (!survivors.isAlive) this.checkHearing(channel);', '')],
    killers: [unit('api/refound')],
  },
  {
    name: 'lost-connection-taken-for-silence',
    hazard: 'An operator whose connection was lost while it listened ends a group that it could not hear (rule 22).',
    patches: [patch('api/refound.ts', "if (this.wasCutOff || channel.status !== 'connected')", 'if (false)')],
    killers: [unit('api/roll-call')],
  },
  {
    name: 'roll-call-that-ends-too-soon',
    hazard:
      'An operator stops listening once voters that were replaced have answered, and ends the group of those who took their place (rule 22).',
    patches: [patch('api/refound.ts', 'while (!survivors.isAlive && host.monotonicMs() < untilMs);', 'while (false);')],
    killers: [unit('api/roll-call')],
  },
  {
    name: 'leader-that-an-operator-overhears',
    hazard: 'An operator ends a group whose leader it hears (rule 22).',
    patches: [patch('api/refound.ts', "if (frame && message.type === 'heartbeat') this.survivors.onHeartbeat(frame.founding);", '')],
    killers: [unit('api/roll-call')],
  },
  {
    name: 'foreign-frame-is-no-reason-to-look',
    hazard: 'A voter that is led, and whose founding an operator ended, hears those of the next one and never looks (rule 22).',
    patches: [
      patch(
        'group/founding-desk.ts',
        "    this.lookAgain();\n    return { type: 'foreignFounding'",
        "    return { type: 'foreignFounding'",
      ),
    ],
    killers: [unit('group/founding-desk')],
  },
  {
    name: 'seat-forgotten-for-a-replaced-record',
    hazard: 'A voter that once accepted a record which was replaced starts again as a candidate beside its own seat (rule 22).',
    patches: [
      patch(
        'group/founding-desk.ts',
        'if (joined !== undefined && memory?.founder.record?.configuration.founding !== joined) this.founder?.join(joined);',
        'if (joined !== undefined && !memory?.founder.record) this.founder?.join(joined);',
      ),
    ],
    killers: [unit('group/founding-desk')],
  },
];
