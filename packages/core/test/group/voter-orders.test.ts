/** What operators ask of a group about its voters: 3 to 5 to 3, a voter replaced by another name, leadership handed over. The safety rules 14 and 16. */
import type { OrderEvent } from '../../src/group/order-desk.ts';
import type { VoterOrder } from '../../src/paxos/voter-order.ts';
import { giveBack, holdersOf, lossesOf, openedWorld, take } from './locks.ts';
import { worldTiming } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const { electionTimeoutMs, heartbeatMs } = worldTiming;
const withStandbys: WorldOptions = { clients: ['x'], standbys: ['d', 'e'] };

let lastId = 0;

/** What the asker was told, in order. */
function standingsOf(world: World, asker: string, id: number): readonly OrderEvent['standing'][] {
  return world.process(asker).events.flatMap(({ event }) => (event.type === 'voterOrder' && event.id === id ? [event.standing] : []));
}

function give(world: World, asker: string, order: VoterOrder): number {
  lastId += 1;
  const process = world.process(asker);
  world.give(process, { type: 'order', id: lastId, order, at: world.at(process) });
  return lastId;
}

function settled(world: World, asker: string, order: VoterOrder, limitMs = 20 * electionTimeoutMs): readonly OrderEvent['standing'][] {
  const id = give(world, asker, order);
  const waits = ['proposed', 'underWay', 'notHeard', 'notCaughtUp', 'noLeader', undefined];
  world.until(`${JSON.stringify(order)} is answered`, () => !waits.includes(standingsOf(world, asker, id).at(-1)), limitMs);
  return standingsOf(world, asker, id);
}

/** By the word of whoever leads. */
function votersOf(world: World): string {
  world.until('one leads', () => world.leader() !== undefined, 20 * electionTimeoutMs);
  const record = world.leader()?.member.inspect.record;
  return record?.configuration.voters.map(({ node }) => node).join('') ?? '';
}

/** Voters that answer the leader. */
function heardBy(world: World): readonly string[] {
  const leader = world.leader();
  return leader?.member.status(world.at(leader)).connected ?? [];
}

function configurationOf(world: World): number {
  return world.leader()?.member.inspect.record?.configuration.id ?? 0;
}

/** A lock is taken and given back by a client, under a higher token than before. */
function passTraffic(world: World, above: number): number {
  const token = take(world, 'x', 'traffic', 20 * electionTimeoutMs);
  expect(token).toBeGreaterThan(above);
  giveBack(world, 'x', 'traffic', token);
  return token;
}

function someFollower(world: World): string {
  return [...votersOf(world)].find((node) => node !== world.leader()?.node) ?? '';
}

describe('a group of three', () => {
  it.each([1, 2, 3])(
    'grows to five and shrinks to three again while locks change hands (3 voters, 2 standbys, 1 client, seed %i)',
    (seed) => {
      const world = openedWorld({ ...withStandbys, seed, loss: seed === 3 ? 0.05 : 0 });
      const held = take(world, 'x', 'held');
      let last = held;
      const orders: readonly [VoterOrder, string][] = [
        [{ type: 'add', node: 'd' }, 'abcd'],
        [{ type: 'add', node: 'e' }, 'abcde'],
        [{ type: 'remove', node: 'd' }, 'abce'],
        [{ type: 'remove', node: 'b' }, 'ace'],
      ];
      for (const [order, voters] of orders) {
        expect(settled(world, 'x', order).at(-1)).toBe('done');
        expect(votersOf(world)).toBe(voters);
        last = passTraffic(world, last);
      }
      expect([configurationOf(world), lossesOf(world.process('x')), holdersOf(world, 'held')]).toEqual([5, 0, ['x']]);
      world.until('whoever lost its seat stands by', () =>
        ['b', 'd'].every((node) => world.process(node).member.status(world.at(world.process(node))).role === 'standby'),
      );
      world.until('all have applied the same', () => world.isSettled());
      for (const { member } of world.living) if (member.inspect.state) world.observer.checkHash(member.inspect);
      expect(world.observer.logs.size).toBe(1);
    },
  );

  it('bears the loss of two once it has five, and keeps a majority that its first names are needed for (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    settled(world, 'x', { type: 'add', node: 'd' });
    settled(world, 'x', { type: 'add', node: 'e' });
    world.until('all are heard', () => heardBy(world).length === 5);
    const [one, two] = ['a', 'b'];
    world.kill(one ?? '');
    world.kill(two ?? '');
    const token = passTraffic(world, 0);
    expect(settled(world, 'x', { type: 'remove', node: 'a' }).at(-1)).toBe('done');
    expect(settled(world, 'x', { type: 'remove', node: 'b' }).at(-1)).toBe('outsiders');
    expect(votersOf(world)).toBe('bcde');
    passTraffic(world, token);
  });

  it('replaces a dead voter by a standby of another name, which is one of the two that are needed then (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const dead = someFollower(world);
    world.kill(dead);
    expect(settled(world, 'x', { type: 'replace', node: dead, by: 'd' }).at(-1)).toBe('done');
    world.until('the newcomer is heard', () => heardBy(world).includes('d'));
    world.kill(world.leader()?.node ?? '');
    expect(passTraffic(world, 0)).toBeGreaterThan(0);
    expect(votersOf(world)).toContain('d');
  });

  it('replaces its leader, who stands by afterwards (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const leader = world.leader()?.node ?? '';
    expect(settled(world, 'x', { type: 'replace', node: leader, by: 'e' })).toEqual(expect.arrayContaining(['proposed', 'done']));
    expect(votersOf(world)).not.toContain(leader);
    const status = () => world.process(leader).member.status(world.at(world.process(leader)));
    world.until('it stands by', () => status().role === 'standby' && status().readiness === 'ready', 20 * electionTimeoutMs);
    expect(lossesOf(world.process('x'))).toBe(0);
  });

  it('gives no seat to the incarnation of a standby that ended a moment ago (2 voters, 1 standby, 1 client)', () => {
    const world = openedWorld({ voters: ['a', 'b'], clients: ['x'], standbys: ['d'] });
    const leader = world.leader()?.node ?? '';
    const echoes = (): boolean => world.process(leader).member.members(world.at(world.process(leader))).standbys.length > 0;
    world.until('the standby is known', echoes);
    const newcomer = world.restartEmpty('d');
    // Its first words have come, and it has echoed nothing yet.
    world.until('the one before it is not counted on', () => !echoes(), heartbeatMs);
    expect(settled(world, 'x', { type: 'replace', node: leader === 'a' ? 'b' : 'a', by: 'd' }).at(-1)).toBe('done');
    expect(world.leader()?.member.inspect.record?.configuration.voters).toContainEqual({ node: 'd', incarnation: newcomer.incarnation });
    passTraffic(world, 0);
  });

  it('says the same to an order that comes again, from whomever (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    for (const asker of ['x', 'a', 'd']) expect(settled(world, asker, { type: 'replace', node: 'c', by: 'd' }).at(-1)).toBe('done');
    expect([votersOf(world), configurationOf(world)]).toEqual(['abd', 2]);
  });

  it('changes its voters one at a time when asked by two at once (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const ids = [give(world, 'x', { type: 'add', node: 'd' }), give(world, 'a', { type: 'add', node: 'e' })];
    world.until(
      'both are done',
      () => standingsOf(world, 'x', ids[0] ?? 0).includes('done') && standingsOf(world, 'a', ids[1] ?? 0).includes('done'),
    );
    expect([votersOf(world), configurationOf(world)]).toEqual(['abcde', 3]);
  });

  it('takes no order that was given to an earlier leader, or in an earlier configuration (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const delayed: (() => void)[] = [];
    world.network.swallows = (message, { from }) => {
      const isOrder = message.type === 'orderGiven' && from === 'x';
      if (isOrder) delayed.push(() => world.give(world.leader() ?? world.process('a'), { type: 'frame', frame: { founding: 'a#1', configuration: 1, from: { node: 'x', incarnation: 'x#4', run: 1 }, messages: [message] }, at: world.at(world.leader() ?? world.process('a')) })); // prettier-ignore
      return isOrder;
    };
    const id = give(world, 'x', { type: 'remove', node: 'c' });
    world.until('it was sent', () => delayed.length > 0);
    world.give(world.process('x'), { type: 'order', id, order: null, at: world.at(world.process('x')) });
    world.network.swallows = () => false;
    settled(world, 'a', { type: 'add', node: 'd' });
    votersOf(world);
    for (const arrive of delayed) arrive();
    world.run(10 * electionTimeoutMs);
    expect(votersOf(world)).toBe('abcd');
  });

  it('refuses what would leave too few of the living, and takes what would not (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    const dead = someFollower(world);
    const living = ['a', 'b', 'c'].filter((node) => node !== dead && node !== world.leader()?.node);
    world.kill(dead);
    world.run(2 * electionTimeoutMs);
    expect(settled(world, 'x', { type: 'remove', node: living[0] ?? '' }).at(-1)).toBe('quorumAtRisk');
    expect(settled(world, 'x', { type: 'remove', node: dead }).at(-1)).toBe('done');
    expect(votersOf(world)).toHaveLength(2);
  });

  it('never comes to a majority of names that it was not founded with (3 voters, 2 standbys, 1 client, safety 14)', () => {
    const world = openedWorld(withStandbys);
    settled(world, 'x', { type: 'replace', node: 'c', by: 'd' });
    expect(settled(world, 'x', { type: 'replace', node: 'b', by: 'e' }).at(-1)).toBe('outsiders');
    expect(votersOf(world)).toBe('abd');
    expect(settled(world, 'x', { type: 'replace', node: 'b', by: 'c' }).at(-1)).toBe('done');
    expect(votersOf(world)).toBe('acd');
  });

  it('waits for a standby to catch up (3 voters, 1 standby, 1 client)', () => {
    const world = openedWorld({ clients: ['x'], standbys: ['d'] });
    world.isolate('d');
    for (let round = 0; round < 300; round += 1) giveBack(world, 'x', 'l', take(world, 'x', 'l'));
    world.network.swallows = (message, { to }) => to === 'd' && (message.type === 'chosen' || message.type === 'snapshotChunk');
    world.heal();
    const id = give(world, 'x', { type: 'add', node: 'd' });
    world.until('it is told to wait', () => standingsOf(world, 'x', id).includes('notCaughtUp'), 10 * electionTimeoutMs);
    expect(votersOf(world)).toBe('abc');
    world.network.swallows = () => false;
    world.until('it is done', () => standingsOf(world, 'x', id).at(-1) === 'done', 20 * electionTimeoutMs);
    expect(votersOf(world)).toBe('abcd');
  });

  it('hands its leadership to whom it is asked to, and back (3 voters, 1 client)', () => {
    const world = openedWorld({ clients: ['x'] });
    const [first, to] = [world.leader()?.node ?? '', someFollower(world)];
    const held = take(world, 'x', 'held');
    for (const node of [to, first]) {
      const beganMs = world.nowMs;
      expect(settled(world, 'x', { type: 'lead', node }).at(-1)).toBe('done');
      expect([world.leader()?.node, world.nowMs - beganMs < 4 * heartbeatMs]).toEqual([node, true]);
    }
    expect([holdersOf(world, 'held'), lossesOf(world.process('x'))]).toEqual([['x'], 0]);
    giveBack(world, 'x', 'held', held);
  });
});

describe('whoever takes part', () => {
  it('sees who votes, who stands by and how far behind they are (3 voters, 2 standbys, 1 client)', () => {
    const world = openedWorld(withStandbys);
    world.run(2 * electionTimeoutMs);
    const names = (node: string): unknown => {
      const { voters, standbys, clients } = world.process(node).member.members(world.at(world.process(node)));
      return [
        voters.map((voter) => voter.node + (voter.isHeard ? '' : ' silent')).join(),
        standbys.map((standby) => standby.node).join(),
        clients,
      ];
    };
    const dead = someFollower(world);
    expect([names('x'), names('d'), names('a')]).toEqual([
      ['a,b,c', 'd,e', null],
      ['a,b,c', 'd,e', ['x']],
      ['a,b,c', 'd,e', ['x']],
    ]);
    world.kill(dead);
    world.kill('e');
    world.run(6 * electionTimeoutMs);
    const voters = ['a', 'b', 'c'].map((node) => node + (node === dead ? ' silent' : '')).join();
    expect(names('x')).toEqual([voters, 'd', null]);
  });
});

describe('a voter that the group was not founded with', () => {
  it('gives its seat up when those that it was founded with found anew, and takes part with them (3 voters, 1 standby)', () => {
    const world = openedWorld({ standbys: ['d'] });
    settled(world, 'a', { type: 'replace', node: 'c', by: 'd' });
    world.until('it votes', () => world.process('d').member.inspect.replica !== null);
    const founding = (node: string): string => world.process(node).member.inspect.record?.configuration.founding ?? '';
    // Were it heard, they would not found anew.
    world.network.swallows = (_message, { from, to }) => (from === 'd') !== (to === 'd');
    for (const node of ['a', 'b', 'c']) world.restartEmpty(node);
    world.until('they found anew', () => founding('a') !== '' && founding('a') !== 'a#1');
    world.network.swallows = () => false;
    world.until('it is in the new founding', () => founding('d') !== 'a#1' && founding('d') === founding('a'), 60_000);
    world.until('all have a session', () => world.everyoneHasASession(), 60_000);
    expect(votersOf(world)).toBe('abc');
    expect(world.process('d').member.status(world.at(world.process('d'))).role).toBe('standby');
  });

  it('keeps its seat beside a group of other names that has the same name by mistake (3 voters, 1 standby)', () => {
    const world = openedWorld({ standbys: ['d'] });
    settled(world, 'a', { type: 'replace', node: 'c', by: 'd' });
    world.until('it votes', () => world.process('d').member.inspect.replica !== null);
    let nonce = '';
    world.network.swallows = (message, { from }) => {
      if (from === 'd' && message.type === 'hello') ({ nonce } = message);
      return false;
    };
    const restarted = world.restartWithMemory('d');
    world.until('it asks who is there', () => nonce !== '');
    const voters = ['p', 'q', 'r'];
    const seats = voters.map((node) => ({ node, incarnation: `${node}#1` }));
    const record = {
      configuration: { founding: 'p#1', id: 1, voters: seats },
      tokenSecond: 1,
      maxSessionTtlMs: 4_000,
      firstFounding: true,
    };
    const said = { voters, wallMs: 0, tokenSecond: 0, longestTtlMs: 4_000, standing: 'led', record } as const;
    const from = { node: 'p', incarnation: 'p#1', run: 1 };
    const frame = { founding: 'p#1', configuration: 1, from, messages: [{ type: 'greeting', nonce, ...said } as const] };
    world.give(restarted, { type: 'frame', frame, at: world.at(restarted) });
    expect(world.eventsOf('votersDiffer').map(({ node }) => node)).toEqual(['d']);
    world.run(10 * electionTimeoutMs);
    expect([world.process('d'), votersOf(world)]).toEqual([restarted, 'abd']);
  });
});
