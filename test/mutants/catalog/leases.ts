/** Wrong leader leases: granted, counted or relied on for longer than they hold. Gray & Cheriton, "Leases" (1989); rules 5 to 9. */
import { model, patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const leases: readonly Mutant[] = [
  {
    name: 'leader-lease-from-the-answer',
    hazard: 'The leader counts its lease from an answer’s coming instead of the heartbeat’s leaving (rule 7).',
    patches: [
      patch('paxos/replica.ts', 'return this.onHeartbeatSeen(from, message);', 'return this.onHeartbeatSeen(from, message, nowMs);'),
      patch(
        'paxos/replica.ts',
        'private onHeartbeatSeen(from: Proposer, { ballot, id, appliedIndex }: M.HeartbeatSeen): void {',
        'private onHeartbeatSeen(from: Proposer, { ballot, id, appliedIndex }: M.HeartbeatSeen, nowMs: number): void {',
      ),
      patch('paxos/replica.ts', 'role.term.lease.heartbeatSeen(id, from.node);', 'role.term.lease.heartbeatSeen(id, from.node, nowMs);'),
      patch(
        'paxos/lease.ts',
        'heartbeatSeen(id: number, voter: string): void {\n    const sent = this.sent.get(id);',
        'heartbeatSeen(id: number, voter: string, nowMs = 0): void {\n    const known = this.sent.get(id);\n    const sent = known && { ...known, atMs: Math.max(known.atMs, nowMs) };',
      ),
    ],
    killers: [unit('paxos/replica'), model('leader-lease')],
  },
  {
    name: 'lease-granted-to-an-unpromised-ballot',
    hazard: 'A heartbeat of a lower ballot than the promised one is granted a lease (rule 7).',
    patches: [
      patch(
        'paxos/follower.ts',
        'if (compareBallots(ballot, this.acceptor.promised) < 0 || this.granted.remainingAgainstMs(ballot, nowMs) > 0) {',
        'if (this.granted.remainingAgainstMs(ballot, nowMs) > 0) {',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'granter-promises-another',
    hazard: 'An acceptor promises another ballot while the lease that it granted runs (rule 7).',
    patches: [
      patch(
        'paxos/follower.ts',
        'if (leaseRemainingMs > 0 || compareBallots(ballot, this.acceptor.promised) < 0) return this.reject',
        'if (compareBallots(ballot, this.acceptor.promised) < 0) return this.reject',
      ),
    ],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'restart-with-memory-does-not-wait',
    hazard: 'A voter that restarted with its memory has forgotten what lease it granted, and promises another at once (rule 7).',
    patches: [
      patch(
        'paxos/follower.ts',
        'new GrantedLease(memory ? nowMs + waitAfterRestartMs(timing) : -Infinity)',
        'new GrantedLease(-Infinity)',
      ),
    ],
    killers: [unit('paxos/replica'), model('leader-lease-with-a-restart')],
  },
  {
    name: 'zombie-not-waited-for',
    hazard: 'A run takes a seat over while the one before it sleeps, and promises another before that one has stopped to grant (rule 19).',
    patches: [patch('paxos/follower.ts', 'return leaseMaxMs + zombieMs;', 'return leaseMaxMs + 0 * zombieMs;')],
    killers: [unit('paxos/replica')],
  },
  {
    name: 'zombie-acts-on-an-old-write',
    hazard: 'A process that slept goes on granting leases, though another has its seat by now: only a write would show it (rule 19).',
    patches: [patch('runtime/run-writer.ts', 'if (this.#isOlder(at, renewalPart))', 'if (this.#isOlder(at, Infinity))')],
    killers: [unit('runtime/run-writer')],
  },
  {
    name: 'leader-lease-by-one-clock',
    hazard: 'A leader whose machine was suspended does not see its lease end (rule 7; lesson: suspend stops the monotonic clock).',
    patches: [
      patch(
        'paxos/lease.ts',
        'return sent.atMs + usableLengthMs(this.lengthMs) - Math.max(0, aheadMs - sent.aheadMs);',
        'return sent.atMs + usableLengthMs(this.lengthMs) - 0 * aheadMs;',
      ),
    ],
    killers: [unit('paxos/lease'), model('leader-lease-with-a-suspended-machine'), simulation(20)],
  },
  {
    name: 'stale-abdication-frees',
    hazard: 'A delayed abdication of an earlier ballot frees the lease of the one that the leader serves in now (rule 7).',
    patches: [patch('paxos/lease.ts', 'this.owner && sameBallot(this.owner, owner)', 'this.owner && sameProposer(this.owner, owner)')],
    killers: [unit('paxos/saved-cases')],
  },
  {
    name: 'no-allowance-for-drift',
    hazard: 'A holder uses the whole length of its lease, and a slow clock outlasts the group’s (rule 7).',
    patches: [patch('time/clock.ts', 'return lengthMs * (1 - 2 * driftBound);', 'return lengthMs;')],
    killers: [unit('paxos/replica'), model('holder-clocks')],
  },
  {
    name: 'own-right-by-the-monotonic-clock',
    hazard: 'A suspended machine’s holder does not see its lease end (rule 7; lesson: suspend stops the monotonic clock).',
    patches: [
      patch(
        'time/clock.ts',
        'return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);',
        'return now.monotonicMs - since.monotonicMs;',
      ),
    ],
    killers: [unit('session/session-holder'), model('holder-clocks')],
  },
  {
    name: 'answers-before-its-begin',
    hazard: 'A leader answers keep-alives before it has applied its own begin, and with it what had ended them (rules 5 and 6).',
    patches: [
      patch(
        'group/leader-service.ts',
        'if (applied.begun === this.options.stamp) this.begin(nowMs);',
        'if (!this.steward) this.begin(nowMs);',
      ),
    ],
    killers: [unit('group/leader-service'), model('expiry-by-a-cut-off-leader')],
  },
  {
    name: 'answers-without-a-lease',
    hazard: 'A leader that was replaced keeps sessions alive that its successor ends (rule 6; lesson: old leader keeps answering).',
    patches: [patch('group/leader-service.ts', 'return this.term.lease.majorityAnsweredMs() > arrivedMs;', 'return true;')],
    killers: [unit('group/leader-service'), model('renewal-by-another-leader')],
  },
  {
    name: 'earlier-quorum-round-counts',
    hazard: 'A quorum round begun before a question came proves nothing about now (rule 9).',
    patches: [
      patch(
        'group/leader-service.ts',
        'return this.term.lease.majorityAnsweredMs() > arrivedMs;',
        'return this.term.lease.majorityAnsweredMs() > arrivedMs - this.options.quorumRoundMaxMs;',
      ),
    ],
    killers: [unit('group/leader-service')],
  },
  {
    name: 'read-before-what-was-proposed',
    hazard: 'A read shows less than a follower has already learned and told (rule 6).',
    patches: [patch('group/leader-service.ts', ' || this.state.appliedIndex < parked.afterSlot', '')],
    killers: [unit('group/leader-service'), model('read-under-lease')],
  },
];
