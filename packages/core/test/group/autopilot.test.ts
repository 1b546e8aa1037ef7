/** A leader replaces voters that were silent for a set time, by standbys, and never where that could harm. The safety rules 5, 14 and 16. */
import { holdersOf, lossesOf, openedWorld, take } from './locks.ts';
import { worldTiming } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const { electionTimeoutMs } = worldTiming;
const replaceAfterMs = 5_000;
const withStandbys: WorldOptions = { clients: ['x'], standbys: ['d', 'e'], replaceAfterMs };

function votersOf(world: World): string {
  const record = world.leader()?.member.inspect.record;
  return record?.configuration.voters.map(({ node }) => node).join('') ?? '';
}

function followersOf(world: World): readonly string[] {
  return [...votersOf(world)].filter((node) => node !== world.leader()?.node);
}

function causesOf(world: World): readonly string[] {
  return world.eventsOf('votersChanging').flatMap(({ event }) => (event.type === 'votersChanging' ? [event.cause] : []));
}

describe('a voter that falls silent', () => {
  it('is replaced by a standby after the set time and not sooner, and nothing is lost (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    take(world, 'x', 'held');
    world.run(replaceAfterMs);
    const [dead = ''] = followersOf(world);
    world.kill(dead);
    world.run(replaceAfterMs - electionTimeoutMs);
    expect(votersOf(world)).toBe('abc');
    world.until('it is replaced', () => !votersOf(world).includes(dead) && votersOf(world).includes('d'), 4 * electionTimeoutMs);
    expect([causesOf(world), holdersOf(world, 'held'), lossesOf(world.process('x'))]).toEqual([['autopilot'], ['x'], 0]);
  });

  it('leaves a group that bears the next loss (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const [dead = ''] = followersOf(world);
    world.kill(dead);
    world.until('it is replaced', () => votersOf(world).includes('d'), 3 * replaceAfterMs);
    world.run(2 * electionTimeoutMs);
    world.kill(world.leader()?.node ?? '');
    expect(take(world, 'x', 'l', 20 * electionTimeoutMs)).toBeGreaterThan(0);
  });

  it('stands by when it comes back, and is the next to be given a seat (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const [first = '', second = ''] = followersOf(world);
    world.kill(first);
    world.until('it is replaced', () => votersOf(world).includes('d'), 3 * replaceAfterMs);
    const back = world.start(first);
    world.until('it stands by', () => back.member.status(world.at(back)).role === 'standby', 10 * electionTimeoutMs);
    world.until('it is ready without a seat', () => back.member.status(world.at(back)).readiness === 'ready', 20 * electionTimeoutMs);
    world.kill(second);
    world.until('the other is replaced', () => votersOf(world).includes(first), 3 * replaceAfterMs);
    expect(votersOf(world)).not.toContain('e');
  });

  it('is not replaced where the majority would be of other names (3 voters, 2 standbys, 1 client, safety 14)', () => {
    const world = openedWorld(withStandbys);
    const [first = '', second = ''] = followersOf(world);
    world.kill(first);
    world.until('it is replaced', () => votersOf(world).includes('d'), 3 * replaceAfterMs);
    world.kill(second);
    world.run(4 * replaceAfterMs);
    expect([votersOf(world).includes('e'), causesOf(world)]).toEqual([false, ['autopilot']]);
    expect(take(world, 'x', 'l', 20 * electionTimeoutMs)).toBeGreaterThan(0);
  });

  it('is not replaced without a majority of the living (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    for (const node of followersOf(world)) world.kill(node);
    world.run(4 * replaceAfterMs);
    expect(causesOf(world)).toEqual([]);
  });

  it('is not replaced where nobody stands by, nor where the autopilot is off (3 voters, 1 client)', () => {
    for (const options of [
      { clients: ['x'], replaceAfterMs },
      { ...withStandbys, replaceAfterMs: Infinity },
    ]) {
      const world = openedWorld(options);
      world.kill(followersOf(world)[0] ?? '');
      world.run(4 * replaceAfterMs);
      expect(votersOf(world)).toBe('abc');
    }
  });

  it('is one that fell silent, and not one that a leader which stood still has not heard (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    world.run(replaceAfterMs);
    world.pause(world.leader()?.node ?? '', 2 * replaceAfterMs);
    world.run(4 * replaceAfterMs);
    expect(causesOf(world).filter((cause) => cause !== 'autopilot')).toEqual([]);
    // The leader itself was silent for the others, and its seat was rightly given away; nobody else's was.
    expect(causesOf(world).length).toBeLessThanOrEqual(1);
  });

  it('and another are replaced one after the other (5 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld({ ...withStandbys, voters: ['a', 'b', 'c', 'f', 'g'] });
    const [one = '', two = ''] = followersOf(world);
    world.kill(one);
    world.kill(two);
    world.until('both are replaced', () => votersOf(world).includes('d') && votersOf(world).includes('e'), 6 * replaceAfterMs);
    const ids = world.eventsOf('votersChanging').flatMap(({ event }) => (event.type === 'votersChanging' ? [event.gone.length] : []));
    expect(ids).toEqual([1, 1]);
    expect(take(world, 'x', 'l', 20 * electionTimeoutMs)).toBeGreaterThan(0);
  });
});
