/** Rare states that a large enough run must have reached: a simulation that never meets them proves nothing about them. */

/** Faults that came over somebody: drawn is not yet brought, for whoever is dead cannot be stopped, nor one wiped too many. */
const faultMeanings = {
  frameLost: 'the weather lost a frame',
  frameDoubled: 'a frame came twice',
  frameStrayedFar: 'a frame strayed for more than four seconds',
  linkCut: 'a directed link was cut',
  nodeIsolated: 'a node was cut off from all others, both ways',
  nodeDeafened: 'a node heard nobody, and was heard',
  nodesSplit: 'the nodes were split into two sides',
  linkClogged: 'a link held its frames back, and let them go at once',
  processStopped: 'a process stood still for less than its TTL, as with a blocked loop',
  processStoppedBeyondTtl: 'a process stood still for longer than its TTL',
  machineSuspended: 'a machine was suspended, and its monotonic clock stood still',
  crashedWithMemory: 'a voter crashed and kept its disk',
  crashedWiped: 'a voter crashed and lost its memory',
  leftInOrder: 'a process closed in good order',
  calendarJumped: 'a calendar clock jumped',
  clockRateChanged: 'the rate of a monotonic clock changed',
  brokerRestarted: 'the broker restarted, and lost what was under way',
  oldFramesReplayed: 'frames of long ago came again',
  diskSlowed: 'a disk became slow',
  writeMadeToFail: 'the next write of a disk was made to fail',
} as const;

/** Each with what has to happen for it to count. */
export const markMeanings = {
  ...faultMeanings,
  duellingLeaders: 'two processes lead at one time, the older one not knowing yet',
  noOpFilled: 'a slot that no vote named was filled with a no-op',
  valueAdopted: 'a new leader found votes above what was chosen, and proposed their values again',
  gapFetched: 'a replica asked another for chosen slots that it lacked',
  majoritySilent: 'a leader stepped down because no majority answered it',
  outbid: 'a leader stepped down before a higher ballot',
  sessionExpired: 'the group ended a silent session',
  expiryDuringTakeOver: 'an expiry that one leader had proposed was adopted by the next',
  sessionReplaced: 'a process that came back under its node name took the place of its old session',
  endedSessionRefused: 'a command of a session that had ended was chosen, and refused',
  openRetried: 'an open that had been chosen was chosen again',
  commandRepeated: 'a command that had been applied was chosen again',
  cancelCrossedGrant: 'a cancel was chosen after the grant of what it cancels',
  cancelBeforeAcquire: 'a cancel was chosen before the acquire that it cancels',
  jeopardy: 'a session was announced to be in jeopardy',
  recovered: 'a session in jeopardy became healthy again',
  lostByOwnClock: 'a holder ended its session by its own clock',
  endedByGroup: 'a holder was told that the group had ended its session',
  founderGaveUp: 'a founder discarded its incarnation because another seat had lost its memory',
  foundedAgain: 'a second founding was completed after a first one had been given up or forgotten',
  majorityLost: 'a voter that was left found out that a majority of its group had lost its memory',
  refoundedOnRequest: 'a founding was completed that replaced one whose majority was lost',
  foundedByCount: 'a group was founded by the log of foundings, without names',
  recordReplaced: 'a record in the log of foundings was replaced by another, and one incarnation was listed in both',
  seatLost: 'a voter came back without its memory and served as a client',
  seatRegained: 'a voter that came back without its memory was swapped in',
  voterOrderDone: 'what an operator asked about voters or the leader was done',
  outsidersRefused: 'a change was refused that would have given a majority to names that the group was not founded with',
  quorumKept: 'a change was refused that would have left too few living voters',
  replacedByAutopilot: 'a leader proposed a standby in the place of a voter that had been silent for long',
  leaverReplaced: 'a leader proposed a standby in the place of a voter that was leaving',
  outsiderVotes: 'a configuration took effect in which a name votes that the group was not founded with',
  stopSignAdopted: 'a new leader found a stop-sign among what it adopted, and held its begin back',
  snapshotInstalled: 'somebody was too far behind for the log, and went on from a snapshot',
  restartedWithMemory: 'a voter came back with its memory',
  writeLost: 'a crash took a write that was not yet durable',
  writeFailed: 'a write failed, and the voter stopped',
  mailboxOverflowed: 'a mailbox was full and frames were dropped',
  staleWriteRefused: 'a store refused a write under an older token',
  overlapBeyondDriftBound: 'with clocks beyond the drift bound two leases overlapped: the check is alive',
  leadershipHandedOver: 'a leader that left handed its leadership over',
  lockTimedOut: 'an acquire gave up at its deadline',
  drainOverrun: 'a handler was still at work when its drain’s budget and its lease were over',
  partitionUncovered: 'a leader covered a partition no more, for its drain took too long',
  partitionFreed: 'a partition was freed one TTL after it was uncovered',
  freedByAnotherLeader: 'a partition was freed by another leader than the one that had uncovered it',
  releaseCrossedUncover: 'a release was chosen after the partition had been uncovered',
  partitionRefused: 'a partition was given up because its handler kept failing',
  graceKeptPlace: 'a member came back in time, and what had been kept for it was granted to it',
  regrantedToSameNode: 'a partition was granted to the node that had it last',
  coveredBeforeTold: 'a keep-alive covered a partition before its owner had been told of the grant',
  resizedUnderOwners: 'partitions that were owned were taken out of a set',
  partitionOverlapBeyondDriftBound: 'with clocks beyond the drift bound two leases on a partition overlapped: the check is alive',
  startedBesideOverrun: 'a handler began while the last owner’s, its lease over, was still at work',
  partitionNotePassed: 'an owner got the note that the last one had left',
  partitionLost: 'a lease on a partition ended before the partition was given back',
  workedUnderPartition: 'a call ran while its process owned the partition',
} as const;

export type Mark = keyof typeof markMeanings;

export const everyMark = Object.keys(markMeanings) as readonly Mark[];

export class Marks {
  readonly counts = new Map<Mark, number>();

  reach(mark: Mark): void {
    this.counts.set(mark, (this.counts.get(mark) ?? 0) + 1);
  }
}
