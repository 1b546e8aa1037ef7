/** What a store holds beside a snapshot, whatever else came in the same turn; and how long a log is kept for one. The safety rules 2 and 21. */
import { keptRecords } from '../../src/group/kept-records.ts';
import type { MemberOutput } from '../../src/group/member.ts';
import type { MemberFrame, MemberMessage } from '../../src/group/member-message.ts';
import { followers, founded, isCaughtUp, logLength, logSlotsMax, traffic } from './lagging.ts';
import { worldTiming } from './world.ts';
import type { Process, World } from './world.ts';

type Values = Extract<MemberMessage, { type: 'chosen' }>['values'];

function frameOf({ node, incarnation, run, member }: Process, ...messages: readonly MemberMessage[]): MemberFrame {
  const { founding, id } = member.inspect.record?.configuration ?? { founding: '', id: 0 };
  return { founding, configuration: id, from: { node, incarnation, run }, messages };
}

/** `node` lags and asks for a snapshot: the chunk that is on its way to it, after which it hears nothing. */
function chunkOnItsWay(world: World, node: string): { readonly chunk: MemberMessage; readonly server: Process; readonly index: number } {
  world.isolate(node);
  traffic(world, 3 * logSlotsMax);
  world.heal();
  let held: { readonly chunk: MemberMessage; readonly server: Process; readonly index: number } | undefined;
  world.network.swallows = (message, { from, to }) => {
    if (to !== node) return false;
    const server = world.process(from);
    if (message.type === 'snapshotChunk') held ??= { chunk: message, server, index: server.member.inspect.log?.keepAbove ?? 0 };
    return held !== undefined;
  };
  world.until('the chunk is on its way', () => held !== undefined);
  traffic(world, 20, 'more');
  world.network.swallows = () => false;
  if (!held) throw new Error('no chunk was sent');
  return held;
}

/** What the server says was chosen in so many slots above its snapshot. */
function chosenAbove({ member }: Process, index: number, count: number): MemberMessage {
  const { log } = member.inspect;
  const values: Values = Array.from({ length: count }, (_, at) => log?.valueAt(index + 1 + at) ?? null);
  return { type: 'chosen', from: index + 1, values, chosenIndex: log?.chosenIndex ?? 0, floor: log?.floor ?? 0 };
}

function replace(world: World, node: string, by: string): void {
  const client = world.process('d');
  world.give(client, { type: 'order', id: 1, order: { type: 'replace', node, by }, at: world.at(client) });
}

describe('a member that learns slots in the turn in which it takes a snapshot up', () => {
  it('has them in its store, also as a standby, and so in the seat that it is given (1 voter by count, 1 standby, restarted)', () => {
    const world = founded({ count: 1, standbys: ['a', 'e'], storedEverySlots: 1_000 });
    const voter = world.leader()?.node ?? '';
    const node = voter === 'a' ? 'e' : 'a';
    const { chunk, server, index } = chunkOnItsWay(world, node);
    const standby = world.process(node);
    world.give(standby, { type: 'frame', frame: frameOf(server, chunk, chosenAbove(server, index, 8)), at: world.at(standby) });
    expect(standby.stored?.index).toBe(index);
    world.until('it has caught up', () => isCaughtUp(world, standby));
    replace(world, voter, node);
    world.until('it has the seat', () => standby.member.inspect.replica !== null);
    world.kill(voter);
    const restarted = world.restartWithMemory(node);
    // The observer sees what it fills its log with.
    world.until('it leads', () => world.leader() === restarted, 20_000);
    expect(restarted.member.inspect.log?.valueAt(index + 1)).toEqual(server.member.inspect.log?.valueAt(index + 1));
  });

  it('forgets none of them, whatever all others have applied, also where it is of a later configuration (3 voters, 1 standby)', () => {
    const world = founded({ standbys: ['e'], storedEverySlots: 1_000 });
    const [away, other] = followers(world);
    const node = away?.node ?? '';
    world.isolate(node);
    replace(world, other?.node ?? '', 'e');
    world.until('the other votes', () => world.eventsOf('seatRegained').length > 0);
    const { chunk, server, index } = chunkOnItsWay(world, node);
    const leader = world.leader()!;
    const { member } = world.process(node);
    expect(member.inspect.record?.configuration.id).toBe(1);
    const { ballot } = leader.member.inspect.replica!.leading!;
    const chosenIndex = leader.member.inspect.log?.chosenIndex ?? 0;
    const heartbeat = { type: 'heartbeat', ballot, id: 10_000, chosenIndex, leaseMs: 100, connected: [], compactTo: index + 5 } as const;
    const at = world.at(world.process(node));
    const frames = [frameOf(server, chunk), frameOf(server, chosenAbove(server, index, 8)), frameOf(leader, heartbeat)];
    // All in one turn, as a loop takes them that was busy for a while.
    const outputs: MemberOutput[] = frames.map((frame) => member.step({ type: 'frame', frame, at }));
    outputs.push(member.step({ type: 'flush', at }));
    const installed = outputs.find((output) => output.installed)?.installed;
    expect(installed?.index).toBe(index);
    expect(member.inspect.log?.floor).toBe(index);
    const kept = keptRecords(member.inspect, installed!).flatMap((record) => ('slot' in record ? [record.slot] : []));
    expect(kept).toEqual(Array.from({ length: 8 }, (_, slot) => index + 1 + slot));
  });
});

describe('a snapshot that is asked for again and again by one that never gets it', () => {
  it('is kept at the price of no more than the log may have, and stores go on being given others (3 voters, 1 standby)', () => {
    const world = founded({ standbys: ['e'], storedEverySlots: 30 });
    world.isolate('e');
    traffic(world, 3 * logSlotsMax);
    world.heal();
    world.network.swallows = ({ type }, { to }) => to === 'e' && type === 'snapshotChunk';
    const storedAt = (): number => Math.min(...world.livingVoters.map(({ stored }) => stored?.index ?? 0));
    const before = storedAt();
    for (let round = 0; round < 5; round += 1) {
      traffic(world, 2 * logSlotsMax, `round ${round} `);
      world.run(2 * worldTiming.heartbeatMs);
      for (const voter of world.livingVoters) expect(logLength(voter)).toBeLessThan(4 * logSlotsMax);
    }
    expect(storedAt()).toBeGreaterThan(before + 4 * logSlotsMax);
  });
});
