/** Founding by whole members: never two groups, and one in the end. The safety rules 11 to 14. */
import { World } from './world.ts';

describe('founding', () => {
  it('is confirmed to a founder that lost every confirmation until the others had fallen silent (3 voters, safety 11)', () => {
    const world = new World();
    const confirmed = (node: string): boolean => world.process(node).events.some(({ event }) => event.type === 'foundingConfirmed');
    world.network.swallows = ({ type }, { from, to }) => from === 'a' && to === 'b' && type === 'foundingConfirmed';
    world.until('a and c are confirmed', () => confirmed('a') && confirmed('c'));
    world.run(1_000);
    expect(confirmed('b')).toBe(false);
    world.heal();
    world.until('b is confirmed', () => confirmed('b'), 2_000);
  });
});

function accepted(world: World, node: string): boolean {
  return world.process(node).events.some(({ event }) => event.type === 'foundingAccepted');
}

describe('founding', () => {
  it('happens once, whatever the order of starts, losses and partitions (3 voters, 150 seeds)', () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const world = new World({ seed, startLater: true, loss: (seed % 3) * 0.15, duplication: 0.2, delayMs: [0.1, seed % 2 ? 2 : 150] });
      const nodes = ['a', 'b', 'c'].sort(() => world.random.next() - 0.5);
      for (const node of nodes) {
        world.start(node);
        world.run(world.random.below(300));
        if (world.random.below(3) === 0) world.isolate(node);
      }
      for (let turn = 0; turn < 5; turn += 1) {
        if (world.random.below(2) === 0) world.network.cut.clear();
        else world.isolate(nodes[world.random.below(3)] ?? 'a');
        world.run(world.random.below(200));
      }
      world.heal();
      world.until('sessions are open', () => world.everyoneHasASession());
      expect(world.observer.logs.size).toBe(1);
    }
  });

  it('is given up and begun anew when a founder loses its memory before anyone knows completion (3 voters, safety 11)', () => {
    const world = new World();
    world.network.swallows = ({ type }) => type === 'foundingAccepted';
    world.until('all accepted', () => ['a', 'b', 'c'].every((node) => accepted(world, node)));
    world.restartEmpty('c');
    world.heal();
    world.until('sessions are open', () => world.everyoneHasASession());
    expect(
      world
        .eventsOf('gaveUp')
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(world.observer.logs.size).toBe(1);
  });

  it('is not given up by a founder while another knows that it is complete (3 voters, safety 11)', () => {
    const world = new World();
    // Only a comes to know completion: its own word is lost, and b and c lose each other’s.
    world.network.swallows = ({ type }, { from, to }) =>
      from === 'a' ? type === 'foundingConfirmed' || type === 'greeting' : to !== 'a' && type === 'foundingAccepted';
    world.until('a knows', () => world.process('a').events.some(({ event }) => event.type === 'founded'));
    world.restartEmpty('c');
    world.run(1_000);
    world.heal();
    world.run(2_000);
    expect(world.eventsOf('gaveUp')).toEqual([]);
    expect(world.process('b').events.map(({ event }) => event.type)).toContain('founded');
  });

  it('never makes two groups that share a seat, whoever loses its memory (3 voters, 2 wipes, 150 seeds)', () => {
    let gaveUp = 0;
    for (let seed = 1; seed <= 150; seed += 1) {
      const world = new World({ seed, loss: 0.2, delayMs: [0.1, 100] });
      for (let wipe = 0; wipe < 2; wipe += 1) {
        world.run(world.random.below(400));
        world.restartEmpty(['a', 'b', 'c'][world.random.below(3)] ?? 'a');
      }
      world.heal();
      world.run(10_000);
      gaveUp += world.eventsOf('gaveUp').length;
      const operating = new Set(
        world.livingVoters
          .filter(({ member }) => member.inspect.replica)
          .map(({ member }) => member.inspect.record?.configuration.founding),
      );
      expect(operating.size).toBeLessThanOrEqual(1);
    }
    expect(gaveUp).toBeGreaterThan(0);
  });

  it('waits for the last founder: two of three make no group (3 voters, 1 not started)', () => {
    const world = new World({ startLater: true });
    world.start('a');
    world.start('b');
    world.run(20_000);
    expect(world.eventsOf('foundingAccepted')).toEqual([]);
    world.start('c');
    world.until('sessions are open', () => world.everyoneHasASession());
  });

  it('is refused while calendar clocks differ by more than 2 s, naming whose (3 voters, safety 13)', () => {
    const world = new World({ wallSkewMs: (node) => (node === 'b' ? 2_500 : 0) });
    world.run(5_000);
    expect(world.eventsOf('foundingAccepted')).toEqual([]);
    const pairs = world
      .eventsOf('clocksDiffer')
      .map(({ node, event }) => [node, event.type === 'clocksDiffer' ? event.node : ''].sort().join());
    expect(new Set(pairs)).toEqual(new Set(['a,b', 'b,c']));
  });

  it('is refused where voter lists differ, with an event on both sides (3 voters, safety 14)', () => {
    const world = new World({ startLater: true });
    world.start('a');
    world.start('b');
    world.start('c', { voters: ['b', 'c', 'd'] });
    world.run(5_000);
    expect(world.eventsOf('foundingAccepted')).toEqual([]);
    expect(new Set(world.eventsOf('votersDiffer').map(({ node }) => node))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('is found again by voters that restart with their memory, and opens although one that had confirmed is gone (3 voters)', () => {
    const world = new World({ firstFounding: false });
    world.until('all confirmed', () => world.eventsOf('foundingConfirmed').length === 3);
    world.restartEmpty('c');
    for (const node of ['a', 'b']) world.restartWithMemory(node);
    world.until('sessions are open', () => world.everyoneHasASession());
  });
});
