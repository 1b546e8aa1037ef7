/** What a member does while it writes a snapshot. `docs/protocol.md`, "Snapshots". */
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
});
