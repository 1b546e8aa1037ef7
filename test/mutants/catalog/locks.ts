/** Wrong locks: granted to the wrong one, under the wrong token, or never given back. Promises 2 and 5, and the rule 17. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const locks: readonly Mutant[] = [
  {
    name: 'room-for-two',
    hazard: 'An exclusive lock is granted to a second holder (promise 3).',
    patches: [patch('lock/claim.ts', 'return lock.holders.length === 0;', 'return lock.holders.length <= 1;')],
    killers: [unit('lock/lock-table'), simulation(5)],
  },
  {
    name: 'release-of-any-token',
    hazard: 'A stale release frees a newer grant of the same session (lesson: release of a newer lock by a stale retry).',
    patches: [
      patch(
        'lock/lock-table.ts',
        'claim.token === token && claim.session === session',
        'claim.token >= token && claim.session === session',
      ),
    ],
    killers: [unit('lock/lock-table'), model('stale-release')],
  },
  {
    name: 'cancel-without-tombstone',
    hazard: 'A cancel that comes first is forgotten, and its acquire holds the lock for nobody (rule 17; lesson: abort leaves an orphan).',
    patches: [
      patch(
        'group/group-state.ts',
        'if (hasEffect || answers.recall(target) === undefined) answers.remember',
        'if (hasEffect) answers.remember',
      ),
    ],
    killers: [unit('group/group-state'), model('lock-queue')],
  },
  {
    name: 'cancel-leaves-its-grant',
    hazard: 'A grant that crosses its cancel is never released (lesson: abort leaves an orphan).',
    patches: [
      patch(
        'lock/lock-table.ts',
        "if (claim.token !== 0) {\n      this.#free(claim, 'released');\n      return",
        'if (claim.token !== 0) {\n      return',
      ),
    ],
    killers: [unit('lock/lock-table'), model('lock-queue')],
  },
  {
    name: 'last-in-first-out',
    hazard: 'A lock goes to the last of its waiters instead of the first (promise 5).',
    patches: [
      patch(
        'lock/wait-queue.ts',
        'const member = this.#places[this.#head];\n      if (member) return member;',
        'const member = this.#places.findLast((one) => one !== null);\n      if (member) return member;',
      ),
    ],
    killers: [unit('lock/wait-queue'), simulation(10)],
  },
  {
    name: 'dead-waiters-stay',
    hazard: 'A session that has ended keeps its places in queues, and is granted locks (promise 5).',
    patches: [patch('lock/lock-table.ts', '    for (const claim of inOrder) if (claim.token === 0) this.#withdraw(claim);\n', '')],
    killers: [unit('lock/lock-table'), model('lock-queue')],
  },
  {
    name: 'dead-holder-stays',
    hazard: 'A session that has ended keeps its locks for ever (lesson: unbounded locks, never collected).',
    patches: [
      patch(
        'lock/lock-table.ts',
        "    for (const claim of inOrder) if (claim.token !== 0) this.#free(claim, expired ? 'expired' : 'released');\n",
        '',
      ),
    ],
    killers: [unit('lock/lock-table')],
  },
  {
    name: 'token-stands-still',
    hazard: 'Two grants share a fencing token (promise 2).',
    patches: [patch('group/group-state.ts', '    this.#token += 1;\n', '')],
    killers: [unit('group/group-state'), simulation(5)],
  },
  {
    name: 'token-falls-back-at-a-begin',
    hazard: 'A new leader counts tokens from the founding’s second again (promise 2).',
    patches: [
      patch(
        'group/group-state.ts',
        'this.#stamp = stamp;\n    this.#outcome.begun = stamp;',
        'this.#stamp = stamp;\n    this.#token -= this.#token % tokensPerSecond;\n    this.#outcome.begun = stamp;',
      ),
    ],
    killers: [unit('group/group-state', 'group/member-session'), simulation(20)],
  },
  {
    name: 'token-base-forgets',
    hazard: 'A founding starts its tokens below those that a founder remembers (rule 13).',
    patches: [
      patch(
        'paxos/founding.ts',
        'return Math.max(this.options.memory?.tokenSecond ?? 0, this.inherits',
        'return Math.max(0, this.inherits',
      ),
      patch(
        'paxos/founding.ts',
        'tokenSecond = Math.max(tokenSecond, witness.greeting.tokenSecond, secondOf',
        'tokenSecond = Math.max(tokenSecond, secondOf',
      ),
    ],
    killers: [unit('paxos/founding')],
  },
  {
    name: 'queue-passed-over',
    hazard: 'A released lock stays free though others wait (promise 5: nobody waits while there is room).',
    patches: [patch('lock/lock-table.ts', 'this.#tell(how, claim);\n    this.#grantNext(lock);', 'this.#tell(how, claim);')],
    killers: [unit('lock/lock-table'), simulation(5)],
  },
];
