/** Voters come back without their memory and are given their seats again, one stop-sign after the other. The safety rules 1, 6 and 16. */
import { isVoter } from '../../src/paxos/configuration.ts';
import { giveBack, holdersOf, lossesOf, openedWorld, take } from './locks.ts';
import { World, worldTiming } from './world.ts';
import type { Process } from './world.ts';

const three = ['a', 'b', 'c'];
const { electionTimeoutMs } = worldTiming;

function isVoting({ member, node, incarnation }: Process): boolean {
  const { replica } = member.inspect;
  return replica !== null && isVoter(replica.configuration, { node, incarnation });
}

function isReady(world: World, process: Process): boolean {
  return process.member.status(world.at(process)).readiness === 'ready';
}

function follower(world: World): string {
  return three.find((node) => node !== world.leader()?.node) ?? '';
}

describe('a voter that lost its memory', () => {
  it.each([
    ['a follower', false],
    ['the leader', true],
  ])('is a voter again within a few election timeouts, and no client loses anything (3 voters, 1 client, %s)', (_who, isLeader) => {
    const world = openedWorld({ clients: ['x'] });
    const token = take(world, 'x', 'held');
    const process = world.restartEmpty(isLeader ? (world.leader()?.node ?? '') : follower(world));
    expect(isReady(world, process)).toBe(false);
    world.until('it is ready', () => isVoting(process) && isReady(world, process), (isLeader ? 6 : 4) * electionTimeoutMs);
    expect(world.leader()?.member.inspect.record?.configuration.id).toBe(2);
    expect(holdersOf(world, 'held')).toEqual(['x']);
    giveBack(world, 'x', 'held', token);
    expect(take(world, 'x', 'held')).toBeGreaterThan(token);
    expect(lossesOf(world.process('x'))).toBe(0);
    world.until('all have applied the same', () => world.isSettled());
    for (const { member } of world.livingVoters) world.observer.checkHash(member.inspect);
  });

  it('is one of the two that are needed afterwards (3 voters)', () => {
    const world = openedWorld({ clients: ['x'] });
    const [first, second] = [follower(world), world.leader()?.node ?? ''];
    const process = world.restartEmpty(first);
    world.until('it is ready', () => isReady(world, process));
    world.kill(second);
    expect(take(world, 'x', 'held')).toBeGreaterThan(0);
  });

  it('has its seat while another sleeps on under the old incarnation, which then gives itself up (3 voters)', () => {
    const world = openedWorld({ clients: ['x'] });
    const node = follower(world);
    const old = world.process(node);
    world.pause(node, 6 * electionTimeoutMs);
    const newcomer = world.start(node);
    world.until('it is a voter', () => isVoting(newcomer), 5 * electionTimeoutMs);
    world.until('the old one woke up and gave itself up', () => !old.isAlive, 6 * electionTimeoutMs);
    expect(old.events.map(({ event }) => event.type)).toContain('seatGiven');
    expect(old.disk.at(-1)).toEqual({ type: 'discarded' });
    expect(isVoting(newcomer)).toBe(true);
  });

  it('is not given the seat of one that lives (3 voters, a second process of the name)', () => {
    const world = openedWorld();
    const node = follower(world);
    const old = world.process(node);
    const newcomer = world.start(node);
    world.run(10 * electionTimeoutMs);
    expect([isVoting(old), isVoting(newcomer)]).toEqual([true, false]);
    expect(newcomer.member.status(world.at(newcomer)).role).toBe('standby');
  });
});

describe('a rolling restart', () => {
  it.each([1, 2, 3])('of three diskless voters keeps every lock, and tokens rise (3 voters, 2 clients, 6 rounds, seed %i)', (seed) => {
    const world = openedWorld({ seed, clients: ['x', 'y'], loss: seed === 3 ? 0.05 : 0 });
    const held = take(world, 'y', 'held');
    let last = held;
    for (let round = 0; round < 6; round += 1) {
      for (const node of three) {
        const process = world.restartEmpty(node);
        const token = take(world, 'x', 'traffic', 20 * electionTimeoutMs);
        expect(token).toBeGreaterThan(last);
        last = token;
        giveBack(world, 'x', 'traffic', token);
        world.until(`${node} is ready`, () => isVoting(process) && isReady(world, process), 20 * electionTimeoutMs);
      }
    }
    expect(world.leader()?.member.inspect.record?.configuration.id).toBeGreaterThanOrEqual(19);
    expect(holdersOf(world, 'held')).toEqual(['y']);
    expect(lossesOf(world.process('x')) + lossesOf(world.process('y'))).toBe(0);
    giveBack(world, 'y', 'held', held);
    expect(world.observer.logs.size).toBe(1);
  });

  it('leaves a voter with its memory able to restart, whatever came before (3 voters, 1 client)', () => {
    const world = openedWorld({ clients: ['x'] });
    for (const node of ['a', 'b']) {
      const process = world.restartEmpty(node);
      world.until(`${node} is ready`, () => isVoting(process) && isReady(world, process));
    }
    const token = take(world, 'x', 'held');
    for (const node of three) world.kill(node);
    for (const node of three) world.restartWithMemory(node);
    world.until('the same three lead again', () => world.leader() !== undefined, 20 * electionTimeoutMs);
    expect(world.leader()?.member.inspect.record?.configuration.id).toBe(3);
    giveBack(world, 'x', 'held', token);
    expect(take(world, 'x', 'held')).toBeGreaterThan(token);
  });
});

describe('a change of voters', () => {
  it('is learned by a voter that was cut off during two of them, which is a voter again (5 voters)', () => {
    const world = openedWorld({ voters: ['a', 'b', 'c', 'd', 'e'], clients: ['x'] });
    const leader = world.leader()?.node ?? '';
    const [deaf = '', one = '', two = ''] = world.voters.filter((node) => node !== leader);
    world.isolate(deaf);
    for (const node of [one, two]) {
      const process = world.restartEmpty(node);
      world.until(`${node} is ready`, () => isVoting(process) && isReady(world, process));
    }
    expect(world.process(deaf).member.inspect.record?.configuration.id).toBe(1);
    world.heal();
    world.until('it is in the last one', () => isReady(world, world.process(deaf)), 6 * electionTimeoutMs);
    expect(world.process(deaf).member.inspect.record?.configuration.id).toBe(3);
    expect(lossesOf(world.process('x'))).toBe(0);
  });

  it('that its leader could tell one voter only is carried on by the next leader (5 voters)', () => {
    const world = openedWorld({ voters: ['a', 'b', 'c', 'd', 'e'], clients: ['x'] });
    const leader = world.leader()?.node ?? '';
    const [wiped = '', told = ''] = world.voters.filter((node) => node !== leader);
    let isSent = false;
    world.network.swallows = (message, link) => {
      const isStopSign = message.type === 'accept' && JSON.stringify(message.value).includes(`[[9,`);
      if (isStopSign && link.to === told) isSent = true;
      return (isSent && link.from === leader && link.to !== told) || (isStopSign && link.to !== told);
    };
    const process = world.restartEmpty(wiped);
    world.until('the stop-sign left', () => isSent, 6 * electionTimeoutMs);
    world.run(5);
    world.kill(leader);
    world.network.swallows = () => false;
    world.until('it is ready', () => isVoting(process) && isReady(world, process), 20 * electionTimeoutMs);
    world.until('one leads', () => world.leader() !== undefined, 2 * electionTimeoutMs);
    expect(world.leader()?.member.inspect.record?.configuration.id).toBe(2);
    expect(take(world, 'x', 'held')).toBeGreaterThan(0);
  });

  it('that nobody has heard of yet ends its leader’s answers all the same (3 voters, 1 client, safety 6)', () => {
    const world = openedWorld({ clients: ['x'] });
    const leader = world.leader()?.node ?? '';
    let isSent = false;
    const answers: string[] = [];
    world.network.swallows = (message, link) => {
      if (message.type === 'accept' && JSON.stringify(message.value).includes('[[9,')) return (isSent = true);
      if (isSent && link.from === leader && (message.type === 'keptAlive' || message.type === 'watched')) answers.push(message.type);
      return false;
    };
    world.restartEmpty(follower(world));
    world.until('the stop-sign left', () => isSent, 6 * electionTimeoutMs);
    const before = world.leader();
    for (let asked = 0; asked < 20; asked += 1) {
      world.give(world.process('x'), { type: 'watch', added: [`l/r${asked}`], removed: [], at: world.at(world.process('x')) });
      world.run(50);
    }
    expect([before, answers]).toEqual([undefined, []]);
    world.network.swallows = () => false;
    expect(take(world, 'x', 'held', 20 * electionTimeoutMs)).toBeGreaterThan(0);
  });

  it('is heard of by a client whose leader was wiped, and by one that comes later (3 voters, 2 clients)', () => {
    const world = openedWorld({ clients: ['x'] });
    world.isolate('x');
    for (const node of three) {
      const process = world.restartEmpty(node);
      world.until(`${node} is ready`, () => isVoting(process) && isReady(world, process));
    }
    world.heal();
    // What is asked under a session that ran out meanwhile ends with it.
    const x = world.process('x');
    const isKept = (): boolean => world.leader()?.member.inspect.state?.session(x.member.session ?? 0) !== undefined;
    world.until('its session lasts', () => isKept() && x.member.remainingMs(world.at(x)) > 2_000, 20 * electionTimeoutMs);
    expect(take(world, 'x', 'late', 20 * electionTimeoutMs)).toBeGreaterThan(0);
    world.start('y');
    world.until('it has a session', () => world.process('y').member.session !== null, 20 * electionTimeoutMs);
    expect(take(world, 'y', 'later')).toBeGreaterThan(0);
  });
});

describe('a founding in the middle of which a voter is wiped', () => {
  it('heals by a swap, and the group opens (3 voters, 30 moments)', () => {
    let swapped = 0;
    for (let moment = 0; moment < 30; moment += 1) {
      const world = new World({ seed: moment + 1, delayMs: [1, 20] });
      world.run(electionTimeoutMs + moment * 8);
      world.restartEmpty(three[moment % 3] ?? 'a');
      world.until('sessions are open', () => world.everyoneHasASession(), 60_000);
      swapped += world.eventsOf('seatRegained').length;
      expect(world.observer.logs.size).toBe(1);
    }
    expect(swapped).toBeGreaterThan(0);
  });
});
