/** What a change of members or size would move, said before it is made: the group's own assignment, asked without consequence. */
import { firstValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { QuorateError } from '../errors.ts';
import { assign, planOf as movesBetween } from '../ring/assignment.ts';
import { partitionsMax } from '../partition/command.ts';
import { callTimeoutMsDefault } from './duration.ts';
import type { Instance } from './instance.ts';
import { checkName } from './names.ts';
import { shown } from './shown.ts';
import type { Ownership, PartitionsChange, PlannedMove } from './partitions-contract.ts';

export function planOf(set: string, { count, partitions, members, pins }: Ownership, change: PartitionsChange): readonly PlannedMove[] {
  const leaving = new Set(change.leave);
  const planned = members
    .filter(({ node, weight }) => !leaving.has(node) && weight > 0)
    .map(({ node, weight, state }) => ({ name: node, weight, drained: state === 'drained' || state === 'excluded' }));
  for (const joining of change.join ?? []) {
    const { node, weight } = typeof joining === 'string' ? { node: joining, weight: 1 } : joining;
    planned.push({ name: checkName('node', node), weight, drained: false });
  }
  // As the group assigns: by the homes. Where nobody is to have a partition, it goes from who has it still.
  const homes = partitions.map(({ home }) => home);
  const next = assign({
    count: change.count === undefined ? count : checkCount(change.count),
    members: planned,
    current: homes,
    pins,
    set,
  });
  return movesBetween(
    partitions.map(({ home, node }) => home ?? node),
    next,
  );
}

export function checkCount(count: unknown): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= partitionsMax) return count;
  throw new QuorateError('INVALID_OPTIONS', `\`count\` is ${shown(count)}; it must be a whole number from 1 to ${partitionsMax}.`);
}

/** The first answer of the group, `NO_QUORUM` where none comes in 30 s, or the error of an instance that is closed. */
export async function firstOwnership(instance: Instance, ownership$: Observable<Ownership>): Promise<Ownership> {
  const { host } = instance.engine;
  if (instance.refusal) throw instance.refusal;
  let giveUp: (error: QuorateError) => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const timer = host.startTimer(() => {
    giveUp(new QuorateError('NO_QUORUM', `Who owns what was not learned within ${callTimeoutMsDefault} ms.`));
  }, callTimeoutMsDefault);
  try {
    const first = await Promise.race([firstValueFrom(ownership$, { defaultValue: null }), late]);
    if (first === null) throw instance.refusal ?? new QuorateError('CLOSED', 'This instance was closed before it learned who owns what.');
    return first;
  } finally {
    host.stopTimer(timer);
  }
}
