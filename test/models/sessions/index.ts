/** The models of sessions, locks and elections, and what is planted into them. */
import type { Model, Planted } from '../checker/model.ts';
import { acrossStopSign } from './across-stop-sign.ts';
import { exactlyOnce } from './exactly-once.ts';
import { holderClocks } from './holder-clocks.ts';
import { lockQueue } from './lock-queue.ts';
import type { Request } from './lock-queue.ts';
import { readBarrier } from './read-barrier.ts';
import { sessionExpiry } from './session-expiry.ts';
import { sessionOpening } from './session-opening.ts';
import * as wrong from './wrong-lines.ts';

const keepAliveOfOneLeader = sessionExpiry(
  'keep-alive',
  'One leader under its lease that lapses, a holder that confirms or has its session, keep-alives late, lost and doubled; 4 ticks, TTL 2.',
  {
    reads: 'lease',
    ttlTicks: 2,
    leaseTicks: 1,
    startTick: 0,
    ticksMax: 4,
    rounds: 1,
    keepAlivesMax: 9,
    starts: ['confirming', 'open'],
    marks: ['expired', 'found over', 'late answer'],
  },
);

const renewal = sessionExpiry(
  'renewal-by-another-leader',
  'Two leaders, the older cut off at any point, a holder that confirms or has its session, two keep-alives; 3 ticks, TTL 2.',
  {
    reads: 'lease',
    ttlTicks: 2,
    leaseTicks: 1,
    startTick: 0,
    ticksMax: 3,
    rounds: 2,
    keepAlivesMax: 2,
    starts: ['confirming', 'open'],
    marks: ['expired', 'found over', 'renewed by a second leader'],
  },
);

const adoptedExpiry = sessionExpiry(
  'expiry-by-a-cut-off-leader',
  'Three leaders; the first one’s expiry sits on its own acceptor until the third adopts it, the second renews the session of a holder that confirms late.',
  {
    reads: 'lease',
    ttlTicks: 2,
    leaseTicks: 1,
    startTick: 2,
    ticksMax: 4,
    rounds: 3,
    keepAlivesMax: 2,
    starts: ['confirming'],
    marks: ['expired', 'found over', 'renewed by a second leader', 'adopted from a cut-off leader', 'void expire'],
  },
);

const readUnderLease = readBarrier(
  'read-under-lease',
  'Two leaders, a writer of two commands, one read; slots are chosen before their leader knows.',
  {
    reads: 'lease',
    ticksMax: 1,
    writesMax: 2,
  },
);

const readAfterRound = readBarrier(
  'read-after-quorum-round',
  'Two leaders without leases, a writer of one command, one read: elections at any time, and an answer after a round begun later.',
  {
    reads: 'quorum',
    ticksMax: 1,
    writesMax: 1,
  },
);

const x = 'l/x';
const y = 'l/y';
const acquire = (lock: string): Request => ({ type: 'acquire', lock });
const release = (lock: string, of: number): Request => ({ type: 'release', lock, of });
const cancel = (of: number): Request => ({ type: 'cancel', of });

const queue = lockQueue(
  'lock-queue',
  'Three sessions, two locks: requests in any order, one of them twice, a cancel that may come first, cross its grant or come late, one session that may expire.',
  {
    programs: [
      [acquire(x), release(x, 1)],
      [acquire(x), cancel(1)],
      [acquire(y), acquire(x), release(y, 1), release(x, 2)],
    ],
    copiesMax: 1,
    dies: 0,
  },
  ['two wait', 'arrived twice', 'cancel before its acquire', 'cancel crossing its grant', 'granted after an expiry'],
);

const staleRelease = lockQueue(
  'stale-release',
  'Two sessions, one lock: a release of an older token that is asked for again arrives at any time after a newer grant, one request twice.',
  {
    programs: [
      [acquire(x), release(x, 1), acquire(x), release(x, 1), release(x, 3)],
      [acquire(x), cancel(1)],
    ],
    copiesMax: 1,
    dies: null,
  },
  ['stale release', 'arrived twice', 'cancel before its acquire'],
);

const once = exactlyOnce(
  'exactly-once',
  'One process with three requests, frames that come twice and out of order, a change of leaders, an expiry at any time, two replicas.',
  { requestsMax: 3, leaderChangesMax: 1, copiesMax: 2 },
);

const opening = sessionOpening(
  'session-opening',
  'Two starts of one node’s process, the first of which loses its session and asks again, opens late and doubled, answers lost; 2 ticks, TTL 2.',
  { ttlTicks: 2, ticksMax: 2, copiesMax: 2, openings: [2, 1] },
);

const clocks = holderClocks(5);

const served = ['a silent leader holds its lease', 'the next one is served under a lease of the last'];
const renewed = [...served, 'renewed in the next one', 'expired in the next one'];

const keptAcross = acrossStopSign({
  name: 'keep-alive-across-a-stop-sign',
  about:
    'A leader under its lease sends a stop-sign, another leads the next configuration with a swapped seat; one holder; 4 ticks, TTL 2.',
  marks: renewed,
  asks: 'keep-alive',
  isAdopted: false,
  ttlTicks: 2,
  ticks: 4,
});

const keptAcrossAdopted = acrossStopSign({
  name: 'keep-alive-across-an-adopted-stop-sign',
  about: 'A leader adopts the stop-sign of the one before it, which leads the next configuration in its back; one holder; 4 ticks, TTL 2.',
  marks: renewed,
  asks: 'keep-alive',
  isAdopted: true,
  ttlTicks: 2,
  ticks: 4,
});

const readAcross = acrossStopSign({
  name: 'read-across-a-stop-sign',
  about:
    'A leader under its lease sends a stop-sign, another leads the next configuration; a writer of one command there, one read at any of them.',
  marks: [...served, 'read after a write of the next one'],
  asks: 'read',
  isAdopted: false,
  ttlTicks: 3,
  ticks: 1,
});

export const models: readonly Model<unknown>[] = [
  keepAliveOfOneLeader,
  renewal,
  adoptedExpiry,
  readUnderLease,
  readAfterRound,
  clocks,
  queue,
  staleRelease,
  once,
  opening,
  keptAcross,
  keptAcrossAdopted,
  readAcross,
];

/** In the words of the checks. */
const overtaken = 'ended a session while its holder relies on it (promise 3)';
const oldRead = 'a read shows less than was known when it was sent (rule 6)';
const orphan = 'a lock is held or waited for: an orphan';

const plant = (name: string, model: Model<unknown>, install: wrong.Install, breaks: string, hazard: string): Planted => {
  return { name, hazard, breaks, model, install };
};

export const planted: readonly Planted[] = [
  plant(
    'expire-without-its-ballot',
    adoptedExpiry,
    wrong.expireWithoutItsBallot,
    overtaken,
    'An adopted expiry of an older leader ends a session that was renewed (rule 5).',
  ),
  plant(
    'no-begin-barrier',
    adoptedExpiry,
    wrong.servesBeforeItsBegin,
    overtaken,
    'A leader keeps sessions alive before it knows what ended them (rule 6).',
  ),
  plant(
    'keep-alive-without-lease',
    renewal,
    wrong.answersWithoutTheLease,
    overtaken,
    'A cut-off leader keeps a session alive that its successor ends (rule 6).',
  ),
  plant(
    'extends-what-it-ends',
    keepAliveOfOneLeader,
    wrong.extendsWhatItEnds,
    overtaken,
    'A leader extends a session whose end it has proposed (rule 6).',
  ),
  plant(
    'old-timers-at-a-new-leader',
    renewal,
    wrong.keepsOldTimers,
    overtaken,
    'A new leader counts a session’s silence from before its own begin (rule 5).',
  ),
  plant(
    'lost-right-revived',
    clocks,
    wrong.revivesALostRight,
    'a session that its holder had found over is relied on again (rule 7)',
    'A later answer revives a session that its holder found over (rule 7).',
  ),
  plant(
    'lease-from-receive-time',
    clocks,
    wrong.countsFromReceiving,
    overtaken,
    'The holder counts its lease from the answer instead of the question (rule 7).',
  ),
  plant(
    'monotonic-clock-only',
    clocks,
    wrong.onlyTheMonotonicClock,
    overtaken,
    'A suspended machine’s holder does not see its lease end (rule 7).',
  ),
  plant('calendar-clock-only', clocks, wrong.onlyTheCalendarClock, overtaken, 'A calendar that is set back lengthens a lease (rule 7).'),
  plant('no-allowance-for-drift', clocks, wrong.noAllowanceForDrift, overtaken, 'A slow clock outlasts the group’s (rule 7).'),
  plant(
    'read-before-applying',
    readUnderLease,
    wrong.readsBeforeApplying,
    oldRead,
    'A read shows less than a follower knew already (rule 6).',
  ),
  plant('read-without-lease', readUnderLease, wrong.answersWithoutTheLease, oldRead, 'A leader that was replaced answers a read (rule 6).'),
  plant(
    'read-after-an-earlier-round',
    readAfterRound,
    wrong.countsAnEarlierRound,
    oldRead,
    'A quorum round that began before the read proves nothing about now (rule 9).',
  ),
  plant(
    'release-of-any-token',
    staleRelease,
    wrong.releasesAnyToken,
    'a release of token',
    'A stale release frees a newer grant (lock rows of the list of hazards).',
  ),
  plant(
    'cancel-without-tombstone',
    queue,
    wrong.cancelWithoutTombstone,
    orphan,
    'A cancel that comes first is forgotten, and its acquire stays for ever (rule 17).',
  ),
  plant('cancel-leaves-a-grant', queue, wrong.cancelLeavesAGrant, orphan, 'A grant that crosses its cancel is never released.'),
  plant('last-in-first-out', queue, wrong.grantsTheLast, 'which asked first (promise 5)', 'Waiters are granted out of order (promise 5).'),
  plant(
    'dead-waiter-stays',
    queue,
    wrong.deadWaiterStays,
    'which does not live',
    'A session that ended keeps its place and its lock (promise 5).',
  ),
  plant(
    'keep-alive-moves-the-floor',
    once,
    wrong.keepAliveMovesTheFloor,
    'two replicas of one log differ',
    'A floor that moves outside the log makes replicas differ (rule 17).',
  ),
  plant(
    'applied-twice',
    once,
    wrong.remembersNothing,
    'an acquire leaves one claim',
    'A command that comes twice takes effect twice (promise 4).',
  ),
  plant(
    'floor-drops-nothing',
    once,
    wrong.floorDropsNothing,
    'an acquire took effect twice (promise 4)',
    'A command at or under the floor takes effect again (rule 17).',
  ),
  plant(
    'ended-session-recreated',
    once,
    wrong.recreatesAnEndedSession,
    'a command of a session that ended took effect (promise 4)',
    'A command of an expired session brings it back (promise 4).',
  ),
  plant(
    'taken-name-is-given-away',
    opening,
    wrong.takesATakenName,
    overtaken,
    'A second process of a name takes it from one that relies on it (rule 17).',
  ),
  plant(
    'any-open-replaces',
    opening,
    wrong.anyOpenReplaces,
    overtaken,
    'An open that comes late ends the session that its process has opened since (rule 17).',
  ),
  plant(
    'answers-after-its-stop-sign',
    keptAcross,
    wrong.answersAfterItsStopSign,
    overtaken,
    'A leader keeps a session alive after it proposed the end of its configuration, whose next leader ends it (rule 6).',
  ),
  plant(
    'answers-after-adopting-a-stop-sign',
    keptAcrossAdopted,
    wrong.answersAfterAdoptingOne,
    overtaken,
    'A leader keeps a session alive while it does not know whether the stop-sign that it adopted ends its configuration (rule 6).',
  ),
  plant(
    'old-timers-in-the-next-configuration',
    keptAcross,
    wrong.keepsOldTimers,
    overtaken,
    'The next configuration’s leader counts a session’s silence from before its own begin (rules 5 and 6).',
  ),
  plant(
    'read-after-its-stop-sign',
    readAcross,
    wrong.readsAfterItsStopSign,
    oldRead,
    'A leader answers a read after it proposed the end of its configuration, in which others know more by now (rule 6).',
  ),
];
