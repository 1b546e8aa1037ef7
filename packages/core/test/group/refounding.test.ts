/** A majority loses its memory, and the voters that are left stop or found the group anew. The safety rules 12, 13 and 15. */
import { take } from './locks.ts';
import { World, worldTiming } from './world.ts';
import type { Process, WorldOptions } from './world.ts';

const { electionTimeoutMs, heartbeatMs } = worldTiming;
const ttlMs = 4_000;
/** No leader for four election timeouts, one of up to twice that to fall silent, and two rounds of questions. */
const verdictMs = 6 * electionTimeoutMs + 10 * heartbeatMs;

function openedWorld(options: WorldOptions = {}): World {
  const world = new World({ ...options, sessionTtlMs: ttlMs });
  world.until('all have a session', () => world.everyoneHasASession());
  return world;
}

/** The outsider x has taken the place of a voter that is gone. `before`: the founding in which it did. */
function worldBesideAnOutsider(gone: string, options: WorldOptions = {}): { readonly world: World; readonly before: string | undefined } {
  const world = openedWorld({ ...options, standbys: ['x'], replaceAfterMs: 8 * electionTimeoutMs });
  const before = foundingOf(world.process('a'));
  world.kill(gone);
  world.until('x votes', () => world.process('x').member.inspect.replica !== null);
  return { world, before };
}

function foundingOf({ member }: Process): string | undefined {
  return member.inspect.record?.configuration.founding;
}

function refoundedAll(world: World, before: string | undefined): boolean {
  return world.everyoneHasASession() && world.living.every((process) => foundingOf(process) !== before);
}

describe('with refound', () => {
  const whenMajorityIsLost = 'refound';

  it('one survivor and two that came back found the group anew, with higher tokens and after the wait (3 voters, 1 client, safety 15)', () => {
    const world = openedWorld({ whenMajorityIsLost, clients: ['x'] });
    const token = take(world, 'x', 'held');
    const before = foundingOf(world.process('a'));
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.until('the survivor gives up', () => world.eventsOf('refounding').length > 0, verdictMs);
    const [refounding] = world.eventsOf('refounding');
    expect(refounding).toMatchObject({ node: 'a', event: { founding: before, inherits: { longestTtlMs: ttlMs } } });
    world.until('all found anew', () => refoundedAll(world, before));
    const founded = world.eventsOf('founded').findLast(({ node }) => node === 'a');
    expect(founded?.event).toMatchObject({ record: { replaces: before, firstFounding: false } });
    const opened = world.eventsOf('sessionOpened').find(({ atMs }) => atMs > (founded?.atMs ?? Infinity));
    expect((opened?.atMs ?? 0) - (founded?.atMs ?? 0)).toBeGreaterThanOrEqual(ttlMs);
    expect(take(world, 'x', 'held')).toBeGreaterThan(token);
    expect(world.process('x').events.some(({ event }) => event.type === 'sessionLost')).toBe(true);
  });

  it('two survivors of five found anew with three that came back (5 voters)', () => {
    const world = openedWorld({ whenMajorityIsLost, voters: ['a', 'b', 'c', 'd', 'e'] });
    const before = foundingOf(world.process('a'));
    for (const node of ['c', 'd', 'e']) world.restartEmpty(node);
    world.until('all found anew', () => refoundedAll(world, before));
    expect(world.eventsOf('refounding').map(({ node }) => node)).toEqual(expect.arrayContaining(['a', 'b']));
  });

  it('waits for silent voters for ever: whoever does not answer is not lost (3 voters, safety 15)', () => {
    const world = openedWorld({ whenMajorityIsLost });
    world.restartEmpty('b');
    world.kill('c');
    world.run(30_000);
    expect(world.eventsOf('majorityLost')).toEqual([]);
    expect(world.eventsOf('refounding')).toEqual([]);
  });

  it('goes on where an outsider and a named voter are a majority (3 voters, 1 standby, safety 15)', () => {
    const { world, before } = worldBesideAnOutsider('c', { whenMajorityIsLost });
    world.start('c');
    world.restartEmpty('b');
    world.until('b votes again', () => world.process('b').member.inspect.replica !== null);
    expect(world.eventsOf('refounding')).toEqual([]);
    expect(foundingOf(world.process('b'))).toBe(before);
  });

  it('founds anew without a survivor of another name, which gives way and joins (3 voters, 1 standby, safety 12 and 15)', () => {
    const { world, before } = worldBesideAnOutsider('c', { whenMajorityIsLost });
    for (const node of ['a', 'b']) world.restartEmpty(node);
    world.until('x finds out', () => world.eventsOf('majorityLost').some(({ node }) => node === 'x'), verdictMs);
    world.start('c');
    world.until('all found anew', () => refoundedAll(world, before));
    const founded = world.eventsOf('founded').findLast(({ node }) => node === 'a');
    expect(founded?.event).toMatchObject({ record: { firstFounding: false } });
  });

  it('founds anew without an outsider whose seat was given away, and who never heard the group that has it (3 voters, 1 standby, safety 15)', () => {
    const { world, before } = worldBesideAnOutsider('c', { whenMajorityIsLost });
    world.start('c');
    world.until('c stands by', () => world.leader()?.member.members(world.at(world.process('a'))).standbys.length === 1);
    // It learns that there is a later configuration, and nothing of what became of it.
    let told = 0;
    world.network.swallows = (message, { to }) => {
      if (to === 'x' && message.type === 'greeting') told = Math.max(told, message.record?.configuration.id ?? 0);
      return to === 'x' && message.type !== 'greeting';
    };
    const order = { type: 'replace', node: 'x', by: 'c' } as const;
    world.give(world.process('a'), { type: 'order', id: 1, order, at: world.at(world.process('a')) });
    world.until('c votes', () => world.process('c').member.inspect.replica !== null);
    world.until('x was told', () => told === 3);
    for (const node of ['a', 'b', 'c']) world.restartEmpty(node);
    world.network.heal();
    world.until('all found anew', () => refoundedAll(world, before));
  });

  it('keeps what it inherits through a restart before the others are there (3 voters)', () => {
    const world = openedWorld({ whenMajorityIsLost });
    const token = take(world, 'a', 'held');
    const before = foundingOf(world.process('a'));
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.until('the survivor gives up', () => world.eventsOf('refounding').length > 0, verdictMs);
    const again = world.restartWithMemory('a');
    expect(again.member.inspect.founder).toMatchObject({ inherits: { founding: before } });
    world.until('all found anew', () => refoundedAll(world, before));
    expect(take(world, 'a', 'held')).toBeGreaterThan(token);
  });
});

describe('founders that all inherit', () => {
  it.each<[string, WorldOptions]>([
    ['in a calm (7 voters)', { voters: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }],
    ['where frames are lost and late (5 voters)', { voters: ['a', 'b', 'c', 'd', 'e'], loss: 0.2, delayMs: [1, 100] }],
  ])('found the group, and none gives up, %s', (_what, options) => {
    for (const seed of [1, 2, 3, 4]) {
      const world = new World({ ...options, seed, startLater: true });
      for (const node of options.voters ?? []) {
        const inherited = { type: 'inherited', founding: 'old', tokenSecond: 5, longestTtlMs: ttlMs } as const;
        world.start(node, { memory: { disk: [inherited], incarnation: `${node}#old`, run: 0 } });
      }
      world.until('all founded', () => world.livingVoters.every(({ member }) => member.inspect.seat !== null));
      expect(world.eventsOf('gaveUp')).toEqual([]);
    }
  });
});

describe('who founds anew, told to be the first', () => {
  const acceptedBy = (world: World, node: string) => world.process(node).member.inspect.founder?.acceptedRecord ?? null;

  it('keeps the wait where it goes on for an incarnation that knew the group, and hears nobody of it (3 voters, safety 12)', () => {
    const world = openedWorld();
    const first = world.kill('a');
    for (const node of ['b', 'c']) world.kill(node);
    // Who was told by it would tell it so.
    world.network.swallows = (message, { from }) => from === 'a' && message.type === 'greeting';
    world.start('a', { before: first.member });
    for (const node of ['b', 'c']) world.start(node);
    world.until('it proposes', () => acceptedBy(world, 'a') !== null);
    expect(acceptedBy(world, 'a')).toMatchObject({ firstFounding: false });
  });

  it('keeps the wait where others were told of the group by one that is gone (3 voters, 1 standby, safety 12)', () => {
    const { world } = worldBesideAnOutsider('a', { whenMajorityIsLost: 'refound' });
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.until('x finds out', () => world.eventsOf('majorityLost').some(({ node }) => node === 'x'), verdictMs);
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.run(10 * heartbeatMs);
    world.kill('x');
    world.start('a');
    world.until('it proposes', () => acceptedBy(world, 'a') !== null);
    expect(acceptedBy(world, 'a')).toMatchObject({ firstFounding: false });
  });
});

describe('with stop', () => {
  it('says so and grants nothing, and those that came back say it too (3 voters)', () => {
    const world = openedWorld();
    const before = foundingOf(world.process('a'));
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.until('the survivor says so', () => world.eventsOf('majorityLost').length > 0, verdictMs);
    world.run(30_000);
    const status = (node: string) => world.process(node).member.status(world.at(world.process(node)));
    expect(status('a')).toMatchObject({ readiness: 'majority lost', majorityLost: { lost: ['b', 'c'], told: null } });
    expect(status('b')).toMatchObject({ readiness: 'majority lost', majorityLost: { lost: [], told: 'a' } });
    expect(world.living.every(({ member }) => member.session === null)).toBe(true);
    expect(world.eventsOf('refounding')).toEqual([]);
    expect(foundingOf(world.process('a'))).toBe(before);
  });

  it('is kept to by a survivor of another name, whom the voters of the list ask before they found anew (3 voters, 1 standby, safety 15)', () => {
    const { world, before } = worldBesideAnOutsider('c');
    for (const node of ['a', 'b']) world.restartEmpty(node);
    world.until('x says so', () => world.eventsOf('majorityLost').some(({ node }) => node === 'x'), verdictMs);
    world.start('c');
    world.run(30_000);
    expect(world.living.map(foundingOf)).toEqual([before, before, before, before]);
    expect(world.process('a').member.status(world.at(world.process('a')))).toMatchObject({ majorityLost: { told: 'x' } });
  });

  it.each([
    ['before it says anything', 0],
    ['and its first answers are lost', 1],
  ])('is kept to where all of the list come at once, %s (3 voters, 1 standby, safety 15)', (_what, lost) => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { world, before } = worldBesideAnOutsider('c', { seed });
      const answered = new Map<string, number>();
      world.network.swallows = (message, { from, to }) => {
        if (from !== 'x' || message.type !== 'greeting') return false;
        answered.set(to, (answered.get(to) ?? 0) + 1);
        return (answered.get(to) ?? 0) <= lost;
      };
      for (const node of ['a', 'b']) world.restartEmpty(node);
      world.start('c');
      world.run(30_000);
      expect(world.living.map(foundingOf)).toEqual([before, before, before, before]);
    }
  });

  it('is kept to where all of the list come while everybody is cut off, and are heard at once (3 voters, 1 standby, safety 15)', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { world, before } = worldBesideAnOutsider('c', { seed });
      for (const node of ['a', 'b', 'c', 'x']) world.isolate(node);
      for (const node of ['a', 'b', 'c']) world.restartEmpty(node);
      world.run(20 * heartbeatMs);
      world.heal();
      world.run(30_000);
      expect(world.living.map(foundingOf)).toEqual([before, before, before, before]);
    }
  });

  it('takes it back when a voter returns with its memory (3 voters)', () => {
    const world = openedWorld();
    const { disk, incarnation } = world.process('b');
    for (const node of ['b', 'c']) world.restartEmpty(node);
    world.until('the survivor says so', () => world.eventsOf('majorityLost').length > 0, verdictMs);
    world.kill('b');
    world.start('b', { memory: { disk, incarnation, run: 1 } });
    world.until('all have a session', () => world.everyoneHasASession());
    expect(world.eventsOf('majorityRegained').map(({ node }) => node)).toContain('a');
    expect(world.process('a').member.status(world.at(world.process('a'))).majorityLost).toBeNull();
  });
});
