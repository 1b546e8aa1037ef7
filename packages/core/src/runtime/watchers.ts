/** Who in this process watches which resource, and the last state that came of each. */
import { QuorateError } from '../errors.ts';
import { isPartitionsState } from '../operation.ts';
import type { WatchedState } from '../operation.ts';
import type { WatchChange } from '../session/holder-watch.ts';
import { watchedMax } from '../session/message.ts';

type Listener = (state: WatchedState) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  state?: WatchedState;
}

export class Watchers {
  private readonly watched = new Map<string, Watched>();
  private readonly added = new Set<string>();
  private readonly removed = new Set<string>();

  constructor(private readonly onChange: () => void) {}

  /**
   * Calls the listener now, if a state is known, and at each change, until the function it returns is called. Throws LIMIT_REACHED for
   * one resource more than a process may watch.
   */
  add(resource: string, listener: Listener): () => void {
    const watched = this.watched.get(resource) ?? this.begin(resource);
    watched.listeners.add(listener);
    if (watched.state) listener(watched.state);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0 || this.watched.get(resource) !== watched) return;
      this.watched.delete(resource);
      this.added.delete(resource);
      this.removed.add(resource);
      this.onChange();
    };
  }

  /** What changed since the last call, if anything did. What ended and began again is in both: whoever began it waits for its state. */
  takeChanged(): WatchChange | null {
    const { added, removed } = this;
    if (added.size === 0 && removed.size === 0) return null;
    const change = { added: [...added], removed: [...removed] };
    added.clear();
    removed.clear();
    return change;
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
    for (const resource of this.watched.keys()) this.added.add(resource);
  }

  private begin(resource: string): Watched {
    if (this.watched.size >= watchedMax) throw tooMany();
    const watched: Watched = { listeners: new Set() };
    this.watched.set(resource, watched);
    this.added.add(resource);
    this.onChange();
    return watched;
  }
}

function tooMany(): QuorateError {
  const happened = `This process watches ${watchedMax} resources already; one may watch no more.`;
  return new QuorateError('LIMIT_REACHED', happened, { details: { limit: 'watched resources' } });
}
