/** Wrong hand-offs: partitions covered for too long, freed too early, begun too soon or left behind. Promise 6; rule 18. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

const table = 'partition/partition-table.ts';
const steward = 'partition/partition-steward.ts';

export const partitions: readonly Mutant[] = [
  {
    name: 'partition-covered-until-its-end-is-applied',
    hazard: 'A leader goes on covering a partition whose end it proposed, and counts the TTL from that proposal (rule 18).',
    patches: [
      patch('session/session-steward.ts', '.coveredTokens(key).filter(this.covers)', '.coveredTokens(key)'),
      patch(
        steward,
        "if (next === 'uncover') this.beginUncovering(key, token);",
        "if (next === 'uncover') Reflect.set(this, 'proposedMs', nowMs);",
      ),
      patch(
        steward,
        'token, next, dueMs: nowMs + afterMs });',
        "token, next, dueMs: (isCovered ? nowMs : Number(Reflect.get(this, 'proposedMs') ?? nowMs)) + afterMs });",
      ),
    ],
    killers: [unit('partition/partition-steward'), model('hand-off-by-one-leader')],
  },
  {
    name: 'uncovered-partition-in-answers',
    hazard: 'Answers to keep-alives list a partition that the group has uncovered (rule 18).',
    patches: [patch(table, 'if (partition.isCovered) tokens.push(partition.token);', 'tokens.push(partition.token);')],
    killers: [unit('partition/partition-table'), model('hand-off-by-one-leader')],
  },
  {
    name: 'partition-freed-without-the-ttl',
    hazard: 'A leader frees a partition as soon as it is uncovered, while its owner may rely on it for a TTL (rule 18).',
    patches: [patch(steward, ': this.view.ttlMsOf(session);', ': 0 * this.view.ttlMsOf(session);')],
    killers: [unit('partition/partition-steward'), model('hand-off-by-one-leader')],
  },
  {
    name: 'ttl-of-an-older-leader',
    hazard: 'A new leader takes the TTL of a partition that an older one uncovered for over (rule 18).',
    patches: [
      patch(
        steward,
        'this.endUncovering(key, isCovered ? token : 0);',
        'const isOurs = this.uncovering.has(token);\n    this.endUncovering(key, isCovered ? token : 0);',
      ),
      patch(steward, ': this.view.ttlMsOf(session);', ': isOurs ? this.view.ttlMsOf(session) : 0;'),
    ],
    killers: [unit('partition/partition-steward'), model('hand-off-by-two-leaders')],
  },
  {
    name: 'uncover-of-any-token',
    hazard: 'The end of an older owner’s drain uncovers the partition of a newer one (rule 18).',
    patches: [
      patch(
        table,
        'if (set === undefined || partition?.token !== token || token === 0 || !partition.isRevoked) return;',
        'if (set === undefined || partition === undefined || token === 0 || !partition.isRevoked) return;',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'free-of-what-is-covered',
    hazard: 'A partition is freed although keep-alives still cover it (rule 18).',
    patches: [
      patch(
        table,
        'if (set === undefined || partition?.token !== token || token === 0 || partition.isCovered) return;',
        'if (set === undefined || partition?.token !== token || token === 0) return;',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'release-of-any-partition-token',
    hazard: 'A release that comes late gives away what its owner was granted since (rule 18).',
    patches: [
      patch(
        table,
        'token !== 0 && partition.token === token && partition.session === session',
        'token !== 0 && partition.session === session',
      ),
    ],
    killers: [unit('partition/partition-table'), model('late-release')],
  },
  {
    name: 'partition-granted-to-who-leaves',
    hazard: 'A member that leaves is granted what is freed before the next assignment (promise 6: it gives all up).',
    patches: [
      patch(
        table,
        'if (member === undefined || member.session === 0 || member.isLeaving) return;',
        'if (member === undefined || member.session === 0) return;',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'ended-session-keeps-its-partitions',
    hazard: 'Partitions stay with a session that has ended, and nobody ever owns them again (promise 6).',
    patches: [
      patch(table, 'if (partition.session !== session) continue;', 'if (partition.session !== session || set.count > 0) continue;'),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'absent-member-without-grace',
    hazard: 'A member that is away for a moment loses its place with the next change of any other.',
    patches: [
      patch(
        table,
        'for (const node of gone) if (set.members.get(node)?.session === 0) set.members.delete(node);',
        'for (const node of [...gone, ...set.members.keys()]) if (set.members.get(node)?.session === 0) set.members.delete(node);',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'partition-left-by-an-ending-session',
    hazard: 'What an owner had still to give up waits for the next assignment when its session ends, though its next owner is there.',
    patches: [
      patch(
        table,
        '// It may have been on its way to somebody else, who need not wait for the next assignment.\n        this.#grant(set, partition);',
        '// It may have been on its way to somebody else.',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'times-of-a-forgotten-set',
    hazard:
      'A set that is made again has the times of the one that was forgotten, and a member that is gone keeps its place for ever (promise 6).',
    patches: [patch('partition/partition-steward.ts', '        this.forgetSet(name);\n', '')],
    killers: [unit('partition/partition-steward')],
  },
  {
    name: 'member-that-left-stays',
    hazard: 'A member that left stays in the set when its last partition is freed for it.',
    patches: [
      patch(
        table,
        'partition?.token !== token || token === 0 || partition.isCovered) return;\n    this.#giveUp(set, partition);',
        'partition?.token !== token || token === 0 || partition.isCovered) return;\n    this.#free(set, partition);\n    this.#grant(set, partition);',
      ),
    ],
    killers: [unit('partition/partition-table')],
  },
  {
    name: 'cover-by-any-answer',
    hazard: 'An answer prolongs every lease of its session, also of partitions that it does not list (rule 18).',
    patches: [
      patch(
        'session/holder-cover.ts',
        'for (const token of tokens) this.sentAt.set(token, sent);',
        'for (const token of [...tokens, ...this.sentAt.keys()]) this.sentAt.set(token, sent);',
      ),
    ],
    killers: [model('hand-off-by-one-leader')],
  },
  {
    name: 'cover-from-the-answer',
    hazard: 'The owner counts its lease on a partition from when the answer came (rules 7 and 18).',
    patches: [patch('session/session-holder.ts', 'this.takeCover(message.covered, sent, at);', 'this.takeCover(message.covered, at, at);')],
    killers: [model('hand-off-by-one-leader')],
  },
  {
    name: 'watch-answer-taken-again',
    hazard: 'A full answer that comes again is news, and handlers begin under tokens that were given back (promise 6).',
    patches: [
      patch(
        'session/holder-watch.ts',
        'if (version !== this.version || since > this.index || index <= this.index) return [];',
        'if (version !== this.version || since > this.index) return [];',
      ),
    ],
    killers: [unit('session/holder-watch')],
  },
  {
    name: 'handler-before-its-lease',
    hazard: 'A handler begins when its process hears of the grant, before a keep-alive covers it (promise 6; rule 18).',
    patches: [patch('api/partition-owning.ts', 'if (this.instance.engine.coverMs(token) <= 0) return;\n', '')],
    killers: [simulation(10)],
  },
  {
    name: 'release-before-calls-have-settled',
    hazard: 'A partition is given back while calls under it are at work (promise 6).',
    patches: [patch('api/partition-run.ts', 'while (this.#calls.size > 0) await Promise.allSettled(this.#calls);\n', '')],
    killers: [unit('api/partition-run'), simulation(60)],
  },
  {
    name: 'release-without-its-note',
    hazard: 'The note that goes with a release is left behind, and the next owner starts from an older one.',
    patches: [
      patch('api/held-partition.ts', 'await this.#request(session, build(this.#handOver));', 'await this.#request(session, build(null));'),
    ],
    killers: [unit('api/partitions')],
  },
  {
    name: 'note-beside-the-one-before',
    hazard:
      'A note left first is chosen last, for its frame was lost, and the next owner starts from there though a newer one was confirmed.',
    patches: [
      patch(
        'api/held-partition.ts',
        'return this.#changes.change(partitionOp.note, () => this.#askNote(value));',
        'return this.#askNote(value);',
      ),
    ],
    killers: [unit('api/change-order')],
  },
  {
    name: 'release-before-notes-are-answered',
    hazard:
      'A partition or a lock is given back before a note that was left first is chosen, and the next to have it starts from an older one.',
    patches: [patch('api/change-order.ts', 'else this.#last.answer.then(callback, callback);', 'else callback();')],
    killers: [unit('api/change-order')],
  },
  {
    name: 'session-lost-in-a-drain-is-an-overrun',
    hazard: 'A session lost during a drain is told of as its overrun, and ends a process that was to exit for a handler alone.',
    patches: [
      patch(
        'api/held-partition.ts',
        'if (!this.#isOfThisSession || this.#instance.engine.remainingMs() === 0)',
        'if (this.#isOver && this.#instance.engine.remainingMs() === 0)',
      ),
    ],
    killers: [unit('api/partition-run')],
  },
  {
    name: 'stuck-handler-holds-the-next-grant',
    hazard: 'A handler that outlived its session keeps its process from working under the next grant, without end (promise 6).',
    patches: [
      patch(
        'api/partition-owning.ts',
        'if (former) return this.#waitFor(former, row);',
        'if (former?.isAtWork === false) return this.#waitFor(former, row);\n    if (former) return;',
      ),
    ],
    killers: [unit('api/stuck-handler')],
  },
  {
    name: 'accepts-before-its-refusal',
    hazard: 'A partition is accepted again before its refusal is chosen, and is refused for as long as the session lasts.',
    patches: [patch('api/partition-owning.ts', 'await Promise.all([refused, former.ended]);', 'void refused;\n    await former.ended;')],
    killers: [unit('api/stuck-handler')],
  },
  {
    name: 'begins-again-what-it-gave-back',
    hazard: 'Word of a partition that is older than the answer to its release begins a handler under the token given back (promise 6).',
    patches: [
      patch(
        'api/partition-owning.ts',
        'if (this.#returning.has(token) || token <= (this.#ended.get(partition) ?? 0)) return;',
        'if (this.#returning.has(token)) return;',
      ),
      patch('api/partition-watch.ts', 'if (state.version < newest) return;', ''),
    ],
    killers: [unit('api/partition-run')],
  },
];
