/** Leaders on bad networks: one quorum-connected voter suffices, and whoever comes back deposes nobody. Promise 7. */
import { World, worldTiming } from './world.ts';

const voters = ['a', 'b', 'c'];
const links = voters.flatMap((from) => voters.filter((to) => to !== from).map((to) => `${from}>${to}`));
/** The longest election timeout is twice the shortest. */
const fourElectionTimeoutsMs = 4 * 2 * worldTiming.electionTimeoutMs;

function cutOf(mask: number): string[] {
  return links.filter((_, bit) => (mask & (1 << bit)) !== 0);
}

function someoneHasAQuorum(cut: readonly string[]): boolean {
  const isWhole = (one: string, other: string): boolean => !cut.includes(`${one}>${other}`) && !cut.includes(`${other}>${one}`);
  return voters.some((one) => voters.some((other) => other !== one && isWhole(one, other)));
}

function founded(seed: number): World {
  const world = new World({ seed });
  world.until('it serves', () => world.leader() !== undefined && world.everyoneHasASession());
  return world;
}

function led(world: World): number {
  return world.eventsOf('leading').length;
}

describe('a group with links cut one way', () => {
  const masks = Array.from({ length: 64 }, (_, mask) => mask).filter((mask) => someoneHasAQuorum(cutOf(mask)));

  it.each(masks)('has a leader within four election timeouts, and keeps it for 20 s (3 voters, mask %i of 64)', (mask) => {
    for (const seed of [1, 2, 3]) {
      const world = founded(seed * 100 + mask);
      for (const link of cutOf(mask)) world.network.cut.add(link);
      // A leader that the cut deposes needs an election timeout to know.
      world.run(worldTiming.electionTimeoutMs);
      world.until('there is a leader', () => world.leader() !== undefined, fourElectionTimeoutsMs - worldTiming.electionTimeoutMs);
      world.run(2 * worldTiming.electionTimeoutMs);
      const before = led(world);
      const leader = world.leader()?.node;
      world.run(20_000);
      expect(led(world) - before).toBe(0);
      expect(world.leader()?.node).toBe(leader);
    }
  });

  it('has none where no two voters can talk to each other, and nobody claims to lead (3 voters)', () => {
    const world = founded(9);
    for (const link of ['a>b', 'b>c', 'c>a']) world.network.cut.add(link);
    world.run(2 * worldTiming.electionTimeoutMs);
    expect(world.leader()).toBeUndefined();
    world.run(10_000);
    expect(world.leader()).toBeUndefined();
  });
});

describe('a voter that comes back', () => {
  it('deposes the leader in at most one of a hundred times (3 voters, 1,000 isolations)', () => {
    const world = founded(1);
    const before = led(world);
    for (let time = 0; time < 1_000; time += 1) {
      const leader = world.leader()?.node;
      const other = voters.filter((node) => node !== leader)[time % 2] ?? 'a';
      world.isolate(other);
      world.run(300 + world.random.below(2_500));
      world.heal();
      world.run(300 + world.random.below(700));
    }
    expect(led(world) - before).toBeLessThanOrEqual(10);
  });

  it('catches up with what was chosen without it, and forgets nothing (3 voters, 1 client)', () => {
    const world = new World({ clients: ['x'] });
    world.until('sessions are open', () => world.everyoneHasASession());
    const other = voters.find((node) => node !== world.leader()?.node) ?? '';
    world.isolate(other);
    for (let lock = 0; lock < 300; lock += 1) {
      world.request('x', (seq) => [1, seq, `l/${lock}`, 0, 0, null]);
      world.run(5);
    }
    world.heal();
    world.until('it has caught up', () => world.isSettled(), 5_000);
  });
});

describe('a leader that is cut off', () => {
  it.each([1, 2, 3, 4, 5])('says so within an election timeout (3 voters, seed %i)', (seed) => {
    const world = founded(seed);
    const leader = world.leader()?.node ?? '';
    const cutAtMs = world.nowMs;
    world.isolate(leader);
    world.run(worldTiming.electionTimeoutMs + 1);
    const said = world.process(leader).events.filter(({ atMs, event }) => atMs >= cutAtMs && event.type === 'leaderChanged');
    expect(said.map(({ event }) => event)).toContainEqual({ type: 'leaderChanged', leader: null, round: 0 });
    expect(world.process(leader).member.status(world.at(world.process(leader))).leader).toBeNull();
  });
});

describe('a group of other sizes', () => {
  it('loses two of five voters and goes on (5 voters)', () => {
    const world = new World({ voters: ['a', 'b', 'c', 'd', 'e'] });
    world.until('sessions are open', () => world.everyoneHasASession());
    const leader = world.leader()?.node ?? '';
    world.kill(leader);
    world.kill(world.voters.find((node) => node !== leader) ?? '');
    world.until('another leads', () => world.leader() !== undefined, fourElectionTimeoutsMs);
  });

  it('loses two of three voters and stops, saying that there is no leader (3 voters)', () => {
    const world = founded(3);
    const leader = world.leader()?.node ?? '';
    for (const node of voters.filter((other) => other !== leader)) world.kill(node);
    world.until('nobody leads', () => world.leader() === undefined, worldTiming.electionTimeoutMs + 1);
    world.run(10_000);
    expect(world.leader()).toBeUndefined();
  });

  it('serves alone (1 voter)', () => {
    const world = new World({ voters: ['a'] });
    world.until('a session is open', () => world.everyoneHasASession(), 1_000);
  });

  it('comes back from a restart of all with their memory, with its sessions and tokens (3 voters, 1 client)', () => {
    const world = new World({ clients: ['x'] });
    world.until('sessions are open', () => world.everyoneHasASession());
    world.request('x', (seq) => [1, seq, 'l/kept', 0, 0, null]);
    world.until('granted', () => world.process('x').results.length > 0);
    const { session } = world.process('x').member;
    for (const node of voters) world.restartWithMemory(node);
    world.until('it serves again', () => world.leader() !== undefined);
    expect(world.leader()?.member.inspect.state?.lockState('l/kept').holders).toMatchObject([{ node: 'x', session }]);
  });
});
