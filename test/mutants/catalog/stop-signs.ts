/** Wrong successions: configurations that do not end where their stop-sign is, and seats that are given to whom they should not. */
import { model, patch, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const stopSigns: readonly Mutant[] = [
  {
    name: 'nothing-purged-above-a-stop-sign',
    hazard: 'What was voted for above a stop-sign stays in the log of the next configuration (rule 1).',
    patches: [patch('paxos/log.ts', '    this.entries.length = Math.max(0, Math.min(this.entries.length, slot - this.base));\n', '')],
    killers: [unit('paxos/stop-sign'), model('stop-sign-with-gaps')],
  },
  {
    name: 'begin-above-an-adopted-stop-sign',
    hazard: 'A leader that adopted a stop-sign begins at once, and serves a configuration that may be over (rules 1 and 6).',
    patches: [patch('paxos/replica.ts', 'if (!adopted.some(({ value }) => this.isStopSign(value))) this.begin', 'this.begin')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'value-above-ones-own-stop-sign',
    hazard: 'A leader goes on proposing above its stop-sign (rule 1).',
    patches: [patch('paxos/replica.ts', 'if (term.beginSlot === 0 || term.stopSlot > 0) return;', 'if (term.beginSlot === 0) return;')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'votes-of-the-configuration-before',
    hazard: 'Votes under a stop-sign count in the configuration after it (rule 1).',
    patches: [patch('paxos/log.ts', 'entry?.ballot && slot > this.sealed ?', 'entry?.ballot ?')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'rounds-that-begin-anew',
    hazard: 'A ballot of one configuration is used again in the next (rule 3).',
    patches: [patch('paxos/follower.ts', 'if (succession) this.see(succession.highestSeen);', '')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'stop-sign-under-any-stamp',
    hazard: 'A stop-sign takes effect although another leader began before it (rule 5).',
    patches: [
      patch('group/group-state.ts', '    if (entry[1] !== this.#stamp) return;\n    this.#outcome.sealed', '    this.#outcome.sealed'),
    ],
    killers: [unit('group/membership')],
  },
  {
    name: 'replaced-incarnation-readmitted',
    hazard: 'An incarnation that lost its seat is given one again (rule 16).',
    patches: [
      patch('group/membership.ts', '    if (voters.some(({ incarnation }) => this.#replaced.has(incarnation))) return null;\n', ''),
    ],
    killers: [unit('group/membership')],
  },
  {
    name: 'service-after-the-stop-sign',
    hazard: 'A leader goes on answering after it has sent its stop-sign (rule 6).',
    patches: [
      patch(
        'group/voter-seat.ts',
        'present: Circumspection, at: Instant): void {\n    this.service = null;\n',
        'present: Circumspection, at: Instant): void {\n',
      ),
    ],
    killers: [unit('group/swaps')],
  },
  {
    name: 'seat-of-the-living-given-away',
    hazard: 'A seat is given to another process of its name although its owner answers heartbeats (rule 16).',
    patches: [
      patch(
        'group/voter-changes.ts',
        "if (typeof enters === 'string' || connected.includes(seat.node)) continue;",
        "if (typeof enters === 'string') continue;",
      ),
    ],
    killers: [unit('group/swaps')],
  },
  {
    name: 'seat-given-to-one-that-lags',
    hazard: 'A seat is given to a newcomer that has yet to catch up (rule 16).',
    patches: [
      patch(
        'group/standby-list.ts',
        "return chosenIndex - known.appliedIndex <= slotsLackingMax ? known.seat : 'notCaughtUp';",
        'return known.seat;',
      ),
    ],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'seat-left-for-a-group-of-other-names',
    hazard: 'A voter beside the names gives its seat up for a group of quite other names that has the same name by mistake (rule 14).',
    patches: [
      patch('group/member.ts', '(isBesideNames(this.options) && this.desk.isOfSameVoters(greeting))', 'isBesideNames(this.options)'),
    ],
    killers: [unit('group/voter-orders')],
  },
  {
    name: 'seat-for-an-incarnation-that-ended',
    hazard: 'A standby that ended a moment ago, and whose name begins anew, is given the seat that the majority needs (rule 16).',
    patches: [
      patch('group/standby-list.ts', '    if (this.seen.get(node)?.seat.incarnation !== incarnation) this.seen.delete(node);\n', ''),
    ],
    killers: [unit('group/voter-orders')],
  },
  {
    name: 'late-echo-of-one-that-ended',
    hazard: 'An echo that is later than the first words of the incarnation after it has the seat given to one that is no more (rule 16).',
    patches: [patch('group/standby-list.ts', 'if (isOfOneThatEnded || id <', 'if (id <')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'late-echo-brings-an-incarnation-back',
    hazard: 'An echo of an older heartbeat, by the incarnation before, makes a leader forget the one that lives (rule 16).',
    patches: [
      patch(
        'group/standby-list.ts',
        'if (isOfOneThatEnded || id < (this.seen.get(node)?.id ?? 0)) return;',
        'if (isOfOneThatEnded) return;',
      ),
    ],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'change-that-too-few-live-for',
    hazard: 'Voters are changed though no majority of those of before, or of those of after, is heard (rule 16).',
    patches: [
      patch(
        'group/voter-change.ts',
        "  if ([configuration, { voters }].some((all) => all.voters.filter(isThere).length < majorityOf(all))) return 'quorumAtRisk';\n",
        '',
      ),
    ],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'one-that-ended-counted-on',
    hazard: 'Voters are changed to ones of whom a majority has just lost its memory, as the leader was told (rules 5 and 16).',
    patches: [patch('group/voter-change.ts', ' && !hasEnded(seat));', ');')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'majority-of-outsiders-proposed',
    hazard: 'A leader proposes voters most of whom are of names that the group was not founded with (rule 14).',
    patches: [patch('group/voter-change.ts', "  if (isOfOutsiders({ voters }, named)) return 'outsiders';\n", '')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'majority-of-outsiders-taken',
    hazard: 'A stop-sign takes effect that gives the majority to names that the group was not founded with (rule 14).',
    patches: [patch('group/membership.ts', '    if (isOfOutsiders({ voters }, named)) return null;\n', '')],
    killers: [unit('group/membership')],
  },
  {
    name: 'names-that-a-later-leader-states',
    hazard: 'A later leader says anew which names the group was founded with, and so binds nobody (rule 14).',
    patches: [patch('group/membership.ts', 'this.#last.id === 1 ? namedNow : this.#named;', 'namedNow;')],
    killers: [unit('group/membership')],
  },
  {
    name: 'living-seat-swapped-on-demand',
    hazard: 'An operator has the seat of a process that lives given to another of its name (rule 16).',
    patches: [
      patch(
        'group/voter-changes.ts',
        "return term.lease.connected(nowMs, silenceMs).includes(node) ? answer('seatInUse') : this.enter",
        'return this.enter',
      ),
    ],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'two-changes-at-once',
    hazard: 'A change of voters is proposed while another has yet to end (rules 1 and 16).',
    patches: [patch('group/voter-change.ts', "  if (term.stopSlot > 0 || term.beginSlot === 0) return 'underWay';\n", '')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'autopilot-in-a-young-term',
    hazard: 'A new leader takes voters that it has not heard yet for silent ones (rule 5).',
    patches: [patch('group/voter-changes.ts', '    if (nowMs - term.sinceMs < replaceAfterMs) return null;\n', '')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'voter-that-leaves-before-it-is-replaced',
    hazard: 'A voter that closes leaves its seat empty though somebody stands by.',
    patches: [patch('runtime/open-engine.ts', '    await this.leaveSeat(dueMs - this.host.monotonicMs());\n', '')],
    killers: [unit('api/close')],
  },
  {
    name: 'voters-beside-the-list-not-written-to',
    hazard: 'Frames for the voters reach only those that transports know, and a voter of another name never hears a candidate.',
    patches: [
      patch(
        'group/addressed.ts',
        '  if (voters.every(({ node }) => listed.includes(node))) return sends;',
        '  if (voters.length > 0) return sends;',
      ),
    ],
    killers: [unit('group/voter-orders')],
  },
  {
    name: 'outsider-that-keeps-a-dead-seat',
    hazard: 'A voter that the group was not founded with keeps its seat though those it was founded with found anew, and never comes back.',
    patches: [patch('group/member.ts', 'if (found && mayFollow)', 'if (found && !this.seat)')],
    killers: [unit('group/voter-orders')],
  },
  {
    name: 'void-records-remembered',
    hazard: 'After a restart with memory, votes of a configuration that is over are found again above its stop-sign (rule 1).',
    patches: [patch('storage/begin-run.ts', '        seal(record.sealedAt, votes, learned);\n', '')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'seat-given-to-the-one-that-has-it',
    hazard:
      'A standby that has yet to learn that it was given the seat is given it again, by a stop-sign that is void (rule 16, promise 7).',
    patches: [patch('group/voter-change.ts', "if (enters && isVoter(configuration, enters)) return 'seatInUse';", 'void isVoter;')],
    killers: [unit('group/voter-changes')],
  },
  {
    name: 'silent-behind-a-void-stop-sign',
    hazard: 'A leader whose own stop-sign proved void stays silent for ever, and nobody else leads (rule 6, promise 7).',
    patches: [patch('paxos/replica.ts', '    if (term.stopSlot > 0 && upTo >= term.stopSlot) this.resign(nowMs);\n', '')],
    killers: [unit('paxos/stop-sign')],
  },
  {
    name: 'restarted-in-the-configuration-before',
    hazard:
      'A voter that learned from a snapshot that its seat was given away, and stopped, comes back as a voter of the configuration before, for ever (rule 16, promise 7).',
    patches: [
      patch('group/kept-records.ts', "    if (isGiven && record) records.push({ type: 'configuration', record, sealedAt: index });\n", ''),
    ],
    killers: [unit('group/catching-up')],
  },
];
