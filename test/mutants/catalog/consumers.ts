/** Wrong owned consumers: durables per epoch that begin or end wrongly, order lost, and positions that come from the wrong owner. Promise 6. */
import { within } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

const nats = within('nats-adapter');
const kafka = within('kafka-adapter');
const durable = 'consumer/partition-durable.ts';
const inOrder = 'consumer/in-order.ts';
const takingOver = [nats.unit('consumer/partition-durable')];
const ordering = [nats.unit('consumer/in-order')];

export const consumers: readonly Mutant[] = [
  {
    name: 'durable-of-a-lost-owner-stays',
    hazard:
      'The durable of an owner that was lost is not deleted, so that its waiting pull takes messages that the next owner handles too.',
    patches: [nats.patch(durable, '        await this.#delete(earlier);\n', '')],
    killers: takingOver,
  },
  {
    name: 'durable-begun-at-the-newest-floor',
    hazard: 'A new owner begins at the floor of the newest durable alone, and repeats what an earlier one had finished.',
    patches: [nats.patch(durable, 'floor = Math.max(floor, closed.ack_floor.stream_seq);', 'floor = closed.ack_floor.stream_seq;')],
    killers: takingOver,
  },
  {
    name: 'floor-read-before-the-durable-is-closed',
    hazard: 'A floor is read while the last owner still pulls, so that more than max_ack_pending is repeated.',
    patches: [nats.patch(durable, 'closed.ack_floor.stream_seq', 'before.ack_floor.stream_seq')],
    killers: takingOver,
  },
  {
    name: 'durable-made-without-a-second-look',
    hazard: 'A durable that another owner made in between is not seen, and its owner is not kept out.',
    patches: [
      nats.patch(durable, 'if (earlier.every(({ name }) => known.some((one) => one.name === name))) {', 'if (earlier.length >= 0) {'),
    ],
    killers: takingOver,
  },
  {
    name: 'durable-of-a-stale-owner-stays',
    hazard: 'An owner that finds a later one leaves the durable that it made, which holds messages for nobody.',
    patches: [nats.patch(durable, "if (isQuorateError(error, 'STALE_OWNER')) await this.api.deleteConsumer(own.name);\n", '')],
    killers: takingOver,
  },
  {
    name: 'later-owner-not-noticed',
    hazard: 'An owner whose lease is over goes on though a later one has been here.',
    patches: [nats.patch('consumer/epoch.ts', '({ token }) => token > own.token', '({ token }) => token > own.token + epochs.length')],
    killers: [nats.unit('consumer/epoch', 'consumer/partition-durable')],
  },
  {
    name: 'note-outlives-its-hand-over',
    hazard: 'The note of an orderly hand-over is not taken away, so that after a crash its durable is taken for handed over.',
    patches: [nats.patch(durable, "await owned.note('');\n", '')],
    killers: takingOver,
  },
  {
    name: 'durable-handed-over-while-it-is-pulled',
    hazard: 'A durable is taken for handed over while somebody still pulls from it.',
    patches: [nats.patch(durable, 'info === undefined || info.num_waiting > 0 ||', 'info === undefined ||')],
    killers: takingOver,
  },
  {
    name: 'work-queue-durable-made-first',
    hazard: 'On a work queue the new durable is made before the last one is gone, which the server refuses for ever.',
    patches: [nats.patch(durable, "if (this.settings.retention === 'workqueue') return this.#replaceFirst(owned, known);\n", '')],
    killers: takingOver,
  },
  {
    name: 'refused-message-overtaken',
    hazard: 'A message whose handler threw is overtaken by what was sent behind it.',
    patches: [
      nats.patch(
        inOrder,
        'if (first !== undefined && sequence > first) {',
        'if (first !== undefined && sequence > first * this.maxAckPending * 1e3) {',
      ),
    ],
    killers: ordering,
  },
  {
    name: 'lost-delivery-not-noticed',
    hazard: 'A delivery that was lost on the way is handled after those behind it.',
    patches: [nats.patch(inOrder, "if (isGap && this.maxAckPending > 1) return 'gap';\n", '')],
    killers: ordering,
  },
  {
    name: 'furthest-position-holds',
    hazard: 'A new owner begins at the commit or the note, whichever is further, and what was sought back is never read again.',
    patches: [kafka.patch('consumer/hand-over-note.ts', 'committer > note.token;', '(offset ?? 0n) > noted.position;')],
    killers: [kafka.unit('consumer/position')],
  },
  {
    name: 'growth-told-by-the-first-durables-alone',
    hazard:
      'Only the durables of the lowest partitions are asked with how many the consumer began, and what the set has grown by is skipped.',
    patches: [nats.patch('consumer/growth.ts', 'others = others.slice(askedAtOnce)', 'others = []')],
    killers: takingOver,
  },
  {
    name: 'growth-forgotten-with-a-commit',
    hazard:
      'A later owner’s commit says how many partitions there are now, and what the topic has grown by is taken for what the group began with.',
    patches: [kafka.patch('consumer/growth.ts', 'if (said !== undefined) return said;', 'if (said !== undefined) return count;')],
    killers: [kafka.unit('consumer/growth')],
  },
  {
    name: 'sizes-taken-for-growth',
    hazard: 'Topics of different size are taken for growth under way, and what the larger ones have beyond the least is read by nobody.',
    patches: [kafka.patch('consumer/topic-counts.ts', 'if (isBeyond) return false;', 'if (isBeyond && least === 0) return false;')],
    killers: [kafka.unit('consumer/growth')],
  },
  {
    name: 'aborted-records-shown',
    hazard: 'An owner handles records of transactions that were aborted, or markers.',
    patches: [kafka.patch('consumer/read-committed.ts', 'if (isTransactional && aborting.has(producerId)) continue;\n', '')],
    killers: [kafka.unit('consumer/position')],
  },
  {
    name: 'fenced-commit-given-up-in-a-drain',
    hazard: 'A fenced commit that comes too soon after the one before is given up in a drain, and told as a failure.',
    patches: [
      kafka.patch(
        'consumer/fenced-committer.ts',
        "if (kind !== 'coordinator' || !this.#lease.fits(owned)) throw error;",
        "if (kind !== 'coordinator' || owned.signal.aborted || !this.#lease.fits(owned)) throw error;",
      ),
    ],
    killers: [kafka.unit('consumer/fenced-committer')],
  },
  {
    name: 'seek-forgotten-before-it-came-to-work',
    hazard: 'A seek before ownership is forgotten as soon as a beginning has read it, though the beginning may come to nothing.',
    patches: [
      kafka.patch(
        'consumer/tenure.ts',
        'if (sought !== undefined) this.#sought.set(at.topic, sought);',
        'if (sought !== undefined) subscription.forgetSeek(at, sought);',
      ),
    ],
    killers: [kafka.unit('consumer/seek')],
  },
  {
    name: 'sought-end-of-the-log-forgotten',
    hazard: 'A seek to an end of the log is forgotten where the partition is revoked before that end is found.',
    patches: [kafka.patch('consumer/tenure.ts', 'if (chain.position < 0n) subscription.seek(chain, chain.position);\n', '')],
    killers: [kafka.unit('consumer/seek')],
  },
  {
    name: 'seek-done-with-its-commit-is-repeated',
    hazard: 'A seek that the group has been told of is done again at the next grant, and what others handled meanwhile is repeated.',
    patches: [kafka.patch('consumer/tenure.ts', 'if (!book.isDirty) this.#endSeek(chain);\n', '')],
    killers: [kafka.unit('consumer/seek')],
  },
  {
    name: 'message-declared-done-is-at-fault',
    hazard: 'A message that the handler has resolved before it threw goes to the dead letters all the same.',
    patches: [
      kafka.patch('consumer/handling.ts', 'return isSingle && !isDone() ? first : undefined;', 'return isSingle ? first : undefined;'),
    ],
    killers: [kafka.unit('consumer/declared-done')],
  },
  {
    name: 'failure-counted-at-the-successor',
    hazard: 'What is thrown after a message was resolved counts as a failure of its successor, which no handler has seen.',
    patches: [
      kafka.patch(
        'consumer/handling.ts',
        'const failures = isDone ? 1 : poison.failed(chain, failing);',
        'const failures = poison.failed(chain, failing);',
      ),
    ],
    killers: [kafka.unit('consumer/declared-done')],
  },
  {
    name: 'refused-commit-made-after-all',
    hazard: 'A commit that was refused for a short lease is made after all, once the request of the others has failed.',
    patches: [
      kafka.patch(
        'consumer/committer.ts',
        'for (const entry of open) await this.#send([entry]);',
        'for (const entry of entries) await this.#send([entry]);',
      ),
    ],
    killers: [kafka.unit('consumer/plain-committer')],
  },
];
