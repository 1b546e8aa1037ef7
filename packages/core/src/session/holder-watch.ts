/** What a holder watches: which part of its list said each resource, and how far it has received what the leader tells of it. */
import type { SessionKey } from './command.ts';
import { rememberedBeats } from './holder-lease.ts';
import type { KeepAlive, Watch, Watched, WatchProgress } from './message.ts';
import { watchedMax } from './message.ts';
import { runsOf } from './runs.ts';

export interface HolderWatchOptions<State> {
  /** What one message has room for. */
  readonly partBytesMax: () => number;
  readonly resourceOf: (state: State) => string;
}

export interface HolderWatchSnapshot {
  readonly version: number;
  readonly part: number;
  readonly index: number;
  readonly heard: number;
  readonly again: number;
  readonly beats: readonly (readonly [id: number, said: WatchProgress])[];
  readonly resources: readonly (readonly [resource: string, part: number])[];
  readonly removed: readonly (readonly [resource: string, part: number])[];
  readonly unsent: boolean;
}

/** What changed of what is watched. What is in both is asked for anew: whoever watches it now knows nothing of it. */
export interface WatchChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * 1. Every whole list has a version of its own each time that it leaves; answers to another version count for nothing.
 * 2. Its parts count up from 1. Each says what changed since an earlier part, and counts only where that one has arrived.
 * 3. A state counts only if its leader had the newest part that asked for the resource: an earlier one may be older than the question.
 * 4. Updates count up, each from an earlier one that must have arrived; one that is missed shows in a keep-alive. None is taken twice.
 * 5. What a leader lacks is judged by what had left before the keep-alive that it answers: what is on its way is not lost.
 */
export class HolderWatch<State> {
  private version = 0;
  private part = 0;
  private index = 0;
  /** The newest keep-alive that was answered since the list left. */
  private heard = 0;
  /** The first part that said again what was lost: a keep-alive from before it knows nothing of what came of that. */
  private again = 0;
  /** What had left before each keep-alive without an answer; none for one that left before the list. */
  private beats = new Map<number, WatchProgress>();
  /** Each with the newest part that said it. */
  private resources = new Map<string, number>();
  /** What is watched no more, until the leader is known to have the part that said so. */
  private removed = new Map<string, number>();
  private unsent = false;

  constructor(private readonly options: HolderWatchOptions<State>) {}

  /** The whole list is to leave once more: its leader may not know it. */
  get isUnsent(): boolean {
    return this.unsent;
  }

  /** What is to be said of it now; nothing without a session, for the next one begins with the whole list. */
  change({ added, removed }: WatchChange, session: SessionKey | null): readonly Watch[] {
    const next = this.part + 1;
    for (const resource of removed) if (this.resources.delete(resource) && session !== null) this.removed.set(resource, next);
    for (const resource of added) {
      this.removed.delete(resource);
      this.resources.set(resource, next);
    }
    if (session === null) return [];
    // A leader that is silent for long need not hear of each, and what is noted for it has a bound.
    if (this.removed.size > watchedMax) this.repeat();
    return this.unsent ? this.whole(session) : this.partsOf(session, this.part, new Set([...removed, ...added]));
  }

  /** A session begins, whose leader knows of no list. */
  begin(): void {
    this.startOver();
    this.repeat();
  }

  repeat(): void {
    this.unsent = this.resources.size > 0 || this.part > 0;
  }

  /** The list as it leaves from its beginning; whatever was received is told again. */
  whole(session: SessionKey): readonly Watch[] {
    this.unsent = false;
    this.startOver();
    return this.partsOf(session, 0, new Set(this.resources.keys()));
  }

  /** What the keep-alive `id` says of it: nothing, where the list is about to leave anyway. */
  beat(id: number): Pick<KeepAlive, 'watchVersion' | 'watchedIndex' | 'watchHeard'> {
    const { version, part, index, heard } = this;
    if (part === 0 || this.unsent) return { watchVersion: 0, watchedIndex: index, watchHeard: 0 };
    this.beats.set(id, { version, part });
    this.beats.delete(id - rememberedBeats);
    return { watchVersion: version, watchedIndex: index, watchHeard: heard };
  }

  /** What the leader lacks of what had left before the keep-alive `id`, which it answers, and was not said again since. */
  answered(id: number, known: WatchProgress, session: SessionKey): readonly Watch[] {
    const said = this.beats.get(id);
    for (const earlier of this.beats.keys()) if (earlier <= id) this.beats.delete(earlier);
    if (said === undefined || said.version !== this.version || this.unsent) return [];
    this.heard = id;
    if (known.version !== this.version) return this.whole(session);
    for (const [resource, part] of this.removed) if (part <= known.part) this.removed.delete(resource);
    if (known.part >= said.part || said.part < this.again) return [];
    this.again = this.part + 1;
    // What is watched no more goes first: the leader has room for what takes its place.
    const since = [...this.removed, ...this.resources].filter(([, part]) => part > known.part);
    return this.partsOf(session, known.part, new Set(since.map(([resource]) => resource)));
  }

  /** The states that are news: none of another list, none twice, none behind a gap, none from before it was asked for. */
  take({ version, part, since, index, states }: Watched<State>): readonly State[] {
    if (version !== this.version || since > this.index || index <= this.index) return [];
    this.index = index;
    return states.filter((state) => (this.resources.get(this.options.resourceOf(state)) ?? Infinity) <= part);
  }

  snapshot(): HolderWatchSnapshot {
    const { version, part, index, heard, again, beats, resources, removed, unsent } = this;
    return { version, part, index, heard, again, beats: [...beats], resources: [...resources], removed: [...removed], unsent };
  }

  restore({ version, part, index, heard, again, beats, resources, removed, unsent }: HolderWatchSnapshot): void {
    this.version = version;
    this.part = part;
    this.index = index;
    this.heard = heard;
    this.again = again;
    this.beats = new Map(beats);
    this.resources = new Map(resources);
    this.removed = new Map(removed);
    this.unsent = unsent;
  }

  private startOver(): void {
    this.version += 1;
    this.part = 0;
    this.index = 0;
    this.heard = 0;
    this.again = 0;
    this.beats.clear();
    this.removed.clear();
  }

  /** A whole list has a part though it be empty: the leader may know one from before. */
  private partsOf(session: SessionKey, since: number, names: ReadonlySet<string>): readonly Watch[] {
    const runs = runsOf([...names], sizeOfName, this.options.partBytesMax());
    let before = since;
    return (runs.length === 0 && this.part === 0 ? [[]] : runs).map((run) => {
      const from = before;
      before = this.part += 1;
      return { type: 'watch', session, version: this.version, since: from, part: this.part, ...this.said(run) };
    });
  }

  private said(names: readonly string[]): WatchChange {
    const added: string[] = [];
    const removed: string[] = [];
    for (const name of names) {
      const isWatched = this.resources.has(name);
      (isWatched ? added : removed).push(name);
      (isWatched ? this.resources : this.removed).set(name, this.part);
    }
    return { added, removed };
  }
}

/** From above: a text takes at most three bytes for a UTF-16 unit. */
function sizeOfName(name: string): number {
  return 5 + 3 * name.length;
}
