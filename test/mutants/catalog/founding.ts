/** Wrong foundings: two groups of one name, one that is wedged, or one that grants too early. Rules 11 to 14. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const founding: readonly Mutant[] = [
  {
    name: 'founder-accepts-two-records',
    hazard: 'An incarnation takes part in two foundings (rule 11).',
    patches: [
      patch(
        'paxos/founding.ts',
        '    if (this.record) return sameFounding(this.record, record) && !this.complete ? this.sayAccepted() : undefined;\n',
        '',
      ),
    ],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'founder-never-gives-up',
    hazard: 'One memory lost in the middle of a founding wedges it for ever (rule 11).',
    patches: [patch('paxos/founding.ts', 'if (stranger && this.haveAllAnswered) this.giveUp', 'if (stranger && !stranger) this.giveUp')],
    killers: [unit('group/member-founding'), model('founding-with-a-wipe')],
  },
  {
    name: 'founder-gives-up-too-soon',
    hazard: 'A founder discards its incarnation though another knows that the founding is complete (rule 11).',
    patches: [patch('paxos/founding.ts', 'if (stranger && this.haveAllAnswered) this.giveUp', 'if (stranger) this.giveUp')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'founding-by-majority',
    hazard: 'A founding is complete before every named voter has accepted it (rule 11; lesson: a lone member becomes a cluster).',
    patches: [
      patch(
        'paxos/founding.ts',
        'if (voters.every((node) => node === self.node || this.acceptedBy.has(node))) this.learnComplete();',
        'if (2 * voters.filter((node) => node === self.node || this.acceptedBy.has(node)).length > voters.length) this.learnComplete();',
      ),
    ],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'group-opens-without-the-wait',
    hazard: 'A group grants while leases of a founding that nobody remembers may still run (rule 12).',
    patches: [
      patch(
        'group/leader-service.ts',
        'if (this.state.isOpen || this.options.record.firstFounding) return 0;',
        'if (nowMs > -Infinity) return 0;',
      ),
    ],
    killers: [unit('group/opening')],
  },
  {
    name: 'group-opens-unconfirmed',
    hazard: 'A session opens before every founder has confirmed that it knows completion (rule 11).',
    patches: [
      patch(
        'group/leader-service.ts',
        'if (this.opening || this.state.isOpen || !this.allConfirmed) return;',
        'if (this.opening || this.state.isOpen) return;',
      ),
    ],
    killers: [unit('group/opening')],
  },
  {
    name: 'stale-greeting-counts-for-a-founder',
    hazard: 'A greeting to an old nonce, re-read from a retained topic, is evidence of a group (rule 11).',
    patches: [
      patch('paxos/founding.ts', "if (this.nonce === '' || greeting.nonce !== this.nonce) return;", "if (this.nonce === '') return;"),
    ],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'stale-greeting-counts-for-a-client',
    hazard: 'A client believes in a group by a greeting to an old nonce (rule 11).',
    patches: [patch('group/inquiry.ts', 'return greeting.nonce === this.nonce;', "return greeting.nonce !== '';")],
    killers: [unit('group/inquiry')],
  },
  {
    name: 'founders-clocks-apart',
    hazard: 'Founders whose calendars differ by more than 2 s found all the same, and tokens may fall (rule 13).',
    patches: [
      patch('paxos/founding.ts', 'if (this.areClocksApart) return false;', ''),
      patch('paxos/founding.ts', 'if (this.areClocksApart) return;', ''),
    ],
    killers: [unit('group/member-founding')],
  },
  {
    name: 'spread-counted-from-own-clock-alone',
    hazard: 'Founders of whom each is near to the proposer found, though two are almost 4 s apart (rule 13).',
    patches: [
      patch(
        'paxos/clocks-apart.ts',
        'return Math.max(0, ...ahead) - Math.min(0, ...ahead);',
        'return Math.max(0, ...ahead.map((aheadMs) => Math.abs(aheadMs)));',
      ),
    ],
    killers: [unit('paxos/founding', 'paxos/founding-by-count')],
  },
  {
    name: 'record-of-other-voters',
    hazard: 'A founder accepts a record that does not list exactly its own voters (rules 11 and 14).',
    patches: [patch('paxos/founding.ts', '!listed(record, self) || !sameVoters(names, voters)) return;', '!listed(record, self)) return;')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'silence-is-a-lost-seat',
    hazard: 'A survivor gives up its seat because others are silent (rule 15).',
    patches: [
      patch(
        'paxos/majority-watch.ts',
        'return answers === undefined || answers.has(incarnation) ? undefined : [...answers].at(-1);',
        "return answers?.has(incarnation) === true ? undefined : ([...(answers ?? [])].at(-1) ?? 'nobody');",
      ),
    ],
    killers: [unit('paxos/majority-watch'), model('refounding-beside-an-outsider')],
  },
  {
    name: 'old-answer-is-a-lost-seat',
    hazard: 'A survivor believes an answer to an earlier question, re-read from a retained topic (rule 15).',
    patches: [
      patch(
        'paxos/majority-watch.ts',
        "if (this.nonce === '' || nonce !== this.nonce) return;",
        "if (this.nonce === '' || nonce === '') return;",
      ),
    ],
    killers: [unit('paxos/majority-watch'), model('refounding-beside-an-outsider')],
  },
  {
    name: 'loss-of-the-first-voters',
    hazard: 'A survivor judges by the configuration that it first had a seat in, not by the last that it knows (rule 15).',
    patches: [patch('paxos/majority-watch.ts', 'configuration.id <= this.known.id) return;', 'configuration.id > 0) return;')],
    killers: [unit('paxos/majority-watch'), model('refounding-beside-an-outsider')],
  },
  {
    name: 'inherited-tokens-forgotten',
    hazard: 'A group that is founded anew begins its tokens below those that a survivor remembers (rules 13 and 15).',
    patches: [
      patch('paxos/founding.ts', ', this.inherits?.tokenSecond ?? 0);', ');'),
      patch('paxos/legacy.ts', '!firstFounding && tokenSecond > present.tokenSecond &&', '!firstFounding && tokenSecond >= 0 &&'),
    ],
    killers: [unit('paxos/founding'), model('refounding-beside-an-outsider')],
  },
  {
    name: 'first-founding-of-a-group-that-was',
    hazard: 'A group that is founded anew skips its wait because the user said that there was no earlier life (rules 12 and 15).',
    patches: [
      patch('paxos/founding.ts', 'firstFounding: firstFounding && replaces === undefined,', 'firstFounding,'),
      patch('paxos/legacy.ts', '!firstFounding && tokenSecond > present.tokenSecond &&', 'tokenSecond > present.tokenSecond &&'),
    ],
    killers: [unit('paxos/founding'), model('refounding-beside-an-outsider')],
  },
  {
    name: 'group-forgotten-by-those-who-knew-it',
    hazard: 'Founders that are told of a group which died out take the word of the user that theirs is the first (rule 12).',
    patches: [patch('paxos/founding.ts', '    if (!this.complete) this.legacy.onGreeting(greeting, this.record);\n', '')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'survivor-of-another-name-not-asked',
    hazard:
      'The voters of the list found anew although one that orders put beside them remembers the group, and was told to stop there (rule 15).',
    patches: [patch('paxos/founding.ts', "asksAll ? 'all' : 'voters'", "'voters'")],
    killers: [unit('group/refounding')],
  },
  {
    name: 'founded-before-all-were-asked',
    hazard:
      'The voters of the list found anew within one round trip, before one that no list names could say that it remembers the group (rule 15).',
    patches: [patch('group/parts.ts', 'isAlone ? 0 : Math.ceil(timing.electionTimeoutMs / timing.heartbeatMs)', '0')],
    killers: [unit('group/refounding')],
  },
  {
    name: 'asked-before-all-voters-were-there',
    hazard:
      'Questions are counted while voters are away, and the last one that comes founds before it could hear what others remember (rule 15).',
    patches: [patch('paxos/founding.ts', 'this.haveAllAnswered || (this.asked > 0 && !isNew) ? Math.min', 'this.asked >= 0 ? Math.min')],
    killers: [unit('group/refounding')],
  },
  {
    name: 'founder-that-knows-better-only-refuses',
    hazard:
      'A founder that was told of an earlier group does not accept the record that was made without that, and the others wait for ever (rule 12).',
    patches: [patch('paxos/founding.ts', 'return this.giveUp(record, from);', 'return;')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'inheritance-forgotten-with-the-record',
    hazard:
      'Founders that accepted the record of a survivor forget with it what that inherited, and found anew without the wait (rules 12 and 15).',
    patches: [patch('paxos/founding.ts', '    this.legacy.onAccepted(record);\n', '')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'second-of-a-record-taken-for-granted',
    hazard: 'Founders that hear of a record from one that accepted it find it to begin too low, and give up in turn (rule 13).',
    patches: [patch('paxos/legacy.ts', 'tokenSecond: tokenSecond - 1', 'tokenSecond')],
    killers: [unit('paxos/founding'), unit('group/refounding')],
  },
  {
    name: 'founder-that-waits-for-one-that-left',
    hazard: 'A founder waits for ever for one that its record lists and that was given a seat by another group (rule 11).',
    patches: [
      patch('paxos/founding.ts', 'if (isElsewhere || !listed(record, seat)) return seat;', 'if (!listed(record, seat)) return seat;'),
    ],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'lost-outsider-keeps-silent',
    hazard: 'One that stands by without its memory does not answer a survivor, which takes it for silent instead of lost (rule 15).',
    patches: [patch('group/founding-desk.ts', '(this.standsBy || record !== null)', 'record !== null')],
    killers: [unit('group/founding-desk')],
  },
  {
    name: 'earlier-group-forgotten-by-a-restart',
    hazard: 'A founder that was told of an earlier group does not keep that, and is restarted with its memory (rule 12).',
    patches: [patch('paxos/founding.ts', '    if (unkept) out.persist', '    if (unkept && false) out.persist')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'unseated-outsider-keeps-its-word',
    hazard:
      'An outsider whose seat was given away, and who never heard the group that has it, keeps all from founding anew for ever (rule 15).',
    patches: [patch('group/parts.ts', '(isBereft || isUnseated)', 'isBereft')],
    killers: [unit('group/refounding')],
  },
  {
    name: 'leases-of-an-earlier-group-forgotten',
    hazard: 'The next founding waits for its own longest TTL alone, while leases of a group that it was told of run on (rule 12).',
    patches: [patch('paxos/founding.ts', ', this.legacy.inheritance?.longestTtlMs ?? 0);', ');')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'tokens-of-an-earlier-group-forgotten',
    hazard: 'The next founding begins its tokens below those of a group that it was told of (rule 13).',
    patches: [patch('paxos/legacy.ts', 'tokenSecond: Math.max(known.tokenSecond, told.tokenSecond) };', 'tokenSecond: 0 };')],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'earlier-group-not-handed-on',
    hazard: 'A founder that was told of a group says nothing of it to the one that proposes (rule 12).',
    patches: [patch('group/parts.ts', '    ...(inherits && { replaces: inherits.founding }),\n', '')],
    killers: [unit('group/refounding')],
  },
  {
    name: 'earlier-group-forgotten-by-the-next-incarnation',
    hazard: 'An incarnation that goes on for one which knew the group founds anew as if there had been none (rule 12).',
    patches: [patch('group/member.ts', '    this.desk.follow(record);\n', '')],
    killers: [unit('group/refounding')],
  },
  {
    name: 'wiped-voter-keeps-its-incarnation',
    hazard: 'A voter that lost its memory comes back as who it was (rule 3; lesson: wiped voter rejoins under its old identity).',
    patches: [
      patch('runtime/create-member.ts', 'loadMember({ storage, host }: EngineOptions)', 'loadMember({ storage, node }: EngineOptions)'),
      patch(
        'runtime/create-member.ts',
        "storage.load(() => host.randomBytes(16).toString('hex'))",
        "storage.load(() => Buffer.from(node).toString('hex').padEnd(32, '0').slice(0, 32))",
      ),
    ],
    killers: [unit('runtime/leaving'), simulation(10)],
  },
  {
    name: 'inheritance-lost-on-the-way',
    hazard:
      'A founder that inherits and gives its record up hands nothing on, and the next founding grants beside leases of the lost life (rules 12 and 13).',
    patches: [
      patch(
        'runtime/next-incarnation.ts',
        'return { before: member, inherits: inheritanceOf(member) };',
        'return { before: member, inherits: null };',
      ),
    ],
    killers: [unit('runtime/next-incarnation')],
  },
  {
    name: 'inheritance-dropped-by-one-that-leaves',
    hazard:
      'A survivor that gives its seat up while it leaves hands nothing on, and the next process on its storage founds as if there had been no group (rule 15).',
    patches: [patch('runtime/open-engine.ts', "(this.phase === 'running' || succession.inherits)", "this.phase === 'running'")],
    killers: [unit('runtime/leaving')],
  },
];
