/** What a holder watches: the list that it last asked for, and how far it has received what the leader tells of it. */
import type { SessionKey } from './command.ts';
import type { Watch, Watched } from './message.ts';

export interface HolderWatchSnapshot {
  readonly version: number;
  readonly index: number;
  readonly resources: readonly string[];
  readonly unsent: boolean;
}

/**
 * 1. Every list has a version of its own each time that it leaves; answers to another version count for nothing.
 * 2. Updates count up from the full answer, which is 1; one that is missed shows in the next keep-alive. None is taken twice.
 */
export class HolderWatch {
  private version = 0;
  private index = 0;
  private resources: readonly string[] = [];
  private unsent = false;

  /** The list is to leave once more: its leader may not know it. */
  get isUnsent(): boolean {
    return this.unsent;
  }

  replace(resources: readonly string[]): void {
    this.resources = resources;
    this.version += 1;
    this.index = 0;
  }

  /** A session begins, whose leader knows of no list. */
  begin(): void {
    this.version += 1;
    this.repeat();
  }

  repeat(): void {
    this.unsent = this.resources.length > 0;
  }

  /** The list as it leaves; whatever was received is told again from the full answer on. */
  message(session: SessionKey): Watch {
    this.unsent = false;
    this.version += 1;
    this.index = 0;
    return { type: 'watch', session, version: this.version, resources: this.resources };
  }

  /** What a keep-alive says of it: nothing, where the list is about to leave anyway. */
  progress(): { readonly watchVersion: number; readonly watchedIndex: number } {
    return { watchVersion: this.resources.length > 0 && !this.unsent ? this.version : 0, watchedIndex: this.index };
  }

  /** The states that are news: none of another list or of an earlier sending, none twice, none behind a gap. */
  take<State>({ version, index, states }: Watched<State>): readonly State[] {
    if (version !== this.version || index !== this.index + 1) return [];
    this.index = index;
    return states;
  }

  snapshot(): HolderWatchSnapshot {
    const { version, index, resources, unsent } = this;
    return { version, index, resources, unsent };
  }

  restore({ version, index, resources, unsent }: HolderWatchSnapshot): void {
    this.version = version;
    this.index = index;
    this.resources = resources;
    this.unsent = unsent;
  }
}
