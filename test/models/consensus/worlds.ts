/** Who takes part in each world, what may happen to them, and the bounds that make it finite. */
import type { CountWorld } from './count-founding.ts';
import type { FoundingWorld } from './founding.ts';
import type { LeaseWorld } from './lease.ts';
import type { LogWorld } from './log.ts';
import type { NamesWorld } from './names.ts';
import type { RefoundingWorld } from './refounding.ts';
import type { StopSignWorld } from './stop-sign.ts';
import type { StoreWorld } from './store.ts';
import type { SynodWorld } from './synod.ts';

export const synod: SynodWorld = {
  name: 'synod',
  about: 'Three voters, two of which propose in at most two rounds each; any frame lost, late or doubled; one restart with memory.',
  proposers: [
    { node: 'a', value: 'x' },
    { node: 'b', value: 'y' },
  ],
  roundMax: 2,
  restarts: 1,
  wipes: 0,
};

export const synodWipe: SynodWorld = {
  name: 'synod-with-a-wipe',
  about: 'Three voters, and two processes without a vote that propose once; one voter loses its memory and comes back as a stranger.',
  proposers: [
    { node: 'p', value: 'x' },
    { node: 'q', value: 'y' },
  ],
  roundMax: 1,
  restarts: 0,
  wipes: 1,
  wiped: ['c'],
};

const once = { stands: 1, slotMax: 0, beats: 1 };
const never = { ...once, stands: 0 };
const firstLeader = { node: 'a', by: 'c' };

export const logGaps: LogWorld = {
  name: 'log-with-take-over-and-gaps',
  about: 'Three voters; a leads and proposes its begin and a command; b takes over whenever it likes. Three slots, any frame lost or late.',
  rules: [2, 4],
  marks: ['a vote is adopted', 'a gap is filled', 'a no-op is applied', 'two lead at once', 'a slot is fetched', 'a fetch is answered'],
  candidates: { a: { ...never, slotMax: 2 }, b: once },
  firstLeader,
  restarts: 0,
};

export const logRestart: LogWorld = {
  name: 'log-with-a-restart',
  about: 'Three voters, two of which stand once for leader; one voter, whichever, restarts with its memory.',
  rules: [3],
  marks: ['a vote is adopted', 'two lead at once', 'a restarted voter votes', 'a fetch is answered'],
  candidates: { a: once, b: once },
  restarts: 1,
};

export const logStranger: LogWorld = {
  name: 'log-with-a-stranger-and-relays',
  about: 'Three voters, two of which stand once; c loses its memory and speaks on under a new incarnation; accepts are relayed by others.',
  rules: [3, 4],
  marks: ['a vote is adopted', 'two lead at once', 'a stranger votes'],
  candidates: { a: once, b: once },
  restarts: 0,
  wiped: 'c',
  relays: true,
};

export const logCompaction: LogWorld = {
  name: 'log-with-compaction',
  about: 'Three voters; a leads and beats three times, so that what all applied is forgotten; b takes over whenever it likes.',
  rules: [2],
  marks: ['a log is compacted', 'a vote is adopted', 'two lead at once', 'a slot is fetched', 'a fetch is answered'],
  candidates: { a: { ...never, beats: 3 }, b: once },
  firstLeader,
  restarts: 0,
};

export const stopSignGaps: StopSignWorld = {
  name: 'stop-sign-with-gaps',
  about:
    'a alone has stored its stop-sign; b leads already, proposes its begin and a command; c takes over whenever it likes; a leads the next.',
  rules: [1, 2],
  marks: ['something lies above the stop-sign', 'a leader holds its begin back', 'the next one is led', 'the next one chooses'],
  stands: [['c'], ['a']],
  commands: ['b'],
  isOvertaken: true,
};

export const stopSignVoid: StopSignWorld = {
  name: 'stop-sign-after-another-begin',
  about:
    'a alone has stored a command and its stop-sign behind it; b leads already and begins; c takes over and may adopt of each of the two.',
  rules: [1, 5],
  marks: ['a leader holds its begin back', 'a stop-sign is void', 'the next one is led', 'the next one chooses'],
  stands: [['c'], ['a']],
  commands: ['a'],
  isOvertaken: true,
};

export const swap: StopSignWorld = {
  name: 'swap-of-a-wiped-voter',
  about: 'c lost its memory and is swapped in under its new incarnation; b takes over whenever it likes; any of the three leads the next.',
  rules: [1, 16],
  marks: ['a standby is given a seat', 'the next one is led', 'the next one chooses'],
  stands: [['b'], ['a', 'c']],
  commands: ['b'],
  wiped: 'c',
};

/** The bound on rates: one clock that is slow against true time by ρ, others that are as fast. */
const slow = 0.99;
const fast = 1.01;

export const lease: LeaseWorld = {
  name: 'leader-lease',
  about: 'Three voters whose clocks differ in rate as far as is allowed, either way; leases of 100 ms, steps of 50 ms, 150 ms in all.',
  periods: 3,
  restarted: [],
  suspended: [],
  rates: [
    [slow, fast],
    [fast, slow],
  ],
};

export const leaseRestart: LeaseWorld = {
  name: 'leader-lease-with-a-restart',
  about: 'The same with a slow first leader, where that leader or the voter that granted its lease restarts with its memory.',
  periods: 3,
  restarted: ['a', 'c'],
  suspended: [],
  rates: [[slow, fast]],
};

export const leaseSuspended: LeaseWorld = {
  name: 'leader-lease-with-a-suspended-machine',
  about:
    'The same with a slow first leader, where the machine of that leader or of its granter sleeps once: its monotonic clock stands still.',
  periods: 3,
  restarted: [],
  suspended: ['a', 'c'],
  rates: [[slow, fast]],
};

export const founding: FoundingWorld = {
  name: 'founding-of-three',
  about: 'Three names found a group; none loses its memory; answers come at once or never, every other frame as late as it likes.',
  voters: ['a', 'b', 'c'],
  lateAnswers: false,
  wipes: 0,
  wiped: [],
  incarnationsMax: 1,
  marks: ['founded'],
};

export const foundingLate: FoundingWorld = {
  name: 'founding-with-a-wipe',
  about: 'Two names found a group, while either loses its memory; answers come as late as they like.',
  voters: ['a', 'b'],
  lateAnswers: true,
  wipes: 1,
  wiped: ['a', 'b'],
  incarnationsMax: 3,
  marks: ['founded', 'founded after a wipe', 'an incarnation is given up'],
};

const counted = { count: 2, wipes: 0, restarts: 0, doubtful: 0, proposalsMax: 1, recordsMax: 2 };

export const countFounding: CountWorld = {
  ...counted,
  name: 'founding-by-count',
  about: 'Two of three processes found a group by a log; none loses its memory, and one write may arrive late.',
  candidates: ['a', 'b', 'c'],
  doubtful: 1,
  marks: ['founded', 'founded by a record that replaced another'],
};

export const countFoundingWipe: CountWorld = {
  ...counted,
  name: 'founding-by-count-with-a-wipe',
  about:
    'Two processes found a group of two by a log, while one loses its memory, one restarts with it, and one write arrives late or never.',
  candidates: ['a', 'b'],
  wipes: 1,
  restarts: 1,
  doubtful: 1,
  proposalsMax: 2,
  recordsMax: 3,
  marks: ['founded', 'founded after a wipe', 'founded by a record that replaced another'],
};

export const countFoundingDeath: CountWorld = {
  ...counted,
  name: 'founding-by-count-half-way',
  about: 'Two of three processes found a group by a log, while any of them loses its memory on the way.',
  candidates: ['a', 'b', 'c'],
  wipes: 1,
  recordsMax: 3,
  marks: ['founded', 'founded after a wipe', 'founded by a record that replaced another'],
};

export const countFoundingEnded: CountWorld = {
  ...counted,
  name: 'founding-by-count-ended',
  about:
    'Two processes found a group of two by a log and one of them loses its memory; an operator ends that founding, and they found another.',
  candidates: ['a', 'b'],
  wipes: 1,
  restarts: 1,
  doubtful: 1,
  recordsMax: 3,
  operator: 'careful',
  marks: ['founded', 'founded after a wipe', 'founded after the end of another'],
};

export const refoundingBesideOutsider: RefoundingWorld = {
  name: 'refounding-beside-an-outsider',
  about:
    'Two names that a group was founded with and one that it was not: up to two changes of voters, learned of or not; three losses of memory; survivors that judge, and found anew.',
  names: ['a', 'b'],
  outsiders: ['d'],
  configurations: [
    ['a1', 'b1'],
    ['a1', 'b1', 'd1'],
    ['a1', 'b2', 'd1'],
  ],
  wipes: 3,
  zombies: 0,
  incarnationsMax: 4,
  lateAnswers: false,
  marks: [
    'founded anew',
    'founded anew beside an outsider that votes in the last life',
    'a seat is given up by a verdict',
    'a founder gives up its incarnation',
  ],
};

export const refoundingLate: RefoundingWorld = {
  ...refoundingBesideOutsider,
  name: 'refounding-with-late-answers',
  about: 'The same with one loss of memory, where what founders are answered comes as late as it likes.',
  wipes: 1,
  incarnationsMax: 3,
  lateAnswers: true,
};

export const refoundingZombie: RefoundingWorld = {
  ...refoundingBesideOutsider,
  name: 'refounding-with-a-zombie',
  about:
    'Two names found anew, while the last process of one that was started again sleeps on; no outsider votes, and that is why it holds.',
  outsiders: [],
  configurations: [['a1', 'b1']],
  zombies: 1,
  marks: ['founded anew', 'a seat is given up by a verdict', 'a founder gives up its incarnation'],
};

export const names: NamesWorld = {
  name: 'voters-of-other-names',
  about:
    'Three named voters and two standbys of other names: up to four changes of voters, any of the named loses its memory once, and they found anew when they can.',
  rules: [14],
  marks: ['an outsider votes', 'there are five voters', 'founded anew beside an outsider', 'a founder never learned of its seat'],
};

export const store: StoreWorld = {
  name: 'store-that-goes-back',
  about: 'Three voters; one promises twice and restarts twice, its store may lose its last record once; any frame lost, late or doubled.',
  marks: [
    'a store that went back is found out',
    'a store that kept everything is trusted',
    'a store that went back unseen is trusted',
    'a voter in doubt learns',
    'a store that went back starts twice',
  ],
  promises: 2,
  learns: 1,
  restarts: 2,
  losses: 1,
  forgets: 0,
};

export const storeForgotten: StoreWorld = {
  name: 'store-after-all-restarted',
  about: 'Three voters; one promises twice and restarts, the two others forget what they heard of it; any frame lost, late or doubled.',
  marks: ['a store that kept everything is trusted', 'a store that went back unseen is trusted', 'all have forgotten'],
  promises: 2,
  learns: 0,
  restarts: 1,
  losses: 1,
  forgets: 2,
};
