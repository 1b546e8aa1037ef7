/** A change of a set that an operator asks for: made under the present session or the next, within a deadline. */
import { QuorateError } from '../errors.ts';
import { partitionResult } from '../partition/command.ts';
import type { PartitionOp } from '../partition/command.ts';
import type { RequestOutcome } from '../runtime/engine.ts';
import { callTimeoutMsDefault } from './duration.ts';
import type { Instance } from './instance.ts';

/** Each change says the same however often it is made, so one that a lost session leaves in doubt is simply made again. */
export function change(instance: Instance, set: string, build: (seq: number) => PartitionOp): Promise<void> {
  return new Promise((resolve, reject) => {
    const { refusal } = instance;
    if (refusal) return reject(refusal);
    const { host } = instance.engine;
    let isAsked = false;
    const finish = (error: QuorateError | null): void => {
      if (!instance.waiting.delete(number)) return;
      host.stopTimer(timer);
      if (error) reject(error);
      else resolve();
    };
    const onOutcome = (outcome: RequestOutcome): void => {
      isAsked = false;
      if (outcome.type === 'result') finish(refusalIn(set, outcome.result[1]));
    };
    const ask = (): void => {
      const { session } = instance.engine;
      if (session === null || isAsked) return;
      isAsked = true;
      instance.request(session, build, onOutcome, finish);
    };
    const number = instance.enlist({ fail: finish, onSession: ask });
    const timer = host.startTimer(() => {
      finish(new QuorateError('NO_QUORUM', `The change of "${set}" was not confirmed within ${callTimeoutMsDefault} ms.`));
    }, callTimeoutMsDefault);
    ask();
  });
}

/** Why the group did not make the change, by the code of its answer; null where it did. */
export function refusalIn(set: string, code: number): QuorateError | null {
  switch (code) {
    case partitionResult.done:
      return null;
    case partitionResult.notHeld:
    case partitionResult.unknownSet:
      return new QuorateError('NOT_A_MEMBER', `Nobody of that name takes part in "${set}".`);
    case partitionResult.limit:
      return new QuorateError('LIMIT_REACHED', `The change of "${set}" is over a limit.`, { details: { limit: 'partitions' } });
    default:
      return new QuorateError('UNSUPPORTED', `The group refused to change "${set}".`);
  }
}
