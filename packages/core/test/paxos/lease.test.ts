/** The leader lease as its holder sees it. Gray & Cheriton, "Leases" (1989); the safety rule 7. */
import { HeldLease } from '../../src/paxos/lease.ts';

describe('a held lease', () => {
  it('ends by the faster of both clocks, for the monotonic one stops while its machine is suspended (2 of 3 voters)', () => {
    const lease = new HeldLease(500, 2);
    lease.clocksShow(70);
    const id = lease.heartbeatSent(1_000, 'a');
    lease.heartbeatSeen(id, 'b');
    expect(lease.heldUntilMs()).toBe(1_490);
    lease.clocksShow(70 + 300);
    expect(lease.heldUntilMs()).toBe(1_190);
    lease.clocksShow(70 - 5_000);
    expect(lease.heldUntilMs()).toBe(1_490);
  });

  it('is forgotten with the heartbeats that nobody answered in time, and an answer to none counts for nothing (2 of 3 voters)', () => {
    const lease = new HeldLease(500, 2);
    const first = lease.heartbeatSent(0, 'a');
    for (let beat = 1; beat <= 64; beat += 1) lease.heartbeatSent(beat * 100, 'a');
    lease.heartbeatSeen(first, 'b');
    lease.heartbeatSeen(first + 1_000, 'b');
    expect(lease.majorityAnsweredMs()).toBe(-Infinity);
  });
});
