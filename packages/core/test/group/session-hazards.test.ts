/** What broke sessions and locks elsewhere, done to whole groups: cut-off leaders, twins, late copies, crowds, foul clocks. */
import { lockOp } from '../../src/lock/command.ts';
import type { Operation } from '../../src/operation.ts';
import { acquire, giveBack, holdersOf, lossesOf, openedWorld, release, take, tokenOf } from './locks.ts';
import type { World } from './world.ts';

const ttlMs = 4_000;
const three = ['a', 'b', 'c'];

/** Exactly these talk to each other; everybody else among themselves. */
function partition(world: World, island: readonly string[]): void {
  const nodes = [...new Set(world.processes.map(({ node }) => node))];
  for (const one of island) for (const other of nodes) if (!island.includes(other)) world.network.cutBetween(one, other);
}

describe('clients on the side of a leader that is cut off', () => {
  it.each(['lease', 'quorum'] as const)(
    'lose their leases before the others are granted their locks, with reads by %s (3 voters, 4 clients)',
    (reads) => {
      const world = openedWorld({ clients: ['w', 'x', 'y', 'z'], sessionTtlMs: ttlMs, reads });
      const old = world.leader()?.node ?? '';
      take(world, 'w', 'one');
      take(world, 'x', 'two');
      take(world, 'y', 'three');
      const wanted = [world.request('y', acquire('one')), world.request('z', acquire('two'))];
      world.run(300);
      partition(world, [old, 'w', 'x']);
      // The observer throws if a lease of y or z begins before that of w or x has ended.
      world.until(
        'the others are granted',
        () => tokenOf(world.process('y'), wanted[0]!) > 0 && tokenOf(world.process('z'), wanted[1]!) > 0,
      );
      expect(['w', 'x', 'y', 'z'].map((node) => lossesOf(world.process(node)))).toEqual([1, 1, 0, 0]);
      expect(world.process('w').member.session).toBeNull();
      expect(holdersOf(world, 'three')).toEqual(['y']);
      world.heal();
      world.until('all have sessions again', () => world.everyoneHasASession());
    },
  );
});

describe('a leader that stood still for longer than the TTL', () => {
  it('ends no session that was kept by its successor, when it wakes and when it leads again (3 voters, 2 clients)', () => {
    const world = openedWorld({ clients: ['x', 'y'], sessionTtlMs: ttlMs });
    const first = world.leader()?.node ?? '';
    take(world, 'x', 'one');
    world.pause(first, 3 * ttlMs);
    world.until('another leads', () => (world.leader()?.node ?? first) !== first);
    world.run(3 * ttlMs + 1_000);
    // It leads again: the others resign until it does.
    for (let time = 0; time < 50 && world.leader()?.node !== first; time += 1) {
      const leader = world.leader();
      // Nobody is heard of for a while: a new leader may not take that for the silence of a whole TTL.
      world.network.swallows = ({ type }) => type === 'keepAlive';
      if (leader) world.give(leader, { type: 'resign', at: world.at(leader) });
      world.run(1_000);
      world.heal();
      world.run(1_000);
    }
    expect(world.leader()?.node).toBe(first);
    world.run(2 * ttlMs);
    expect(['x', 'y'].map((node) => lossesOf(world.process(node)))).toEqual([0, 0]);
    expect(holdersOf(world, 'one')).toEqual(['x']);
  });
});

describe('a release that comes again', () => {
  it('long after its lock was taken anew leaves the new lease alone (3 voters, 2 clients)', () => {
    const world = openedWorld({ clients: ['x', 'y'], sessionTtlMs: ttlMs });
    const copies: Operation[] = [];
    world.network.swallows = (message) => {
      if (message.type === 'submit') copies.push(...message.ops);
      return false;
    };
    const first = take(world, 'x', 'one');
    giveBack(world, 'x', 'one', first);
    world.heal();
    const { session } = world.process('x').member;
    const second = take(world, 'x', 'one');
    const waiting = world.request('y', acquire('one'));
    world.run(1_000);
    expect(copies.length).toBeGreaterThan(1);
    const resend = (floor: number): void => {
      const x = world.process('x');
      const leader = world.leader();
      const { configuration } = leader?.member.inspect.record ?? {};
      if (!leader || !configuration || session === null) throw new Error('nobody leads');
      world.give(leader, {
        type: 'frame',
        at: world.at(leader),
        frame: {
          founding: configuration.founding,
          configuration: configuration.id,
          from: { node: 'x', incarnation: x.incarnation, run: x.run },
          messages: [{ type: 'submit', session, floor, ops: copies }],
        },
      });
      world.run(500);
    };
    for (const floor of [0, 1, 2]) resend(floor);
    // Neither does the same wish under a new sequence: it names the token of the old lease.
    world.request('x', release('one', first));
    world.run(500);
    expect(world.leader()?.member.inspect.state?.lockState('l/one')).toMatchObject({ holders: [{ token: second }], waiting: 1 });
    expect(tokenOf(world.process('y'), waiting)).toBe(0);
    world.request('x', release('one', second));
    world.until('y is granted', () => tokenOf(world.process('y'), waiting) > second);
  });
});

describe('a process that is killed and started again under its name within the TTL', () => {
  it('owns nothing of what its last life held, and is granted it when that is over (3 voters, 2 clients)', () => {
    const world = openedWorld({ clients: ['x', 'y'], sessionTtlMs: ttlMs });
    const held = take(world, 'x', 'one');
    const old = world.process('x');
    const diedAtMs = world.nowMs;
    world.restartEmpty('x');
    world.run(ttlMs / 4);
    expect(world.process('x').member.session).toBeNull();
    expect(holdersOf(world, 'one')).toEqual(['x']);
    world.until('it has a session of its own', () => world.process('x').member.session !== null, 3 * ttlMs);
    // No earlier than the last life's lease has run out by its own clock.
    expect(world.nowMs - diedAtMs).toBeGreaterThan(ttlMs / 2);
    expect(world.process('x').member.session).not.toBe(old.member.session);
    expect(holdersOf(world, 'one')).toEqual([]);
    expect(take(world, 'x', 'one')).toBeGreaterThan(held);
  });
});

describe('a crowd that waits for one lock', () => {
  /** Messages that ten hand-overs take, without what goes on anyway. */
  function messagesOfTenHandOvers(waiters: number, nodes: number): number {
    const clients = Array.from({ length: nodes }, (_, n) => `w${n}`);
    const world = openedWorld({ clients: ['x', ...clients] });
    let token = take(world, 'x', 'one');
    for (let n = 0; n < waiters; n += 1) world.request(clients[n % clients.length]!, acquire('one'));
    world.until('all wait', () => world.leader()?.member.inspect.state?.lockState('l/one').waiting === waiters);
    world.run(2_000);
    let messages = 0;
    world.network.swallows = ({ type }) => {
      const goesOnAnyway = ['heartbeat', 'heartbeatSeen', 'storeAt', 'storesSeen', 'keepAlive', 'keptAlive', 'hello', 'greeting'];
      if (!goesOnAnyway.includes(type)) messages += 1;
      return false;
    };
    let holder = 'x';
    for (let time = 0; time < 10; time += 1) {
      world.request(holder, release('one', token));
      const state = () => world.leader()?.member.inspect.state?.lockState('l/one').holders[0];
      world.until('the next holds', () => (state()?.token ?? 0) > token);
      token = state()?.token ?? 0;
      holder = state()?.node ?? '';
      world.until('it knows', () => world.process(holder).results.some(([, , granted]) => granted === token));
      world.run(50);
    }
    return messages;
  }

  it('costs as many messages for each hand-over with 1,000 waiters as with 20 (3 voters, 5 and 100 clients)', () => {
    const few = messagesOfTenHandOvers(20, 5);
    expect(few).toBeGreaterThan(10);
    expect(messagesOfTenHandOvers(1_000, 100)).toBeLessThanOrEqual(few * 1.2);
  });
});

describe('calendar clocks that are wrong', () => {
  it('by a minute either way end no session and hold up no lock (3 voters, 2 clients)', () => {
    const skew: Readonly<Record<string, number>> = { x: 60_000, y: -60_000 };
    const world = openedWorld({ clients: ['x', 'y'], sessionTtlMs: ttlMs, wallSkewMs: (node) => skew[node] ?? 0 });
    let last = 0;
    for (let time = 0; time < 20; time += 1) {
      for (const node of ['x', 'y']) {
        const token = take(world, node, 'one', 1_000);
        expect(token).toBeGreaterThan(last);
        last = token;
        giveBack(world, node, 'one', token);
      }
      world.run(ttlMs / 2);
    }
    expect(world.eventsOf('sessionLost')).toEqual([]);
  });
});

describe('a long life', () => {
  it('leaves nothing of the locks, sessions and answers that are over (3 voters, 3 clients, 300 rounds)', () => {
    const world = openedWorld({ clients: ['x', 'y', 'z'], sessionTtlMs: ttlMs, batchBytesMax: 256, slotsKept: 0 });
    /** Everything that is remembered, by the entry. */
    const entries = (): readonly Record<string, number>[] =>
      world.livingVoters.map(({ member }) => {
        const { state, replica } = member.inspect;
        if (!state || !replica) throw new Error('a voter has no seat');
        const { sessions, locks } = state.snapshot();
        return {
          sessions: sessions.length,
          locks: locks.length,
          answers: JSON.stringify(sessions).length,
          slots: replica.log.lastSlot - replica.log.floor,
        };
      });
    const rounds = (count: number, from: number): void => {
      for (let round = from; round < from + count; round += 1) {
        for (const node of ['x', 'y', 'z']) {
          const token = take(world, node, `r${round}`);
          const waiting = world.request(node, acquire(`r${round}`));
          if (round % 3 === 0) world.request(node, (seq) => [lockOp.cancel, seq, waiting]);
          giveBack(world, node, `r${round}`, token);
          if (round % 3 === 0) continue;
          world.until('it is granted anew', () => tokenOf(world.process(node), waiting) > token);
          giveBack(world, node, `r${round}`, tokenOf(world.process(node), waiting));
        }
        if (round % 50 !== 49) continue;
        const node = ['x', 'y', 'z'][((round / 50) % 3) | 0] ?? 'x';
        world.restartEmpty(node);
        world.until('it is back', () => world.everyoneHasASession());
      }
      world.run(2 * ttlMs);
      world.until('all have applied the same', () => world.isSettled());
    };
    rounds(100, 0);
    const early = entries();
    rounds(200, 100);
    const late = entries();
    late.forEach((counts, voter) => {
      expect(counts.sessions).toBe(early[voter]?.sessions);
      expect(counts.locks).toBe(0);
      expect(counts.answers).toBeLessThan(2_000);
      expect(counts.slots).toBeLessThan(2_000);
    });
    expect(three.map((node) => world.process(node).member.inspect.state?.appliedIndex ?? 0).every((index) => index > 1_500)).toBe(true);
  });
});
