/** Wrong promises to users: leases handed out or kept when they are over, losses untold, requests left behind. */
import { patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const calls: readonly Mutant[] = [
  {
    name: 'no-leader-untold',
    hazard: 'A watcher sees one leader straight after another (lesson: watcher never told "no leader").',
    patches: [
      patch(
        'election/term-history.ts',
        'if (before.token !== term.token) return [null, term];',
        'if (before.token !== term.token) return [term];',
      ),
    ],
    killers: [unit('election/term')],
  },
  {
    name: 'leases-survive-their-session',
    hazard: 'The session is lost and nobody under it is told: a campaign leads on as a phantom (lesson: campaign ignores session loss).',
    patches: [
      patch(
        'api/instance.ts',
        "for (const lease of this.leases.values()) if (lease.session === session) lease.lose({ code: 'SESSION_LOST', error });",
        "for (const lease of this.leases.values()) if (lease.session > session) lease.lose({ code: 'SESSION_LOST', error });",
      ),
    ],
    killers: [unit('api/lease')],
  },
  {
    name: 'lease-valid-under-the-next-session',
    hazard: 'A lease of a lost session is valid again once the next one is open (rule 7).',
    patches: [
      patch(
        'api/held-lease.ts',
        'if (engine.session === this.session && engine.remainingMs() > 0) return true;',
        'if (engine.remainingMs() > 0) return true;',
      ),
    ],
    killers: [unit('api/lease')],
  },
  {
    name: 'run-resolves-though-lost',
    hazard: 'A call under a lease resolves although the lease ended first (the contract of `run`).',
    patches: [
      patch(
        'api/scoped-call.ts',
        "if (loss !== null || outcome === 'ended') throw leaseLost(lease, value);",
        "if (loss !== null && outcome === 'released') throw leaseLost(lease, value);",
      ),
    ],
    killers: [unit('api/requests')],
  },
  {
    name: 'release-before-the-callback-settles',
    hazard: 'The lock is given to the next one while the callback is still at work (the contract of `run`).',
    patches: [
      patch(
        'api/scoped-call.ts',
        'value = await callback(lease);',
        'const work = Promise.resolve(callback(lease));\n    work.catch(() => undefined);\n    await lease.giveBackQuietly();\n    value = await work;',
      ),
    ],
    killers: [unit('api/requests', 'api/lock'), simulation(10)],
  },
  {
    name: 'acquire-returns-a-lease-already-over',
    hazard: 'A grant that was long on its way is handed out after its lease (lesson: acquire returns a lease already over).',
    patches: [
      patch(
        'api/acquisition.ts',
        "    if (engine.session !== this.#session || engine.remainingMs() <= 0) return this.#onSessionLost('expired here');\n",
        '    if (engine.session === undefined) return;\n',
      ),
    ],
    killers: [unit('api/requests')],
  },
  {
    name: 'abort-leaves-its-request',
    hazard: 'An aborted request stays in the queue and is granted to nobody (lesson: abort leaves an orphan).',
    patches: [
      patch(
        'api/acquisition.ts',
        "      if (this.#phase === 'asked') this.#withdraw();\n      this.#instance.meter.aborts += 1;",
        '      this.#instance.meter.aborts += 1;',
      ),
    ],
    killers: [unit('api/requests'), simulation(10)],
  },
  {
    name: 'close-does-not-hand-over',
    hazard: 'A leader that closes lets the group wait for its lease (the contract of `close`).',
    patches: [patch('runtime/open-engine.ts', "    this.give({ type: 'resign', at: readClock(this.host) });\n", '')],
    killers: [unit('runtime/hand-over')],
  },
  {
    name: 'close-ends-a-session-at-work',
    hazard: 'The session ends under a callback that is still at work, and the next holder overlaps with it (the contract of `close`).',
    patches: [
      patch(
        'api/closing.ts',
        'Math.max(0, dueMs - instance.nowMs()), lapsed.length === 0)',
        'Math.max(0, dueMs - instance.nowMs()), true)',
      ),
    ],
    killers: [unit('api/requests')],
  },
  {
    name: 'proclaim-beside-the-one-before',
    hazard: 'A value proclaimed first is chosen last, for its frame was lost, and replaces the newer one that was confirmed meanwhile.',
    patches: [patch('api/change-order.ts', '    this.#last = turn;\n', '')],
    killers: [unit('api/election')],
  },
  {
    name: 'jeopardy-unannounced',
    hazard: 'A session is lost without a word of warning before (promise 8; lesson: blocked event loop loses locks silently).',
    patches: [
      patch(
        'session/session-holder.ts',
        "    if (reason === 'expired here' && !wasInJeopardy)\n",
        "    if (reason === 'closed' && !wasInJeopardy)\n",
      ),
      patch(
        'session/session-holder.ts',
        'if (remainingMs < phase.ttlMs / 2) this.announceJeopardy',
        'if (remainingMs < 0) this.announceJeopardy',
      ),
    ],
    killers: [unit('session/session-holder')],
  },
  {
    name: 'owner-that-a-verdict-ends',
    hazard:
      'An owner whose session lives drops its work at the word that a majority is lost, and stays a member whose partitions nobody works on (promise 6).',
    patches: [
      patch(
        'api/partition-owning.ts',
        "if (error.code !== 'MAJORITY_LOST' || this.instance.engine.session === null) this.fail(error);",
        'this.fail(error);',
      ),
    ],
    killers: [unit('api/partition-run')],
  },
];
