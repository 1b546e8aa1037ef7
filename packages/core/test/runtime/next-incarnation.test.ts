/** What the next incarnation of a member is handed on. The safety rules 13 and 15. */
import type { Member, MemberEvent } from '../../src/group/member.ts';
import { Founder } from '../../src/paxos/founding.ts';
import { successionOf } from '../../src/runtime/next-incarnation.ts';

const inherits = { founding: 'f', tokenSecond: 7, longestTtlMs: 9_000 };

function memberWith(memory: { readonly inherits?: typeof inherits }): Member {
  const self = { node: 'a', incarnation: 'a#2', run: 1 };
  const options = { self, voters: ['a', 'b', 'c'], periodMs: 100, maxSessionTtlMs: 1_000, firstFounding: false };
  const founder = new Founder({ ...options, memory: { record: null, complete: false, tokenSecond: 0, ...memory } });
  return { inspect: { founder } } as unknown as Member;
}

const gaveUp: MemberEvent = { type: 'gaveUp', founding: 'g', because: { node: 'b', incarnation: 'b#3' } };

it('hands on what a founder had inherited whose own founding was contradicted, and the session with it', () => {
  const member = memberWith({ inherits });
  expect(successionOf(gaveUp, member)).toEqual({ before: member, inherits });
});

it('hands on nothing where there is nothing, and has nothing to say of other events', () => {
  const member = memberWith({});
  expect(successionOf(gaveUp, member)).toEqual({ before: member, inherits: null });
  expect(successionOf({ type: 'seatLost', founding: 'f' }, member)).toBeNull();
});
