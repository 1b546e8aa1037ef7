/**
 * Frames that are well-formed and say something monstrous, given to members in the middle of a life. Each was found by the fuzzer or
 * in its neighbourhood; what may arrive unsealed must cost no more than its bytes.
 */
import type { MemberFrame, MemberMessage } from '../../src/group/member-message.ts';
import type { MemberOutput } from '../../src/group/member.ts';
import { slotsAheadMax } from '../../src/paxos/log.ts';
import { PhaseOne } from '../../src/paxos/phase-one.ts';
import { World, type Process } from '../group/world.ts';

const last = Number.MAX_SAFE_INTEGER;

function groupOf(): { readonly world: World; readonly leader: Process; readonly follower: Process } {
  const world = new World({ seed: 5, clients: ['d'] });
  world.until('everyone has a session', () => world.leader() !== undefined && world.everyoneHasASession());
  world.run(1_000);
  const leader = world.leader() as Process;
  return { world, leader, follower: world.livingVoters.find((one) => one !== leader) as Process };
}

function hear(world: World, to: Process, { node, incarnation, run }: Process, ...messages: readonly MemberMessage[]): MemberOutput {
  const configuration = to.member.inspect.record?.configuration;
  const frame: MemberFrame = {
    founding: configuration?.founding ?? '',
    configuration: configuration?.id ?? 0,
    from: { node, incarnation, run },
    messages,
  };
  return to.member.step({ type: 'frame', frame, at: world.at(to) });
}

function ballotOf({ member }: Process) {
  const ballot = member.inspect.replica?.leading?.ballot;
  if (ballot === undefined) throw new Error('it does not lead');
  return ballot;
}

test.each([last, 2 ** 40, 2 ** 31, 2 ** 27])('an accept for slot %d is fetched up to and not voted for (3 voters)', (slot) => {
  const { world, leader, follower } = groupOf();
  const accept: MemberMessage = { type: 'accept', ballot: ballotOf(leader), slot, value: null, firstSlot: 1, chosenIndex: 0 };
  const { persist, send } = hear(world, follower, leader, accept);
  expect(persist).toEqual([]);
  expect(send.map(({ message }) => message.type)).toEqual(['fetch']);
});

test('the farthest slot that is taken is voted for, and the next one is not (3 voters)', () => {
  const { world, leader, follower } = groupOf();
  const reach = (follower.member.inspect.replica?.log.chosenIndex ?? 0) + slotsAheadMax;
  const accept = (slot: number): MemberMessage => ({
    type: 'accept',
    ballot: ballotOf(leader),
    slot,
    value: null,
    firstSlot: 1,
    chosenIndex: 0,
  });
  expect(hear(world, follower, leader, accept(reach + 1)).persist).toEqual([]);
  expect(hear(world, follower, leader, accept(reach)).persist.map(({ type }) => type)).toEqual(['voted']);
});

test.each([last, 2 ** 40, 2 ** 31])('a value said to be chosen in slot %d is not kept (3 voters)', (from) => {
  const { world, leader, follower } = groupOf();
  expect(hear(world, follower, leader, { type: 'chosen', from, values: [null], chosenIndex: from, floor: 0 }).persist).toEqual([]);
});

test('260,000 values in one frame are kept as far as they reach (3 voters)', () => {
  const { world, leader, follower } = groupOf();
  const from = (follower.member.inspect.replica?.log.chosenIndex ?? 0) + 2;
  const values = new Array<null>(260_000).fill(null);
  expect(hear(world, follower, leader, { type: 'chosen', from, values, chosenIndex: from, floor: 0 }).persist).toHaveLength(
    slotsAheadMax - 1,
  );
});

test('a promise with a vote that no voter can have given is not counted, and one with the farthest vote is (3 voters)', () => {
  const ballot = { round: 2, node: 'a', incarnation: 'a1', run: 1 };
  const phase = new PhaseOne<null>(ballot, 1);
  const promiseOf = (slot: number) => {
    const votes = [{ slot, ballot: { ...ballot, round: 1 }, value: null }];
    return { type: 'promise', ballot, chosenIndex: 10, floor: 0, part: 0, parts: 1, votes } as const;
  };
  for (const slot of [last, 2 ** 40, 11 + slotsAheadMax]) phase.onPromise({ node: 'b', incarnation: 'b1', run: 1 }, promiseOf(slot));
  expect(phase.isComplete).toBe(false);
  phase.onPromise({ node: 'b', incarnation: 'b1', run: 1 }, promiseOf(10 + slotsAheadMax));
  expect(phase.isComplete).toBe(true);
  expect(phase.adopted(10)).toHaveLength(slotsAheadMax);
});

test('a watch list that names one lock a hundred thousand times is told of it once (3 voters, 1 client)', () => {
  const { world, leader } = groupOf();
  const client = world.process('d');
  const seq = world.request('d', (next) => [1, next, 'l/x', 0, 0, 'v'.repeat(1_000)]);
  world.until('all know that the lock is held', () => client.results.some(([known]) => known === seq) && world.isSettled());
  const { session } = client.member.inspect.holder;
  const added = new Array<string>(100_000).fill('l/x');
  const list = { type: 'watch', session: session ?? 0, version: 9, since: 0, part: 1, added, removed: [] } as const;
  const { send } = hear(world, leader, client, list);
  expect(send.map(({ message }) => (message.type === 'watched' ? message.states.length : message.type))).toEqual([1]);
});

test('a keep-alive that asks after one sequence a hundred thousand times is answered once (3 voters, 1 client)', () => {
  const { world, leader } = groupOf();
  const client = world.process('d');
  const seq = world.request('d', (next) => [1, next, 'l/x', 0, 0, null]);
  world.until('all know that the lock is held', () => client.results.some(([known]) => known === seq) && world.isSettled());
  const { send } = hear(world, leader, client, {
    type: 'keepAlive',
    session: client.member.session ?? 0,
    id: 999,
    floor: 0,
    pending: new Array<number>(100_000).fill(seq),
    watchVersion: 0,
    watchedIndex: 0,
    watchHeard: 0,
  });
  expect(send.map(({ message }) => (message.type === 'keptAlive' ? message.results.length : message.type))).toEqual([1]);
});
