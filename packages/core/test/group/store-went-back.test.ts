/** Voters whose stores went back: found out by what the others saw, treated as without memory, swapped in. The safety rule 21. */
import { StoreWatch } from '../../src/group/store-watch.ts';
import type { MemberMessage } from '../../src/group/member-message.ts';
import { compareBallots } from '../../src/paxos/ballot.ts';
import { holdersOf, openedWorld, take } from './locks.ts';
import { worldTiming } from './world.ts';
import type { Process, World } from './world.ts';

const { electionTimeoutMs, heartbeatMs } = worldTiming;

function follower(world: World): Process {
  return world.livingVoters.find(({ node }) => node !== world.leader()?.node)!;
}

function readinessOf(world: World, process: Process): string {
  return process.member.status(world.at(process)).readiness;
}

function typesOf({ events }: Process): readonly string[] {
  return events.map(({ event }) => event.type);
}

/** What a backup of its store would hold now. */
function copyOf({ disk, stored, incarnation, run }: Process): NonNullable<Parameters<World['start']>[1]>['memory'] {
  return { disk: [...disk], stored, incarnation, run };
}

function startedFrom(world: World, node: string, memory: ReturnType<typeof copyOf>): Process {
  world.kill(node);
  return world.start(node, { memory });
}

describe('a voter that is started on an older copy of its store', () => {
  it.each([1, 2, 3])(
    'gives its incarnation up and is swapped in; nobody loses a lock, and tokens rise (3 voters, 1 client, seed %i)',
    (seed) => {
      const world = openedWorld({ seed, clients: ['x'], loss: seed === 3 ? 0.05 : 0 });
      const { node } = follower(world);
      const copy = copyOf(follower(world));
      const token = take(world, 'x', 'held');
      world.run(3 * heartbeatMs);
      const restored = startedFrom(world, node, copy);
      world.until('it gave itself up', () => !restored.isAlive, 4 * electionTimeoutMs);
      expect(restored.events.find(({ event }) => event.type === 'storeWentBack')?.event).toMatchObject({ found: copy?.disk.length });
      expect(restored.disk.at(-1)).toEqual({ type: 'discarded' });
      const newcomer = world.process(node);
      world.until('it is swapped in', () => readinessOf(world, newcomer) === 'ready', 8 * electionTimeoutMs);
      expect(newcomer.incarnation).not.toBe(restored.incarnation);
      expect(world.leader()?.member.inspect.record?.configuration.id).toBe(2);
      expect(holdersOf(world, 'held')).toEqual(['x']);
      expect(take(world, 'x', 'another')).toBeGreaterThan(token);
    },
  );

  it('is found out by one that follows too, where the leader that it reported to is gone (3 voters, 1 client)', () => {
    const world = openedWorld({ clients: ['x'] });
    const { node } = follower(world);
    const copy = copyOf(follower(world));
    take(world, 'x', 'held');
    world.run(3 * heartbeatMs);
    world.kill(world.leader()!.node);
    const restored = startedFrom(world, node, copy);
    world.until('it gave itself up', () => !restored.isAlive, 4 * electionTimeoutMs);
    expect(typesOf(restored)).toContain('storeWentBack');
  });

  it.each([
    ['says nothing to an older ballot than it promised', false],
    ['would vote for an older ballot than it promised, did it not ask first', true],
  ])('%s (3 voters)', (_, trustsItself) => {
    const world = openedWorld();
    const leader = world.leader()!;
    const { ballot, firstSlot } = leader.member.inspect.replica!.leading!;
    const { node } = follower(world);
    const copy = copyOf(follower(world));
    world.isolate(leader.node);
    world.until('another leads', () =>
      world.livingVoters.some(({ member, node: name }) => name !== leader.node && member.inspect.replica?.leading),
    );
    expect(compareBallots(world.process(node).member.inspect.replica!.promised, ballot)).toBeGreaterThan(0);

    world.isolate(node);
    const spy = jest.spyOn(StoreWatch.prototype, 'isInDoubt', 'get');
    if (trustsItself) spy.mockReturnValue(false);
    const restored = startedFrom(world, node, copy);
    spy.mockRestore();
    const { founding, id } = restored.member.inspect.record!.configuration;
    const slot = restored.member.inspect.log!.lastSlot + 1;
    const accept: MemberMessage = { type: 'accept', ballot, slot, value: [0, []], firstSlot, chosenIndex: slot - 1 };
    const from = { node: leader.node, incarnation: leader.incarnation, run: leader.run };
    const at = world.at(restored);
    const { persist } = restored.member.step({ type: 'frame', frame: { founding, configuration: id, from, messages: [accept] }, at });
    const { send } = restored.member.step({ type: 'flush', at });
    expect(persist.some(({ type }) => type === 'voted')).toBe(trustsItself);
    expect(send.some(({ message }) => message.type === 'accepted')).toBe(trustsItself);
  });
});

describe('a voter whose store went back to before it accepted the founding', () => {
  it('gives its incarnation up and is swapped in, though no voter has seen its store (3 voters, 1 client, the others restarted)', () => {
    const world = openedWorld({ clients: ['x'] });
    const token = take(world, 'x', 'held');
    const { node, incarnation, run } = follower(world);
    world.kill(node);
    for (const other of world.livingVoters) world.restartWithMemory(other.node);
    const restored = world.start(node, { memory: { disk: [], incarnation, run } });
    world.until('it gave itself up', () => !restored.isAlive, 8 * electionTimeoutMs);
    expect(restored.events.find(({ event }) => event.type === 'storeWentBack')?.event).toMatchObject({ found: 0, seen: 1 });
    world.until('it is swapped in', () => readinessOf(world, world.process(node)) === 'ready', 20 * electionTimeoutMs);
    expect(take(world, 'x', 'another')).toBeGreaterThan(token);
  });
});

describe('a voter that is started on the store that it left', () => {
  it('votes again once all the others have answered, and keeps its incarnation (3 voters)', () => {
    const world = openedWorld();
    const restarted = world.restartWithMemory(follower(world).node);
    expect(readinessOf(world, restarted)).toBe('recollecting');
    world.until('it is trusted', () => readinessOf(world, restarted) !== 'recollecting', heartbeatMs);
    world.until('it is ready', () => readinessOf(world, restarted) === 'ready', 8 * electionTimeoutMs);
    expect(typesOf(restarted)).not.toContain('storeWentBack');
  });

  it('gives one that does not answer an election timeout, and no more (3 voters)', () => {
    const world = openedWorld();
    const { node } = follower(world);
    const other = world.livingVoters.find((voter) => voter.node !== node && voter.node !== world.leader()?.node)!;
    world.kill(other.node);
    const restarted = world.restartWithMemory(node);
    world.run(electionTimeoutMs - heartbeatMs);
    expect(readinessOf(world, restarted)).toBe('recollecting');
    world.until('it is trusted', () => readinessOf(world, restarted) !== 'recollecting', 4 * heartbeatMs);
  });

  it('learns, and neither promises nor votes, while no majority answers (3 voters)', () => {
    const world = openedWorld();
    const { node } = follower(world);
    world.network.swallows = ({ type }) => type === 'recalled';
    const restarted = world.restartWithMemory(node);
    const promised = restarted.member.inspect.replica?.promised;
    const records = restarted.disk.length;
    world.run(10 * electionTimeoutMs);
    expect(restarted.member.inspect.replica?.promised).toEqual(promised);
    expect(restarted.disk.slice(records).filter(({ type }) => type === 'promised' || type === 'voted')).toEqual([]);
    expect(readinessOf(world, restarted)).toBe('recollecting');
    world.heal();
    world.until('it is ready', () => readinessOf(world, restarted) === 'ready', 8 * electionTimeoutMs);
  });

  it('does so in a group that restarts as a whole, which goes on (3 voters, 1 client)', () => {
    const world = openedWorld({ clients: ['x'] });
    const token = take(world, 'x', 'held');
    for (const { node } of world.livingVoters) world.restartWithMemory(node);
    world.until('a leader serves', () => world.leader() !== undefined);
    expect(take(world, 'x', 'another')).toBeGreaterThan(token);
    expect(world.eventsOf('storeWentBack')).toEqual([]);
  });

  it('counts on where a snapshot took the place of its records (3 voters, 1 client)', () => {
    const world = openedWorld({ clients: ['x'], storedEverySlots: 20 });
    const { node } = follower(world);
    for (let time = 0; !world.process(node).stored; time += 1) take(world, 'x', `lock ${time}`);
    world.run(3 * heartbeatMs);
    const restarted = world.restartWithMemory(node);
    expect(restarted.disk.length).toBeLessThan(restarted.member.inspect.stores.position);
    world.until('it is ready', () => readinessOf(world, restarted) === 'ready', 8 * electionTimeoutMs);
    expect(typesOf(restarted)).not.toContain('storeWentBack');
  });

  it('does so alone, with nobody to ask (1 voter)', () => {
    const world = openedWorld({ voters: ['a'] });
    const restarted = world.restartWithMemory('a');
    world.until('it leads', () => world.leader() === restarted);
  });
});
