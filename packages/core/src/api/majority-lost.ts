/** What callers are told where a majority of the group is lost for good. */
import { QuorateError } from '../errors.ts';
import type { EngineStatus } from '../runtime/engine.ts';

/** Null while a majority may yet come back. `what`: what did not happen therefore. */
export function majorityLostError({ majorityLost, configuration }: EngineStatus, what: string): QuorateError | null {
  if (!majorityLost) return null;
  const { lost, told } = majorityLost;
  const details = { lost, told, configuration };
  return new QuorateError('MAJORITY_LOST', `${what}: ${majorityLostText(majorityLost)}.`, { details });
}

export function majorityLostText({ lost, told }: NonNullable<EngineStatus['majorityLost']>): string {
  return told === null ? `${lost.join(', ')} came back without memory` : `${told} knows the group and says that its majority is lost`;
}
