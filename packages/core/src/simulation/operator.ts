/** Somebody who changes who votes and who leads, at random, from whichever process: every outcome that is promised may come, and no other. */
import type { Quorate } from '../api/quorate.ts';
import { isQuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import { pick } from './circumstances.ts';
import type { StandbyPlan } from './standby-plan.ts';
import type { SimulatedProcess, World } from './world.ts';

/** What the calls may end with while things go wrong. */
const expectedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CHANGE_UNDER_WAY',
  'CLOSED',
  'NOT_A_VOTER',
  'NOT_CAUGHT_UP',
  'NOT_HEARD',
  'NO_QUORUM',
  'MAJORITY_LOST',
  'QUORUM_AT_RISK',
  'SEAT_IN_USE',
  'STORAGE_FAILED',
  'TOO_FEW_NAMED_VOTERS',
]);

/** The operator of one process, until peace comes. One in three processes has one, so that their orders meet. */
export async function operate(world: World, plan: StandbyPlan, process: SimulatedProcess, quorate: Quorate): Promise<void> {
  const { ordersEveryMs } = plan;
  const { seed, voters } = world.circumstances;
  const random = seededRandom(seed * 48_271 + process.number * 17);
  if (ordersEveryMs === null || random.below(3) > 0) return;
  const nodes = [...voters, ...plan.nodes];
  const isOver = (): boolean => world.isPeace || world.leaving.has(process.node);
  while (!isOver()) {
    await world.sleep(process, ordersEveryMs * (0.2 + 1.6 * random.next()));
    if (isOver()) return;
    const [what, order] = drawOrder(random, nodes, quorate);
    process.underWay.add(what);
    world.tell(`${process.node} is asked to ${what}`);
    try {
      await order();
      world.marks.reach('voterOrderDone');
      world.tell(`${process.node} did ${what}`);
    } catch (error) {
      if (isQuorateError(error, 'TOO_FEW_NAMED_VOTERS')) world.marks.reach('outsidersRefused');
      if (isQuorateError(error, 'QUORUM_AT_RISK')) world.marks.reach('quorumKept');
      world.tell(`${process.node} did not ${what}: ${isQuorateError(error) ? error.code : String(error)}`);
      if (!isQuorateError(error) || !expectedCodes.has(error.code))
        world.fail('API contract', error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      process.underWay.delete(what);
    }
  }
}

/** Groups grow to five voters and shrink to three: fewer bear no loss. */
function drawOrder(random: Random, nodes: readonly string[], quorate: Quorate): readonly [string, () => Promise<void>] {
  const timeoutMs = pick(random, [300, 3_000]);
  const [node, other] = [pick(random, nodes), pick(random, nodes)];
  const count = quorate.members.voters.length;
  const choice = random.below(8);
  if (choice === 0) return [`hand the lead to ${node}`, () => quorate.transferLeadership(node, { timeoutMs })];
  if (choice < 3 && count < 5) return [`give ${node} a vote`, () => quorate.addVoter(node, { timeoutMs })];
  if (choice < 5 && count > 3) return [`take the vote of ${node}`, () => quorate.removeVoter(node, { timeoutMs })];
  return [`replace ${node} by ${other}`, () => quorate.replaceVoter(node, other, { timeoutMs })];
}
