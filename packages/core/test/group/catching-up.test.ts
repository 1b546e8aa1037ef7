/** Members that are too far behind for the log of the others, and the log that stays within its limits. The safety rule 2. */
import { lockOp } from '../../src/lock/command.ts';
import type { MemberMessage } from '../../src/group/member-message.ts';
import type { Operation } from '../../src/operation.ts';
import { count, followers, founded, isCaughtUp, logLength, logSlotsMax, sameStates, traffic } from './lagging.ts';
import type { Process, World } from './world.ts';

describe('the log of a group that lost a voter for good (3 voters)', () => {
  it('stays within its slots', () => {
    const world = founded();
    const [gone] = followers(world);
    world.kill(gone?.node ?? '');
    traffic(world, 3 * logSlotsMax);
    world.run(500);
    for (const process of world.livingVoters) expect(logLength(process)).toBeLessThanOrEqual(logSlotsMax + 10);
  });

  it('stays within its bytes', () => {
    const world = founded({ slotsKept: 0, logSlotsMax: 100_000, logBytesMax: 20 * 72 });
    const [gone] = followers(world);
    world.kill(gone?.node ?? '');
    traffic(world, 100);
    world.run(500);
    for (const process of world.livingVoters) expect(logLength(process)).toBeLessThanOrEqual(30);
  });

  it('keeps what a voter lacks that is away for a moment only', () => {
    const world = founded();
    const [away] = followers(world);
    const floor = away?.member.inspect.replica?.log.chosenIndex ?? 0;
    world.isolate(away?.node ?? '');
    traffic(world, 20);
    world.run(500);
    for (const process of world.livingVoters) expect(process.member.inspect.replica?.log.floor).toBeLessThanOrEqual(floor);
    world.heal();
    world.until('it has caught up', () => away !== undefined && isCaughtUp(world, away));
    expect(world.eventsOf('snapshotInstalled')).toEqual([]);
  });
});

describe('a voter that returns from below every floor (3 voters)', () => {
  it('takes a snapshot from the other follower, goes on by the log, and votes', () => {
    const world = founded();
    const [away, other] = followers(world);
    world.isolate(away?.node ?? '');
    traffic(world, 3 * logSlotsMax);
    world.heal();
    world.until('it has caught up', () => away !== undefined && isCaughtUp(world, away));
    const [installed] = world.eventsOf('snapshotInstalled');
    expect(installed).toMatchObject({ node: away?.node, event: { from: other?.node } });
    sameStates(world);
    world.kill(other?.node ?? '');
    traffic(world, 5, 'after');
    world.until('it has applied what it voted for', () => away !== undefined && isCaughtUp(world, away));
  });

  it('finds what its own session was granted in the slots that it passed over', () => {
    const world = founded();
    const [away] = followers(world);
    const node = away?.node ?? '';
    const seq = world.request(node, (next) => [lockOp.acquire, next, 'l/mine', 0, 0, null]);
    world.isolate(node);
    traffic(world, 3 * logSlotsMax, 'quick');
    world.heal();
    world.until('its session or its grant is known', () => world.process(node).results.some(([answered]) => answered === seq), 20_000);
  });

  it('was kept by memory far behind, and catches up under loss while the leader changes', () => {
    const world = founded({ loss: 0.1, seed: 4, batchBytesMax: 2_000 });
    const [away] = followers(world);
    const node = away?.node ?? '';
    world.kill(node);
    traffic(world, 4 * logSlotsMax);
    const chunks = count(world, 'snapshotChunk');
    world.restartWithMemory(node);
    world.until('the first chunks were sent', () => chunks() > 2);
    const leader = world.leader();
    world.pause(leader?.node ?? '', 3_000);
    world.until('another leads', () => world.leader() !== undefined && world.leader() !== leader);
    world.until('it has caught up', () => isCaughtUp(world, world.process(node)));
    expect(world.eventsOf('snapshotInstalled').map((event) => event.node)).toContain(node);
    sameStates(world);
  });

  it('finds the snapshot again in its memory, and what came after it', () => {
    const world = founded();
    const [away] = followers(world);
    const node = away?.node ?? '';
    world.isolate(node);
    traffic(world, 3 * logSlotsMax);
    world.heal();
    world.until('it took a snapshot', () => world.eventsOf('snapshotInstalled').length > 0);
    traffic(world, 3, 'more');
    const { index } = world.eventsOf('snapshotInstalled')[0]?.event as { index: number };
    world.restartWithMemory(node);
    expect(world.process(node).member.inspect.state?.appliedIndex).toBeGreaterThanOrEqual(index);
    world.until('it has caught up', () => isCaughtUp(world, world.process(node)));
    sameStates(world);
  });
});

describe('a voter whose seat was given away while it lagged (3 voters, 1 standby)', () => {
  function giveAway(world: World, node: string): void {
    world.give(world.process('d'), { type: 'order', id: 1, order: { type: 'replace', node, by: 'e' }, at: world.at(world.process('d')) });
    world.until('the other votes', () => world.eventsOf('seatRegained').length > 0);
  }

  function standsBy(world: World, node: string): boolean {
    const process = world.process(node);
    return process.member.status(world.at(process)).role === 'standby' && isCaughtUp(world, process);
  }

  it('learns so from a snapshot, and comes back from it without its seat, also where it stopped at once', () => {
    const world = founded({ standbys: ['e'] });
    const [away] = followers(world);
    const node = away?.node ?? '';
    world.isolate(node);
    giveAway(world, node);
    traffic(world, 3 * logSlotsMax);
    world.heal();
    world.until('it took a snapshot', () => world.eventsOf('snapshotInstalled').some((event) => event.node === node));
    expect(world.process(node).member.inspect.record?.configuration.id).toBe(2);
    const { member } = world.restartWithMemory(node);
    expect(member.inspect.record?.configuration.id).toBe(2);
    world.until('it gave its seat up', () => world.eventsOf('seatGiven').length > 0);
    world.until('it stands by', () => standsBy(world, node));
  });

  it('keeps the stop-sign that it voted for above a snapshot, of which it may be one of two that have it', () => {
    const world = founded({ standbys: ['e'] });
    const [away] = followers(world);
    const node = away?.node ?? '';
    world.isolate(node);
    traffic(world, 3 * logSlotsMax);
    world.heal();
    const chunks: MemberMessage[] = [];
    // The snapshot comes only once the stop-sign has come, behind the gap.
    world.network.swallows = (message, { to }) => {
      const isLate = message.type === 'snapshotChunk' && to === node && !isKnownAhead();
      if (isLate) chunks.push(message);
      return isLate;
    };
    const isKnownAhead = (): boolean => {
      const log = world.process(node).member.inspect.log;
      const stop = world.leader()?.member.inspect.state?.configuration;
      return stop?.id === 2 && log?.valueAt(stop.sealedAt) !== undefined;
    };
    world.until('it fetches a snapshot', () => chunks.length > 0);
    giveAway(world, node);
    world.until('it took a snapshot', () => world.eventsOf('snapshotInstalled').some((event) => event.node === node));
    world.network.swallows = () => false;
    const stop = world.leader()?.member.inspect.state?.configuration.sealedAt ?? 0;
    expect(world.process(node).stored?.index).toBeLessThan(stop);
    const { member } = world.restartWithMemory(node);
    expect(member.inspect.log?.valueAt(stop)).toBeDefined();
    // Whoever asks is told of it, though it votes for nobody any more.
    const { node: asker, incarnation, run, member: other } = world.process('e');
    const from = { node: asker, incarnation, run };
    const founding = other.inspect.record?.configuration.founding ?? '';
    const messages: MemberMessage[] = [{ type: 'fetch', from: stop, to: stop }];
    const frame = { founding, configuration: 1, from, messages };
    const { send } = member.step({ type: 'frame', frame, at: world.at(world.process(node)) });
    expect(send.flatMap(({ message }) => (message.type === 'chosen' ? message.values : []))).toHaveLength(1);
    world.until('it stands by', () => standsBy(world, node));
    for (const { member: other } of world.living) if (other.inspect.state) world.observer.checkHash(other.inspect);
  });
});

describe('a voter that stood by in the founding before this one (3 voters)', () => {
  it('takes the snapshots of this one', () => {
    const world = founded();
    const [one, two] = followers(world);
    const node = one?.node ?? '';
    const leader = world.leader()?.node ?? '';
    const { member } = world.restartEmpty(node);
    world.until('it knows the group, and has no seat', () => member.inspect.record !== null && member.inspect.replica === null);
    world.restartEmpty(two?.node ?? '');
    world.restartEmpty(leader);
    world.until('all have a session in the next founding', () => world.leader() !== undefined && world.everyoneHasASession());
    expect(world.process(node).member).toBe(member);
    expect(world.observer.logs.size).toBe(2);
    if (world.leader()?.node === node) world.pause(node, 3_000);
    const leads = (process: Process): boolean => process.member.status(world.at(process)).role === 'leader';
    world.until('another leads than it', () => world.living.some((process) => process.node !== node && leads(process)));
    world.isolate(node);
    traffic(world, 3 * logSlotsMax);
    world.heal();
    world.until('it has caught up', () => isCaughtUp(world, world.process(node)));
    expect(world.eventsOf('snapshotInstalled').map((event) => event.node)).toContain(node);
    sameStates(world);
  });
});

describe('a memory that lasts (3 voters)', () => {
  it('holds a snapshot and what followed it, in place of all slots, and brings its voter back', () => {
    const world = founded({ storedEverySlots: 30 });
    traffic(world, 3 * logSlotsMax);
    for (const { disk, stored } of world.livingVoters) {
      expect(stored?.index).toBeGreaterThan(80);
      expect(disk.length).toBeLessThan(4 * 45);
    }
    const [one] = followers(world);
    const node = one?.node ?? '';
    const applied = one?.member.inspect.state?.appliedIndex ?? 0;
    world.restartWithMemory(node);
    expect(world.process(node).member.inspect.state?.appliedIndex).toBeGreaterThan(applied - 10);
    world.until('it has caught up', () => isCaughtUp(world, world.process(node)));
    sameStates(world);
  });
});

describe('a state of 20 MB (3 voters)', () => {
  const value = 'x'.repeat(1_000);
  const perSlot = 250;

  /** As many locks in each slot as a client asks for in one turn. */
  function fill(world: World, slots: number): void {
    const client = world.process('d');
    const { member } = client;
    for (let slot = 0; slot < slots; slot += 1) {
      for (let lock = 0; lock < perSlot; lock += 1) {
        let asked: Operation | null = null;
        member.request((seq) => (asked = [lockOp.acquire, seq, `l/${slot}/${lock}`, 0, 0, value]));
        if (asked) world.observer.onRequest(client, member, member.session ?? 0, asked);
      }
      world.give(client, { type: 'flush', at: world.at(client) });
      world.run(50);
    }
  }

  it('is caught up with by chunks, under loss, while the leader changes', () => {
    const world = founded({ seed: 6, slotsKept: 5, logSlotsMax: 20 });
    const [away] = followers(world);
    const node = away?.node ?? '';
    world.kill(node);
    fill(world, 80);
    world.network.loss = 0.1;
    const chunks = count(world, 'snapshotChunk');
    world.restartWithMemory(node);
    world.until('some chunks were sent', () => chunks() > 40);
    const leader = world.leader();
    world.pause(leader?.node ?? '', 3_000);
    world.until('another leads', () => world.leader() !== undefined && world.leader() !== leader);
    world.until('it has caught up', () => isCaughtUp(world, world.process(node)));
    const installed = world.eventsOf('snapshotInstalled').filter((event) => event.node === node);
    expect(installed.length).toBeGreaterThan(0);
    const state = world.process(node).member.inspect.state;
    expect(JSON.stringify(state?.snapshot().locks).length).toBeGreaterThan(20_000_000);
    sameStates(world);
  });
});

describe('a standby that comes when the first slots are gone (3 voters)', () => {
  it('is given its seat from a snapshot', () => {
    const world = founded({ slotsKept: 5 });
    traffic(world, 3 * logSlotsMax);
    const [one] = followers(world);
    world.restartEmpty(one?.node ?? '');
    world.until('it votes again', () => world.eventsOf('seatRegained').length > 0);
    const { member } = world.process(one?.node ?? '');
    expect(world.eventsOf('snapshotInstalled').map(({ node }) => node)).toEqual([one?.node]);
    expect(member.inspect.log?.floor).toBeGreaterThan(0);
    traffic(world, 5, 'after');
    sameStates(world);
  });
});
