/** The state of one lock or election as the group last told it, shared by everybody in this process who looks at it. */
import { BehaviorSubject, Observable } from 'rxjs';
import type { LockState } from '../lock/command.ts';
import { isPartitionsState } from '../operation.ts';
import type { TimerHandle } from '../time/host.ts';
import type { Instance } from './instance.ts';

/** A watch that only `present` keeps alive ends when nobody has asked for this long. */
const idleMsMax = 60_000;

/** `null` where the state is not known: before the first answer, and while there is no session to be told under. */
export class ResourceWatch {
  readonly states = new BehaviorSubject<LockState | null>(null);
  #users = 0;
  #idle: TimerHandle | undefined;
  readonly #stop: () => void;

  constructor(
    private readonly instance: Instance,
    private readonly resource: string,
  ) {
    this.#stop = instance.engine.watch(resource, (state) => {
      if (!isPartitionsState(state)) this.states.next(state);
    });
  }

  use(): void {
    this.#users += 1;
    this.instance.engine.host.stopTimer(this.#idle);
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.end();
  }

  /** Keeps it for a while, without a user. */
  glance(): void {
    if (this.#users > 0) return;
    this.instance.engine.host.stopTimer(this.#idle);
    this.#idle = this.instance.engine.host.startIdleTimer(() => this.end(), idleMsMax);
  }

  /** The session is over: what was known may be old. */
  forget(): void {
    if (this.states.value !== null) this.states.next(null);
  }

  /** Nobody is told anything more. */
  end(): void {
    this.instance.engine.host.stopTimer(this.#idle);
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

/** The state now and at each change, `null` for unknown; the group is asked while there are subscribers. */
export function resourceStates(instance: Instance, resource: string): Observable<LockState | null> {
  return new Observable((subscriber) => {
    if (instance.isClosed) return subscriber.complete();
    const watch = watchOf(instance, resource);
    watch.use();
    const subscription = watch.states.subscribe(subscriber);
    return () => {
      subscription.unsubscribe();
      watch.leave();
    };
  });
}

/** What is known now; the first question starts the asking. */
export function presentState(instance: Instance, resource: string): LockState | null {
  if (instance.isClosed) return null;
  const watch = watchOf(instance, resource);
  watch.glance();
  return watch.states.value;
}
