/** Sessions and leases of whole groups, with the world's observer watching every step. The safety rules 5 to 10 and 17. */
import type { GroupBatch } from '../../src/group/member-message.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { keepAlivePeriodMs } from '../../src/session/session-holder.ts';
import { entryKind } from '../../src/session/command.ts';
import { World, worldTiming } from './world.ts';
import type { Process, WorldOptions } from './world.ts';

const ttlMs = 4_000;
const acquire =
  (name: string) =>
  (seq: number): LockOp => [lockOp.acquire, seq, `l/${name}`, 0, 0, null];

function opened(options: WorldOptions = {}): World {
  const world = new World({ clients: ['x', 'y'], sessionTtlMs: ttlMs, ...options });
  world.until('sessions are open', () => world.everyoneHasASession());
  return world;
}

function isGranted({ results }: Process, target: number): boolean {
  return results.some(([seq, code]) => seq === target && code === resultCode.granted);
}

function lossesOf({ events }: Process): number {
  return events.filter(({ event }) => event.type === 'sessionLost').length;
}

/** x holds the lock and falls silent; true time between the end of its lease and the grant to y. */
function handOverAfterSilence(options: WorldOptions): number {
  const world = opened(options);
  const [x, y] = [world.process('x'), world.process('y')];
  world.request('x', acquire('one'));
  world.until('x holds', () => x.results.length > 0);
  const seq = world.request('y', acquire('one'));
  world.isolate('x');
  let endedAtMs = 0;
  while (!isGranted(y, seq)) {
    world.run(1);
    if (endedAtMs === 0 && x.member.remainingMs(world.at(x)) === 0) endedAtMs = world.nowMs;
    if (world.nowMs > 60_000) throw new Error('y is never granted');
  }
  return world.nowMs - endedAtMs;
}

describe('a lease', () => {
  it('ends at its silent holder before the group grants again (3 voters, 2 clients)', () => {
    expect(handOverAfterSilence({})).toBeGreaterThan(0);
  });

  it.each([
    ['slow', 0.9951, 1.0049],
    ['fast', 1.0049, 0.9951],
  ])('ends before the group grants again with a %s holder within the drift bound (3 voters, 2 clients)', (_, holder, others) => {
    expect(handOverAfterSilence({ clockRate: (node) => (node === 'x' ? holder : others) })).toBeGreaterThan(0);
  });

  it('protects no more where the rates of clocks differ by far more than the bound: the observer sees it (3 voters, 2 clients)', () => {
    expect(() => handOverAfterSilence({ clockRate: (node) => (node === 'x' ? 0.9 : 1.1) })).toThrow('hold');
  });

  it('ends by a jump of the calendar clock as well, for a suspended machine stops the other (3 voters, 2 clients)', () => {
    const world = opened();
    const x = world.process('x');
    const at = world.at(x);
    expect(x.member.remainingMs({ monotonicMs: at.monotonicMs, wallMs: at.wallMs + 60_000 })).toBe(0);
    expect(x.member.remainingMs(at)).toBe(0);
  });
});

describe('a session', () => {
  it('lives on when every other keep-alive is lost (3 voters, 2 clients)', () => {
    const world = opened();
    world.network.swallows = ({ type }) => type === 'keepAlive' && world.random.below(2) === 0;
    world.run(60_000);
    expect(world.eventsOf('sessionLost')).toEqual([]);
  });

  it('announces jeopardy before it is lost, is never revived, and is followed by another (3 voters, 2 clients)', () => {
    const world = opened();
    const x = world.process('x');
    const { session } = x.member;
    world.isolate('x');
    world.until('x has lost it', () => lossesOf(x) > 0);
    world.heal();
    world.until('x has another', () => x.member.session !== null);
    expect(x.member.session).not.toBe(session);
    const told = x.events.map(({ event }) => event.type).filter((type) => type.startsWith('session'));
    expect(told.slice(-3)).toEqual(['sessionJeopardy', 'sessionLost', 'sessionOpened']);
  });

  it('is not revived by an answer that comes after its holder found it over (3 voters, 2 clients)', () => {
    const world = opened();
    const x = world.process('x');
    // Answers to x are held up until they are too old to be of use.
    world.network.swallows = ({ type }, { to }) => to === 'x' && type === 'keptAlive';
    const { session } = x.member;
    world.until('x has lost it', () => lossesOf(x) > 0);
    world.heal();
    world.run(2 * ttlMs);
    expect(x.member.session).not.toBe(session);
  });

  it('is not ended by a leader that stood still for longer than the TTL (3 voters, 2 clients)', () => {
    const world = opened();
    const leader = world.leader()?.node ?? '';
    world.pause(leader, 3 * ttlMs);
    world.until('another leads', () => (world.leader()?.node ?? leader) !== leader);
    world.run(4 * ttlMs);
    const losers = world.eventsOf('sessionLost').map(({ node }) => node);
    expect(losers.filter((node) => node !== leader)).toEqual([]);
  });

  it('is not extended by a leader that stood still and woke after another had begun (3 voters, 2 clients, safety 6)', () => {
    const world = opened();
    const [x, y] = [world.process('x'), world.process('y')];
    const old = world.leader()?.node ?? '';
    world.request('x', acquire('one'));
    world.until('x holds', () => x.results.length > 0);
    const seq = world.request('y', acquire('one'));
    world.until('y waits', () => y.results.length > 0);
    // x hears and reaches nobody but the old leader, which reads the keep-alives that came meanwhile when it wakes.
    for (const node of ['a', 'b', 'c', 'y']) if (node !== old) world.network.cutBetween('x', node);
    world.pause(old, 0.7 * ttlMs);
    world.until('another leads', () =>
      world.living.some((process) => process.node !== old && process.member.status(world.at(process)).role === 'leader'),
    );
    world.until('y is granted', () => isGranted(y, seq));
    expect(lossesOf(x)).toBe(1);
  });

  it('that a cut-off leader wanted to end lives when a later leader adopts that word (3 voters, 2 clients, safety 5)', () => {
    const world = opened();
    const x = world.process('x');
    const { session } = x.member;
    const old = world.leader();
    if (!old || session === null) throw new Error('nobody leads');
    // Cut off, and by a clock that runs wild, it proposes the end of x in its last moment; only its own acceptor hears that.
    world.isolate(old.node);
    const { replica, state } = old.member.inspect;
    const expiry: GroupBatch = [0, [[entryKind.expire, session, state?.stamp ?? '']]];
    for (const value of [[0, []] as const, expiry]) replica?.step({ type: 'propose', value, nowMs: world.at(old).monotonicMs });
    expect(replica?.log.valueAt(replica.log.lastSlot)).toBe(expiry);
    world.until('another leads', () => (world.leader()?.node ?? old.node) !== old.node);
    world.run(300);
    const second = world.leader()?.node ?? '';
    expect(lossesOf(x)).toBe(0);
    world.kill(second);
    world.heal();
    world.until('a third leads', () => (world.leader()?.node ?? second) !== second);
    world.run(2 * ttlMs);
    const log = [...world.observer.logs.values()][0];
    expect(log?.values).toContainEqual(expiry);
    expect(lossesOf(x)).toBe(0);
    expect(x.member.session).toBe(session);
  });

  it('outlives two leaders in a row (5 voters, 2 clients, safety 10)', () => {
    const world = opened({ voters: ['a', 'b', 'c', 'd', 'e'] });
    for (let time = 0; time < 2; time += 1) {
      const leader = world.leader()?.node ?? '';
      world.kill(leader);
      world.until('another leads', () => world.leader() !== undefined);
    }
    world.run(2 * ttlMs);
    expect(world.eventsOf('sessionLost')).toEqual([]);
  });

  it.each(['lease', 'quorum'] as const)('is kept, and locks change hands, with reads by %s (3 voters, 2 clients)', (reads) => {
    const world = opened({ reads });
    for (let time = 0; time < 20; time += 1) {
      const seq = world.request('x', acquire(`r${time}`));
      world.until('granted', () => isGranted(world.process('x'), seq), 1_000);
    }
    world.run(20_000);
    expect(world.eventsOf('sessionLost')).toEqual([]);
  });
});

describe('a waiter', () => {
  it('whose wake-up frame is lost learns of the grant within a keep-alive period (3 voters, 2 clients)', () => {
    const world = opened();
    const [x, y] = [world.process('x'), world.process('y')];
    world.request('x', acquire('one'));
    world.until('x holds', () => x.results.length > 0);
    const seq = world.request('y', acquire('one'));
    world.until('y waits', () => y.results.length > 0);
    let lost = 0;
    world.network.swallows = ({ type }, { to }) => to === 'y' && type === 'replies' && (lost += 1) > 0;
    world.request('x', (next) => [lockOp.release, next, 'l/one', x.results[0]?.[2] ?? 0, null]);
    world.until('y is granted', () => isGranted(y, seq), keepAlivePeriodMs(ttlMs) + 50);
    // Once or twice: the leader says it, and a follower that has applied it may.
    expect(lost).toBeGreaterThan(0);
  });
});

describe('a command', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'takes effect once when client frames come 0 to 5 times, across leader changes (3 voters, 2 clients, seed %i)',
    (seed) => {
      const world = opened({ seed });
      world.network.duplication = 0.75;
      world.network.loss = 0.2;
      const wanted: number[] = [];
      for (let round = 0; round < 30; round += 1) {
        const { session } = world.process('x').member;
        if (session !== null) wanted.push(world.request('x', acquire(`r${round}`)));
        world.run(60);
        if (round % 10 === 5) world.pause(world.leader()?.node ?? 'a', 1_500);
      }
      world.heal();
      world.until('all are granted', () => wanted.every((seq) => isGranted(world.process('x'), seq)));
      world.run(2_000);
      // The observer has thrown if an acquire was granted under two tokens; as many tokens were used as acquires made.
      const tokens = [...world.observer.logs.values()].flatMap(({ grants }) => [...grants.values()]);
      expect(tokens).toHaveLength(wanted.length);
      expect(new Set(tokens).size).toBe(wanted.length);
    },
  );
});

describe('a node name', () => {
  it('that a live process uses is refused to a second one, and the first goes on (3 voters, 2 processes named x)', () => {
    const world = opened();
    const first = world.process('x');
    const second = world.start('x');
    world.until('the second is told', () => second.events.some(({ event }) => event.type === 'nodeNameTaken'), 2_000);
    world.run(2_000);
    expect(first.events.some(({ event }) => event.type === 'nodeNameTaken')).toBe(false);
    expect(lossesOf(first)).toBe(0);
  });

  it('goes to one of two processes that start at once (3 voters, 2 processes named z)', () => {
    const world = opened();
    const [one, other] = [world.start('z'), world.start('z')];
    const isTold = ({ events }: Process): boolean => events.some(({ event }) => event.type === 'nodeNameTaken');
    world.until('one has a session', () => one.member.session !== null || other.member.session !== null);
    world.run(2_000);
    const without = [one, other].filter(({ member }) => member.session === null);
    expect(without.map(isTold)).toEqual([true]);
  });

  it('of a dead process goes to its successor once the old session has run out (3 voters, 1 client)', () => {
    const world = opened();
    world.restartEmpty('x');
    const x = world.process('x');
    world.until('it has a session', () => x.member.session !== null, 3 * ttlMs);
    expect(x.events.some(({ event }) => event.type === 'sessionRefused')).toBe(true);
    expect(x.events.some(({ event }) => event.type === 'nodeNameTaken')).toBe(false);
  });
});

describe('a voter that came back without its memory', () => {
  it('gets answers as fast as any client, and never votes under its old incarnation (3 voters)', () => {
    const world = opened({ clients: [] });
    const other = ['a', 'b', 'c'].find((node) => node !== world.leader()?.node) ?? '';
    world.restartEmpty(other);
    const process = world.process(other);
    world.until('it has a session', () => process.member.session !== null);
    const seq = world.request(other, acquire('one'));
    world.until('granted', () => isGranted(process, seq), 50);
    world.run(5_000);
    const swapped = process.disk.findIndex(({ type }) => type === 'configuration');
    expect(process.disk.slice(0, swapped).filter(({ type }) => type === 'promised' || type === 'voted')).toEqual([]);
    expect(process.member.inspect.replica?.configuration.voters).toContainEqual({ node: other, incarnation: process.incarnation });
  });
});

it('a leader that stands still for less than its lease stays (3 voters, 2 clients)', () => {
  const world = opened();
  const leader = world.leader()?.node ?? '';
  world.pause(leader, worldTiming.electionTimeoutMs * 0.6);
  world.run(5_000);
  expect(world.leader()?.node).toBe(leader);
});
