/** What a change of a set would move, said before it is made. */
import { firstValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { QuorateError } from '../errors.ts';
import { planOf as movesBetween } from '../ring/assignment.ts';
import { callTimeoutMsDefault } from './duration.ts';
import type { Instance } from './instance.ts';
import type { Ownership, PlannedMove } from './partitions-contract.ts';
import type { PlannedStep } from './planned-change.ts';
import { Rehearsal } from './rehearsal.ts';

/** Throws what the calls that make the steps reject with. */
export function planOf(set: string, ownership: Ownership, steps: readonly PlannedStep[]): readonly PlannedMove[] {
  const rehearsal = new Rehearsal(set, ownership);
  for (const step of steps) rehearsal.take(step);
  // Where nobody is to have a partition, it goes from who has it still.
  const before = ownership.partitions.map(({ home, node }) => home ?? node);
  return movesBetween(before, rehearsal.homes());
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
