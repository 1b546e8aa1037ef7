/** Who answers a founder, and how a voter of a group that was founded by count learns that an operator ended its founding. The safety rules 15 and 22. */
import type { MemberMessage } from '../../src/group/member-message.ts';
import type { FoundingEntry } from '../../src/paxos/founding-log.ts';
import { ballotOf, proposer } from '../paxos/desk.ts';
import { openedWorld } from './locks.ts';
import { World, worldTiming } from './world.ts';
import type { Process } from './world.ts';

const { electionTimeoutMs, heartbeatMs } = worldTiming;

/** An operator's word that the founding is over which this process has a part in. */
function endOf({ member }: Process): FoundingEntry {
  return { type: 'ended', founding: member.inspect.record?.configuration.founding ?? '', tokenSecond: 0 };
}

function thoseWhoKnow(world: World): readonly string[] {
  return world.eventsOf('foundingEnded').map(({ node }) => node);
}

describe('who is asked who is there', () => {
  it.each([
    ['answers where it stands by', 's', ['greeting']],
    ['says nothing where it only takes part', 'y', []],
  ])('and knows of no group %s (3 voters)', (_what, node, answers) => {
    const world = new World({ standbys: ['s'], clients: ['y'], startLater: true });
    const { member } = world.start(node);
    const hello = { type: 'hello', nonce: 'n', voters: ['a', 'b', 'c'], wallMs: 0 } as const;
    const frame = { founding: '', configuration: 0, from: proposer('a'), messages: [hello] };
    const { send } = member.step({ type: 'frame', frame, at: world.at(world.process(node)) });
    expect(send.map(({ message }) => message.type)).toEqual(answers);
  });
});

describe('the end of a founding', () => {
  it('is learned by a voter that is led and hears a frame of another founding, and by none that hears nothing (3 voters)', () => {
    const world = openedWorld({ count: 3, standbys: ['a', 'b', 'c'] });
    const follower = world.living.find((voter) => voter !== world.leader())!;
    world.foundings.push(endOf(follower));
    world.run(40 * heartbeatMs);
    expect(thoseWhoKnow(world)).toEqual([]);
    const messages: MemberMessage[] = [{ type: 'abdicate', ballot: ballotOf('d', 1), successor: '' }];
    const frame = { founding: 'the next', configuration: 1, from: proposer('d'), messages };
    world.give(follower, { type: 'frame', frame, at: world.at(follower) });
    world.run(2 * heartbeatMs);
    expect(thoseWhoKnow(world)).toEqual([follower.node]);
  });

  it('is learned at its start by a voter that was given its seat after it had accepted a record that was replaced (3 voters, 1 standby)', () => {
    const world = new World({ count: 3, standbys: ['a', 'b', 'c', 'x'], startLater: true, replaceAfterMs: 8 * electionTimeoutMs });
    const standby = world.start('x');
    const voters = [standby, proposer('y'), proposer('z')].map(({ node, incarnation }) => ({ node, incarnation }));
    const configuration = { founding: 'replaced', id: 1, voters };
    world.foundings.push({ type: 'record', record: { configuration, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: true } });
    for (const node of ['a', 'b', 'c']) world.start(node);
    world.until('sessions are open', () => world.everyoneHasASession());
    world.kill('c');
    world.until('x has the seat of c', () => standby.member.inspect.replica !== null);
    for (const node of ['a', 'b']) world.kill(node);
    world.foundings.push(endOf(standby));
    const restarted = world.restartWithMemory('x');
    const { founder } = restarted.member.inspect;
    expect(founder?.acceptedRecord?.configuration.founding).toBe('replaced');
    expect(founder?.standing).toBe('founded');
    world.run(2 * heartbeatMs);
    expect(thoseWhoKnow(world)).toEqual(['x']);
  });
});
