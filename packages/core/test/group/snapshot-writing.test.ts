/** What a member does while it writes a snapshot. `docs/protocol.md`, "Snapshots". */
import type { MemberMessage } from '../../src/group/member-message.ts';
import { lockOp } from '../../src/lock/command.ts';
import { count, followers, founded, isCaughtUp, logSlotsMax, sameStates, traffic } from './lagging.ts';

describe('while a snapshot is written', () => {
  it('its member votes and applies nothing, and then applies what waited', () => {
    const world = founded({ batchBytesMax: 600 });
    const [away, writer] = followers(world);
    world.isolate(away?.node ?? '');
    traffic(world, 3 * logSlotsMax);
    world.heal();
    const offers = count(world, 'snapshotOffer');
    world.until('a snapshot is being written', () => offers() > 0);
    world.request('d', (seq) => [lockOp.acquire, seq, 'l/meanwhile', 0, 0, null]);
    const state = writer?.member.inspect.state;
    world.until('it voted for what it does not apply', () => (writer?.member.inspect.log?.chosenIndex ?? 0) > (state?.appliedIndex ?? 0));
    world.until('it has applied all', () => writer !== undefined && isCaughtUp(world, writer));
    world.until('the other has caught up', () => away !== undefined && isCaughtUp(world, away));
    sameStates(world);
  });

  it('its store is given all that was chosen meanwhile (1 voter, asked by itself and restarted)', () => {
    const world = founded({ voters: ['a'], batchBytesMax: 600, storedEverySlots: 30 });
    traffic(world, 2 * logSlotsMax);
    const stored = world.process('a').stored?.index ?? 0;
    for (let lock = 0; (world.process('a').stored?.index ?? 0) === stored; lock += 1)
      world.request('a', (seq) => [lockOp.acquire, seq, `l/meanwhile ${lock}`, 0, 0, null]);
    const { state } = world.process('a').member.inspect;
    const before = state?.appliedIndex ?? 0;
    expect(before).toBeGreaterThan(world.process('a').stored?.index ?? 0);
    world.restartWithMemory('a');
    // The observer sees every slot that is applied again.
    world.until('it has applied as much as before', () => (world.process('a').member.inspect.state?.appliedIndex ?? 0) > before);
  });

  it('its store is given all that was chosen meanwhile, also where that comes at once with the question (3 voters)', () => {
    const world = founded({ storedEverySlots: 1_000 });
    const leader = world.leader()!;
    const [writer] = followers(world);
    const late: MemberMessage[] = [];
    world.network.swallows = (message, { from, to }) => {
      const isLate = from === leader.node && to === writer?.node;
      if (isLate) late.push(message);
      return isLate;
    };
    traffic(world, 2 * logSlotsMax);
    world.heal();
    const { state, log, record } = writer!.member.inspect;
    const before = state?.appliedIndex ?? 0;
    const { founding = '', id = 0 } = record?.configuration ?? {};
    const from = { node: leader.node, incarnation: leader.incarnation, run: leader.run };
    const messages: MemberMessage[] = [{ type: 'fetchSnapshot', hash: '', chunk: 0, above: 0 }, ...late];
    world.give(writer!, { type: 'frame', frame: { founding, configuration: id, from, messages }, at: world.at(writer!) });
    expect(writer!.stored?.index).toBe(before);
    expect(log?.floor).toBeLessThanOrEqual(before);
    expect(log?.chosenIndex).toBeGreaterThan(before + logSlotsMax);
    world.until('it has applied all', () => isCaughtUp(world, writer!));
    sameStates(world);
  });
});
