/** A whole member in the virtual world: founded, electing, granting, dying. */
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { World } from './world.ts';

const acquire =
  (name: string) =>
  (seq: number): LockOp => [lockOp.acquire, seq, `l/${name}`, 0, 0, null];
const release =
  (name: string, token: number) =>
  (seq: number): LockOp => [lockOp.release, seq, `l/${name}`, token, null];

function tokenOf(world: World, node: string, seq: number): number {
  world.until(`${node} is granted ${seq}`, () =>
    world.process(node).results.some(([at, code]) => at === seq && code === resultCode.granted),
  );
  return world.process(node).results.find(([at, code]) => at === seq && code === resultCode.granted)?.[2] ?? 0;
}

function opened(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  world.until('sessions are open', () => world.everyoneHasASession());
  return world;
}

describe('a group', () => {
  it('is founded by its voters, elects a leader and opens sessions (3 voters, 2 clients)', () => {
    const world = opened({ clients: ['x', 'y'] });
    expect(world.leader()).toBeDefined();
    expect(
      world
        .eventsOf('founded')
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });

  it('grants a lock to one after the other with rising tokens (3 voters, 2 clients)', () => {
    const world = opened({ clients: ['x', 'y'] });
    const first = world.request('x', acquire('one'));
    const token = tokenOf(world, 'x', first);
    const second = world.request('y', acquire('one'));
    world.until('y is queued', () => world.process('y').results.some(([, code]) => code === resultCode.queued));
    world.request('x', release('one', token));
    expect(tokenOf(world, 'y', second)).toBeGreaterThan(token);
  });

  it('elects another leader within four election timeouts when the leader dies, and sessions live on (3 voters, 1 client)', () => {
    const world = opened({ clients: ['x'] });
    const old = world.leader()?.node ?? '';
    const seq = world.request('x', acquire('kept'));
    const token = tokenOf(world, 'x', seq);
    world.kill(old);
    world.until('another leads', () => world.leader() !== undefined, 4 * 500);
    world.request('x', release('kept', token));
    world.until('released', () => world.process('x').results.some(([, code]) => code === resultCode.done));
    expect(world.eventsOf('sessionLost')).toEqual([]);
  });

  it('ends the session of a dead holder and grants the next in the queue (3 voters, 2 clients)', () => {
    const world = opened({ clients: ['x', 'y'] });
    const token = tokenOf(world, 'x', world.request('x', acquire('one')));
    const seq = world.request('y', acquire('one'));
    world.kill('x');
    expect(tokenOf(world, 'y', seq)).toBeGreaterThan(token);
  });

  it('waits the longest session TTL before it opens unless it is said to be the first founding (3 voters)', () => {
    const world = new World({ firstFounding: false, sessionTtlMs: 4_000 });
    world.until('sessions are open', () => world.everyoneHasASession());
    const foundedAtMs = Math.max(...world.eventsOf('founded').map(({ atMs }) => atMs));
    const openedAtMs = Math.min(...world.eventsOf('sessionOpened').map(({ atMs }) => atMs));
    expect(openedAtMs - foundedAtMs).toBeGreaterThanOrEqual(4_000);
  });

  it('treats a voter that came back without its memory as a stranger until it is swapped in (3 voters)', () => {
    const world = opened();
    const other = ['a', 'b', 'c'].find((node) => node !== world.leader()?.node) ?? '';
    const { incarnation } = world.kill(other);
    const { member, events } = world.start(other);
    world.until('it knows the group', () => member.inspect.record !== null);
    expect(member.inspect.replica).toBeNull();
    world.until('it is a voter again', () => member.inspect.replica !== null);
    expect(member.inspect.replica?.configuration).toMatchObject({ id: 2, voters: { length: 3 } });
    expect(JSON.stringify(member.inspect.replica?.configuration.voters)).not.toContain(incarnation);
    const types = events.map(({ event }) => event.type);
    expect(types.filter((type) => type === 'seatLost' || type === 'seatRegained')).toEqual(['seatLost', 'seatRegained']);
  });

  it.each([1, 2, 3, 4, 5])('agrees under loss, duplication and restarts with memory (3 voters, 2 clients, seed %i)', (seed) => {
    const world = opened({ seed, clients: ['x', 'y'] });
    world.network.loss = 0.2;
    world.network.duplication = 0.2;
    for (let round = 0; round < 20; round += 1) {
      for (const node of ['x', 'y']) if (world.process(node).member.session !== null) world.request(node, acquire(`r${round}`));
      world.run(300);
      if (round % 5 === 4) world.restartWithMemory(['a', 'b', 'c'][world.random.below(3)] ?? 'a');
    }
    world.heal();
    world.until('all voters applied the same', () => {
      const indexes = ['a', 'b', 'c'].map((node) => world.process(node).member.inspect.state?.appliedIndex ?? 0);
      return world.leader() !== undefined && indexes.every((index) => index === indexes[0] && index > 5);
    });
    const hashes = ['a', 'b', 'c'].map((node) => world.process(node).member.inspect.state?.hash());
    expect(new Set(hashes).size).toBe(1);
  });
});
