/** Wrong sessions: kept, ended, revived or answered against the rules 5 to 7 and 17. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const sessions: readonly Mutant[] = [
  {
    name: 'extends-what-it-ends',
    hazard: 'A leader answers the keep-alive of a session whose end it has proposed (rule 6).',
    patches: [
      patch(
        'session/session-steward.ts',
        'if (session.node !== node || this.ending.has(key)) return null;',
        'if (session.node !== node) return null;',
      ),
    ],
    killers: [unit('session/session-steward'), model('keep-alive')],
  },
  {
    name: 'new-leader-keeps-no-full-ttl',
    hazard:
      'A new leader ends the sessions that kept silent while there was nobody to speak to (rule 5; lesson: new leader expires everybody).',
    patches: [
      patch(
        'session/session-steward.ts',
        'if (!this.ending.has(key) || this.deadlines.has(key)) this.deadlines.set(key, nowMs + ttlMs);',
        'if (!this.ending.has(key) || this.deadlines.has(key)) this.deadlines.set(key, nowMs + 0 * ttlMs);',
      ),
    ],
    killers: [unit('session/session-steward'), simulation(10)],
  },
  {
    name: 'no-deadlines-at-begin',
    hazard: 'A new leader knows no deadline of the sessions that it finds, and a holder that is dead keeps its locks for ever (rule 5).',
    patches: [patch('session/session-steward.ts', '  ) {\n    this.renewAll(nowMs);\n  }', '  ) {\n    void nowMs;\n  }')],
    killers: [unit('session/session-steward'), simulation(10)],
  },
  {
    name: 'no-full-ttl-after-a-lapse',
    hazard: 'A leader whose lease had lapsed ends sessions that could not be kept alive meanwhile (rule 5).',
    patches: [patch('session/session-steward.ts', '    if (ledUntilNow && !this.ledBefore) this.renewAll(nowMs);\n', '')],
    killers: [unit('session/session-steward')],
  },
  {
    name: 'refused-replacement-lives-for-ever',
    hazard:
      'A session that was to be replaced by an open that was refused has no deadline, and its locks are never free (rule 6, promise 5).',
    patches: [patch('group/leader-service.ts', '      if (living) steward.livesOn(living.key, living.ttlMs, nowMs);\n', '')],
    killers: [unit('group/leader-service')],
  },
  {
    name: 'refused-replacement-put-off',
    hazard: 'Each refused open puts off the end of the session that it names, so that one who asks on and on keeps it for ever (rule 6).',
    patches: [
      patch(
        'session/session-steward.ts',
        'if (this.ending.has(session) && !this.deadlines.has(session)) this.deadlines.set',
        'if (this.ending.has(session)) this.deadlines.set',
      ),
    ],
    killers: [unit('session/session-steward')],
  },
  {
    name: 'expire-without-its-ballot',
    hazard: 'An expiry of a cut-off leader, adopted by a later one, ends a session that was renewed (rule 5).',
    patches: [
      patch(
        'group/group-state.ts',
        'if (stamp !== this.#stamp) return;\n    const session = this.#sessions.end(key);',
        'if (stamp === undefined) return;\n    const session = this.#sessions.end(key);',
      ),
    ],
    killers: [unit('group/group-state'), model('expiry-by-a-cut-off-leader')],
  },
  {
    name: 'opening-without-its-ballot',
    hazard: 'A group opens by the word of a deposed leader, which did not wait (rules 5 and 12).',
    patches: [
      patch(
        'group/group-state.ts',
        'if (stamp !== this.#stamp || this.#isOpen) return;',
        'if (stamp === undefined || this.#isOpen) return;',
      ),
    ],
    killers: [unit('group/group-state')],
  },
  {
    name: 'expire-by-the-calendar',
    hazard: 'A calendar clock that is set forward takes away the sessions of others (rule 7).',
    patches: [
      patch(
        'group/voter-seat.ts',
        'private readonly completeSinceMs: number;',
        'private readonly completeSinceMs: number;\n  private readonly aheadMs: number;',
      ),
      patch(
        'group/voter-seat.ts',
        'this.completeSinceMs = at.monotonicMs;',
        'this.completeSinceMs = at.monotonicMs;\n    this.aheadMs = at.wallMs - at.monotonicMs;',
      ),
      patch(
        'group/voter-seat.ts',
        'this.service?.onTick(at.monotonicMs);',
        'this.service?.onTick(at.monotonicMs, at.wallMs - this.aheadMs);',
      ),
      patch('group/leader-service.ts', 'onTick(nowMs: number): void {', 'onTick(nowMs: number, calendarMs = nowMs): void {'),
      patch('group/leader-service.ts', 'this.steward.expire(nowMs, authorityMs)', 'this.steward.expire(calendarMs, calendarMs)'),
    ],
    killers: [simulation(60)],
  },
  {
    name: 'silence-counted-without-authority',
    hazard: 'A leader that cannot know that it led counts silence all the same, though another may have renewed the session (rule 5).',
    patches: [
      patch('session/session-steward.ts', 'if (Math.min(nowMs, authorityMs) < deadlineMs) continue;', 'if (nowMs < deadlineMs) continue;'),
    ],
    killers: [unit('session/session-steward')],
  },
  {
    name: 'session-lease-from-the-answer',
    hazard: 'The holder counts its lease from the answer’s coming instead of its keep-alive’s leaving (rule 7).',
    patches: [
      patch(
        'session/holder-lease.ts',
        'answer(id: number): void {\n    this.answered = this.beats.get(id) ?? this.answered;',
        'answer(id: number, at: Instant): void {\n    this.answered = this.beats.has(id) ? at : this.answered;',
      ),
      patch('session/session-holder.ts', 'this.lease.answer(message.id);', 'this.lease.answer(message.id, at);'),
    ],
    killers: [unit('session/session-holder'), model('holder-clocks')],
  },
  {
    name: 'lost-right-revived',
    hazard: 'A later answer revives a session that its holder has found over (rule 7).',
    patches: [
      patch(
        'session/holder-lease.ts',
        'if (remainingMs > 0) return remainingMs;\n    this.answered = null;',
        'if (remainingMs > 0) return remainingMs;',
      ),
      patch(
        'session/session-holder.ts',
        "    if (this.phase.type === 'open' && this.remainingMs(at) === 0) return this.lose('expired here');\n    this.lease.answer",
        '    this.lease.answer',
      ),
    ],
    killers: [unit('session/session-holder'), model('holder-clocks')],
  },
  {
    name: 'ended-session-recreated',
    hazard: 'A command of a session that has ended silently brings one back (promise 4).',
    patches: [
      patch(
        'group/group-state.ts',
        '    const session = this.#sessions.get(key);\n    if (session === undefined) return this.#outcome.addUnknown(key);\n    session.answers.raiseFloor(floor);',
        "    const again = { nonce: String(key), node: String(key), instance: '', ttlMs: 1_000, replaces: 0 };\n    const opened = this.#sessions.get(key) === undefined ? this.#sessions.open(key, again) : null;\n    const session = opened?.type === 'opened' ? opened.session : this.#sessions.get(key);\n    if (session === undefined) return this.#outcome.addUnknown(key);\n    session.answers.raiseFloor(floor);",
      ),
    ],
    killers: [unit('group/group-state'), model('exactly-once')],
  },
  {
    name: 'command-applied-twice',
    hazard: 'A command that comes again takes effect again (promise 4; lesson: command applied twice after a retry).',
    patches: [patch('group/group-state.ts', 'const remembered = answers.recall(seq);\n    const result = remembered ??', 'const result =')],
    killers: [unit('group/group-state'), model('exactly-once'), simulation(10)],
  },
  {
    name: 'floor-drops-nothing',
    hazard: 'A command at or under the floor, long answered, takes effect again (rule 17).',
    patches: [patch('group/group-state.ts', '    if (seq <= answers.floor) return;\n', '')],
    killers: [unit('group/group-state'), model('exactly-once')],
  },
  {
    name: 'keep-alive-moves-the-floor',
    hazard: 'A floor that moves outside the log makes replicas differ (rule 17).',
    patches: [
      patch(
        'group/leader-service.ts',
        'const answer = steward.onKeepAlive(from.node, message, arrivedMs);',
        'this.state.tables.sessions.get(message.session)?.answers.raiseFloor(message.floor);\n        const answer = steward.onKeepAlive(from.node, message, arrivedMs);',
      ),
    ],
    killers: [simulation(10)],
  },
  {
    name: 'answers-forgotten-too-early',
    hazard: 'The floor passes commands whose application nobody has confirmed, so that a repeat of one is dropped unanswered (rule 17).',
    patches: [
      patch(
        'session/session-holder.ts',
        'return (this.requests.lowest ?? this.unsent[0]?.seq ?? this.nextSeq) - 1;',
        'return Math.max(0, (this.requests.lowest ?? this.unsent[0]?.seq ?? this.nextSeq) - 1, this.nextSeq - 1 - this.unsent.length - 1);',
      ),
    ],
    killers: [unit('session/session-holder')],
  },
  {
    name: 'grant-from-the-queue-not-remembered',
    hazard: 'A grant out of the queue is not remembered, and whoever missed it is told that it still waits (promise 4).',
    patches: [patch('group/group-state.ts', '    this.#sessions.get(key)?.answers.remember(granted);\n', '')],
    killers: [unit('group/group-state')],
  },
  {
    name: 'snapshot-without-answers',
    hazard: 'A restored replica has forgotten what it answered, and applies repeats (lesson: command applied twice after a retry).',
    patches: [patch('session/session-table.ts', '      for (const answer of remembered) session.answers.remember(answer);\n', '')],
    killers: [unit('session/session-table')],
  },
  {
    name: 'name-taken-over-at-once',
    hazard: 'A second process of a name ends the session that the first one relies on (lesson: restarted process still counted as owner).',
    patches: [
      patch(
        'session/session-table.ts',
        "    if (living !== undefined && !(isOwn && request.replaces > living.replaces)) return { type: 'refused', reason: 'nameTaken' };\n",
        '',
      ),
    ],
    killers: [unit('session/session-table'), model('session-opening')],
  },
  {
    name: 'any-open-replaces',
    hazard: 'An open that comes late ends the session that its process has opened since (rule 17).',
    patches: [patch('session/session-table.ts', '!(isOwn && request.replaces > living.replaces)', '!isOwn')],
    killers: [unit('session/session-table'), model('session-opening')],
  },
  {
    name: 'watch-list-counted-again',
    hazard: 'A watch list that comes twice is counted from 1 again, and its holder takes news for what it has already (promise 8).',
    patches: [
      patch(
        'session/session-steward.ts',
        'if (isOfSession && version === known.version) return',
        'if (isOfSession && version === known.version && since > 0) return',
      ),
    ],
    killers: [unit('session/session-steward'), unit('properties/watch-list')],
  },
  {
    name: 'watch-list-on-its-way-held-for-lost',
    hazard:
      'A watch list that is on its way is said again at each answer to a keep-alive from before it, and over a slow link no answer to it counts (promise 8).',
    patches: [patch('session/holder-watch.ts', 'const said = this.beats.get(id);', 'const said = [...this.beats.values()].at(-1);')],
    killers: [unit('session/holder-watch'), unit('session/watch-latency')],
  },
  {
    name: 'updates-on-their-way-told-again',
    hazard:
      'A leader tells all again that is on its way, at each keep-alive, until its link holds nothing else and sessions are lost (promise 8).',
    patches: [patch('session/session-steward.ts', 'const told = list.toldBefore.get(watchHeard) ?? 0;', 'const told = list.index;')],
    killers: [unit('session/session-steward'), unit('session/watch-latency')],
  },
  {
    name: 'added-before-removed',
    hazard: 'What a holder says again adds before it removes, and a leader that has room for what may be watched refuses it (promise 8).',
    patches: [patch('session/holder-watch.ts', '[...this.removed, ...this.resources]', '[...this.resources, ...this.removed]')],
    killers: [unit('session/holder-watch'), unit('session/watch-exchange')],
  },
  {
    name: 'waiters-beyond-a-frame',
    hazard:
      'A lock names so many waiters that no frame has room for its state, and nothing else of the list it is told in arrives (promise 8).',
    patches: [patch('lock/lock-state.ts', 'nodes.length === waitersShownMax || room < 0', 'nodes.length === waitersShownMax')],
    killers: [unit('group/least-frame')],
  },
  {
    name: 'session-used-before-it-was-told',
    hazard:
      'A request is made under a session of whose beginning nobody was told, ends with the one before it, and is granted to nobody (rule 17).',
    patches: [patch('runtime/open-engine.ts', 'return this.toldSession.told(this.member.session);', 'return this.member.session;')],
    killers: [unit('runtime/told-session')],
  },
  {
    name: 'late-session-told-and-not-named',
    hazard:
      'A session that was confirmed too late is told to have ended, and the next open does not say that it takes its place (rule 17).',
    patches: [
      patch(
        'session/session-holder.ts',
        "    if (this.lease.remainingMs(ttlMs, at) === 0) return this.lose('expired here');\n    this.phase = { type: 'open', session, ttlMs };\n",
        "    this.phase = { type: 'open', session, ttlMs };\n    if (this.lease.remainingMs(ttlMs, at) === 0) return this.lose('expired here');\n",
      ),
    ],
    killers: [unit('session/session-holder')],
  },
  {
    name: 'refused-open-taken-up',
    hazard: 'A leader takes up an open that it refused, and the name of a process that has gone since is taken for a whole TTL (rule 17).',
    patches: [
      patch(
        'group/leader-service.ts',
        'this.early.set(from.node, nonce);',
        'this.early.set(from.node, [nonce, () => this.onMessage(from, message, nowMs)] as never);',
      ),
      patch(
        'group/leader-service.ts',
        'for (const [node, nonce] of this.early)',
        'for (const [node, [nonce]] of this.early as never as [string, [string, () => void]][])',
      ),
      patch(
        'group/leader-service.ts',
        '    this.early.clear();\n',
        '    for (const [, open] of this.early.values() as never as [string, () => void][]) open();\n    this.early.clear();\n',
      ),
    ],
    killers: [unit('group/opening')],
  },
];
