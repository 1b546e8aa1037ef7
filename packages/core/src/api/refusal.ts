/** A refusal, told late: who asks again at once, as `retry()` does, would leave nobody else a turn, and nothing could get better. */
import type { Subscriber } from 'rxjs';
import type { Host } from '../time/host.ts';
import type { Instance } from './instance.ts';

/** How long after a refusal, such as a full queue, it is asked again, in milliseconds. */
export const refusalPauseMs = 1_000;

/** The stream ends after the pause, unless it is unsubscribed before. Called again, the first end is the one. */
export function endAfterPause<T>(host: Host, subscriber: Subscriber<T>, end: () => void): void {
  if (subscriber.closed) return;
  const timer = host.startTimer(end, refusalPauseMs);
  subscriber.add(() => host.stopTimer(timer));
}

/** The error of a stream of an instance, after the pause; where the instance closes meanwhile, the stream completes. */
export function errorAfterPause<T>(instance: Instance, subscriber: Subscriber<T>, error: unknown): void {
  endAfterPause(instance.engine.host, subscriber, () => {
    if (instance.isClosing) subscriber.complete();
    else subscriber.error(error);
  });
}
