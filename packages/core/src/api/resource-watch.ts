/** The state of one lock or election as the group last told it, shared by everybody in this process who looks at it. */
import { BehaviorSubject, Observable } from 'rxjs';
import type { Observer } from 'rxjs';
import type { LockState } from '../lock/command.ts';
import { isPartitionsState } from '../operation.ts';
import type { Instance } from './instance.ts';
import { Interest } from './interest.ts';
import { errorAfterPause } from './refusal.ts';

/** `null` where the state is not known: before the first answer, and while there is no session to be told under. */
export class ResourceWatch {
  readonly states = new BehaviorSubject<LockState | null>(null);
  readonly interest: Interest;
  readonly #stop: () => void;

  constructor(
    private readonly instance: Instance,
    private readonly resource: string,
  ) {
    this.interest = new Interest(instance.engine.host, () => this.end());
    this.#stop = instance.engine.watch(resource, (state) => {
      if (!isPartitionsState(state)) this.states.next(state);
    });
  }

  /** The session is over: what was known may be old. */
  forget(): void {
    if (this.states.value !== null) this.states.next(null);
  }

  /** Nobody is told anything more. */
  end(): void {
    this.interest.end();
    if (this.instance.watches.get(this.resource) === this) this.instance.watches.delete(this.resource);
    this.#stop();
    this.states.complete();
  }
}

function watchOf(instance: Instance, resource: string): ResourceWatch {
  let watch = instance.watches.get(resource);
  if (watch === undefined) {
    watch = new ResourceWatch(instance, resource);
    instance.watches.set(resource, watch);
  }
  return watch;
}

/**
 * Tells the state now and at each change, `null` for unknown, until the function it returns is called. Throws LIMIT_REACHED where the
 * process watches as many resources as it may.
 */
export function watchResource(instance: Instance, resource: string, observer: Partial<Observer<LockState | null>>): () => void {
  const watch = watchOf(instance, resource);
  watch.interest.use();
  const subscription = watch.states.subscribe(observer);
  return () => {
    subscription.unsubscribe();
    watch.interest.leave();
  };
}

/** The same as a stream, which asks the group while there are subscribers; what would be thrown is an error a second later. */
export function resourceStates(instance: Instance, resource: string): Observable<LockState | null> {
  return new Observable((subscriber) => {
    if (instance.isClosed) return subscriber.complete();
    try {
      return watchResource(instance, resource, subscriber);
    } catch (error) {
      return errorAfterPause(instance, subscriber, error);
    }
  });
}

/** What is known now; the first question starts the asking. Throws as `watchResource` does. */
export function presentState(instance: Instance, resource: string): LockState | null {
  if (instance.isClosed) return null;
  const watch = watchOf(instance, resource);
  watch.interest.look();
  return watch.states.value;
}
