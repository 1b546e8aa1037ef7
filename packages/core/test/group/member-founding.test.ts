/** Founding by whole members: never two groups, and one in the end. The safety rules 11 to 14. */
import type { MemberMessage } from '../../src/group/member-message.ts';
import { World } from './world.ts';

describe('founding', () => {
  it('is confirmed to a founder that lost every confirmation until the others had fallen silent (3 voters, safety 11)', () => {
    const world = new World();
    const confirmed = (node: string): boolean => world.process(node).events.some(({ event }) => event.type === 'foundingConfirmed');
    const isConfirmation = ({ type }: MemberMessage): boolean => type === 'foundingConfirmed';
    world.network.filter = ({ from, to, frame }) => from === 'a' && to === 'b' && frame.messages.some(isConfirmation);
    world.until('a and c are confirmed', () => confirmed('a') && confirmed('c'));
    world.run(1_000);
    expect(confirmed('b')).toBe(false);
    world.heal();
    world.until('b is confirmed', () => confirmed('b'), 2_000);
  });
});
