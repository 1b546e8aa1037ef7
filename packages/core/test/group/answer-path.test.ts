/** Who answers a client: the follower that is its to answer, and the leader where that one does not. */
import type { MemberMessage } from '../../src/group/member-message.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { World } from './world.ts';

const acquire = (seq: number): LockOp => [lockOp.acquire, seq, 'l/one', 0, 0, null];

/** A group at rest, and from then on who sent replies to whom. */
function watched(options: ConstructorParameters<typeof World>[0]): { world: World; replies: string[]; leader: string } {
  const world = new World(options);
  world.until('sessions are open', () => world.leader() !== undefined && world.everyoneHasASession());
  const replies: string[] = [];
  const before = world.network.swallows;
  world.network.swallows = (message: MemberMessage, link) => {
    if (message.type === 'replies') replies.push(`${link.from} to ${link.to}`);
    return before(message, link);
  };
  return { world, replies, leader: world.leader()?.node ?? '' };
}

function granted(world: World, node: string): boolean {
  return world.process(node).results.some(([, code]) => code === resultCode.granted);
}

describe('an answer', () => {
  it('comes to a client from a follower even if nothing of the leader reaches it (3 voters, 1 client)', () => {
    const { world, replies, leader } = watched({ clients: ['x'] });
    world.network.cut.add(`${leader}>x`);
    world.request('x', acquire);
    world.until('it is granted', () => granted(world, 'x'), 100);
    expect(new Set(replies.filter((link) => !link.startsWith(leader))).size).toBe(1);
  });

  it('comes from the leader at once where the follower that should give it is dead (3 voters, 2 clients)', () => {
    const { world, replies, leader } = watched({ clients: ['x', 'y'] });
    const first = world.request('x', acquire);
    world.until('it is granted', () => granted(world, 'x'));
    const answering = replies.map((link) => link.split(' ')[0]).find((node) => node !== leader) ?? '';
    const token = world.process('x').results.find(([seq]) => seq === first)?.[2] ?? 0;
    world.kill(answering);
    const second = world.request('x', (seq) => [lockOp.release, seq, 'l/one', token, null]);
    world.until('it is released', () => world.process('x').results.some(([seq]) => seq === second), 100);
    expect(replies.at(-1)).toBe(`${leader} to x`);
  });

  it('comes from the leader in a group where an accept proves nothing (5 voters, 1 client)', () => {
    const { world, replies, leader } = watched({ clients: ['x'], voters: ['a', 'b', 'c', 'd', 'e'] });
    world.request('x', acquire);
    world.until('it is granted', () => granted(world, 'x'));
    // By then the followers have learned of it too.
    world.run(1_000);
    expect(new Set(replies)).toEqual(new Set([`${leader} to x`]));
  });
});
