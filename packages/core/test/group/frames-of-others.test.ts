/** Frames that mean nothing here: of another founding, and of another configuration of the same one. The safety rule 1. */
import type { MemberFrame } from '../../src/group/member-message.ts';
import { heartbeatOf } from '../paxos/desk.ts';
import { World } from './world.ts';

/** A voter that follows a leader, and a heartbeat of another voter in a far higher ballot, which it would have to follow. */
function outbid(): { readonly hear: (change: Partial<MemberFrame>) => string | null; readonly usurper: string } {
  const world = new World();
  world.until('sessions are open', () => world.everyoneHasASession());
  const leader = world.leader();
  const [follower, usurper] = world.livingVoters.filter((voter) => voter !== leader);
  if (!follower || !usurper) throw new Error('there are no two followers');
  const { founding = '', id: configuration = 0 } = follower.member.inspect.record?.configuration ?? {};
  const from = { node: usurper.node, incarnation: usurper.incarnation, run: usurper.run };
  const heartbeat = heartbeatOf({ ...from, round: 1_000 });
  return {
    usurper: usurper.node,
    hear: (change) => {
      // Past the lease that it granted to its leader, which would protect it.
      world.nowMs += 10_000;
      const at = world.at(follower);
      if (heartbeat.type !== 'heartbeat') return null;
      follower.member.step({ type: 'frame', frame: { founding, configuration, from, messages: [heartbeat], ...change }, at });
      return follower.member.inspect.replica?.promised.node ?? null;
    },
  };
}

describe('a heartbeat of a higher ballot', () => {
  it('is followed in the configuration that it names (3 voters)', () => {
    const { hear, usurper } = outbid();
    expect(hear({})).toBe(usurper);
  });

  it.each([{ configuration: 2 }, { configuration: 0 }, { founding: 'another' }])('changes nothing as one of %j (3 voters)', (change) => {
    const { hear, usurper } = outbid();
    expect(hear(change)).not.toBe(usurper);
  });
});
