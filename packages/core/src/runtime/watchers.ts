/** Who in this process watches which resource, and the last state that came of each. */
import { isPartitionsState } from '../operation.ts';
import type { WatchedState } from '../operation.ts';

type Listener = (state: WatchedState) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  state?: WatchedState;
}

export class Watchers {
  private readonly watched = new Map<string, Watched>();
  private changed = false;

  constructor(private readonly onChange: () => void) {}

  /** Calls the listener now, if a state is known, and at each change, until the function it returns is called. */
  add(resource: string, listener: Listener): () => void {
    const watched = this.watched.get(resource) ?? this.begin(resource);
    watched.listeners.add(listener);
    if (watched.state) listener(watched.state);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0 || this.watched.get(resource) !== watched) return;
      this.watched.delete(resource);
      this.note();
    };
  }

  /** The whole list, if it changed since the last call. */
  takeChanged(): readonly string[] | null {
    if (!this.changed) return null;
    this.changed = false;
    return [...this.watched.keys()];
  }

  onState(state: WatchedState): void {
    const watched = this.watched.get(state.resource);
    if (!watched) return;
    // What adds to earlier states is nothing by itself; whoever watches it keeps the whole.
    if (!isPartitionsState(state)) watched.state = state;
    for (const listener of watched.listeners) listener(state);
  }

  /** What was known may be stale: a later listener waits for news. */
  forget(): void {
    for (const watched of this.watched.values()) delete watched.state;
  }

  /** A new member knows nothing of what is watched. */
  askAgain(): void {
    this.changed = this.watched.size > 0;
  }

  private begin(resource: string): Watched {
    const watched: Watched = { listeners: new Set() };
    this.watched.set(resource, watched);
    this.note();
    return watched;
  }

  private note(): void {
    this.changed = true;
    this.onChange();
  }
}
