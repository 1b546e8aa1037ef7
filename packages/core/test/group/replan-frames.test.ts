/** What a re-plan of a large set costs in frames: each member is told once of all that changed for it, by the leader's own path. */
import { encodeFrame } from '../../src/codec/frame-codec.ts';
import type { MemberFrame } from '../../src/group/member-message.ts';
import type { PartitionsState } from '../../src/partition/command.ts';
import { partitionOp } from '../../src/partition/command.ts';
import { isPartitionsState } from '../../src/operation.ts';
import { frameOf } from '../codec/samples.ts';
import { World } from './world.ts';

const count = 1_024;
const members = Array.from({ length: 50 }, (_, index) => `n${String(index).padStart(2, '0')}`);
const joiner = 'x';

interface Told {
  readonly to: string;
  readonly states: readonly PartitionsState[];
  readonly bytes: number;
}

function arrange() {
  const world = new World({ clients: [...members, joiner] });
  const told: Told[] = [];
  const send = world.network.send.bind(world.network);
  world.network.send = (sending) => {
    const news = newsIn(sending.frame);
    if (news) told.push({ to: sending.to, ...news });
    send(sending);
  };
  const join = (node: string, weight: number): void => {
    const process = world.process(node);
    world.give(process, { type: 'watch', added: ['o/orders'], removed: [], at: world.at(process) });
    world.request(node, (seq) => [partitionOp.join, seq, 'orders', weight, 600_000, count, 2_000, 100]);
  };
  const set = () => world.leader()?.member.inspect.state?.tables.partitions.set('orders');
  world.until('sessions are open', () => world.everyoneHasASession());
  for (const node of members) join(node, 1);
  const owned = () =>
    members.filter((node) => world.process(node).states.some((state) => isPartitionsState(state) && state.rows.length > 0));
  world.until('all were told what they own', () => owned().length === members.length);
  return { world, told, join, set };
}

/** What the frame says of partitions, and the bytes of a frame that says it. */
function newsIn({ messages }: MemberFrame): Omit<Told, 'to'> | null {
  const watched = messages.filter((message) => message.type === 'watched');
  const states = watched.flatMap((message) => message.states).filter(isPartitionsState);
  return states.some(({ rows }) => rows.length > 0) ? { states, bytes: encodeFrame(frameOf(...watched)).length } : null;
}

it('tells each owner in one frame what it is to give up, however many partitions move (3 voters, 50 members, 1,024 partitions)', () => {
  const { world, told, join, set } = arrange();
  told.length = 0;
  // As heavy as all others together, so that half of the partitions move, ten of each member.
  join(joiner, members.length);
  const revoked = () => set()?.partitions.filter(({ isRevoked }) => isRevoked) ?? [];
  world.until('the set is planned anew', () => revoked().length > 0);
  world.run(2_000);
  expect(revoked()).toHaveLength(count / 2);
  expect(told.map(({ to }) => to).sort()).toEqual(members);
  expect(told.map(({ states }) => states.length)).toEqual(members.map(() => 1));
  const rows = told.flatMap(({ states }) => states.flatMap((state) => state.rows.map(([partition]) => partition)));
  expect(rows.sort((one, other) => one - other)).toEqual(revoked().map(({ index }) => index));
  expect(told.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(16 * 1_024);
});
