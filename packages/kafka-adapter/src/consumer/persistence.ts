/** Asking again what brokers cannot answer for the moment: while coordinators and leaders move, and while a broker is away. */
import { backOffMs, pause } from '../back-off.ts';
import type { FailureKind, KafkaFailure } from '../failure.ts';
import { failureOf } from '../kafkajs-failure.ts';

const retry = { firstMs: 25, longestMs: 1_000 };
const loadedWithinMs = 20_000;
const passingKinds: readonly FailureKind[] = ['connection', 'leader', 'coordinator', 'missing'];

export function isPassing(error: unknown): boolean {
  return passingKinds.includes(failureOf(error).kind);
}

/** Where a coordinator loads and a new topic finds its leader, the answer is seconds away; everything else is told at once. */
export async function whileLoading<T>(work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + loadedWithinMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const { kind } = failureOf(error);
      if ((kind !== 'coordinator' && kind !== 'leader') || performance.now() > deadlineMs) throw error;
      await pause(backOffMs(attempt, retry), new AbortController().signal);
    }
  }
}

/** Undefined once the signal fires; rejects with what does not pass. */
export async function persist<T>(
  work: () => Promise<T>,
  { signal, onFailure }: { readonly signal: AbortSignal; readonly onFailure: (failure: KafkaFailure) => void },
): Promise<T | undefined> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (attempt > 0) onFailure(failureOf(error));
      await pause(backOffMs(attempt, retry), signal);
    }
  }
  return undefined;
}
