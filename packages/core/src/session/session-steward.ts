/**
 * The leader's side of sessions: who is alive, who watches what, and what a leader may answer. The safety rules 5, 6, 7 and 9;
 * `docs/protocol.md`, "What a leader may answer".
 */
import type { Entry, SessionKey } from './command.ts';
import { entryKind } from './command.ts';
import type { KeepAlive, SessionMessage, Watch } from './message.ts';

/** What the steward reads of the replicated state. */
export interface SessionView<Result, State> {
  sessions(): Iterable<{ readonly key: SessionKey; readonly node: string; readonly ttlMs: number }>;
  session(key: SessionKey): { readonly key: SessionKey; readonly node: string; readonly ttlMs: number } | undefined;
  isEnded(key: SessionKey): boolean;
  lookup(key: SessionKey, seq: number): 'unknown' | 'pending' | Result;
  /** Everything there is to tell `node` of a resource. */
  statesOf(resource: string, node: string): readonly State[];
  /** The tokens that a keep-alive of the session covers, rising. */
  coveredTokens(key: SessionKey): readonly number[];
}

export interface StewardSend<Op, Result, State> {
  readonly node: string;
  readonly message: SessionMessage<Op, Result, State>;
}

interface WatchList {
  readonly session: SessionKey;
  readonly version: number;
  readonly resources: ReadonlySet<string>;
  index: number;
}

/**
 * 1. It answers only between `begun` (its own `begin` is applied) and `ended`, and only while `mayAnswer` (leader lease or quorum round).
 * 2. From the moment it proposes the end of a session it answers nothing for that session.
 * 3. Every session has its full TTL from `begun`, and again whenever the leader's lease had lapsed.
 */
export class SessionSteward<Op, Result, State> {
  private readonly deadlines = new Map<SessionKey, number>();
  private readonly ending = new Set<SessionKey>();
  private readonly watches = new Map<string, WatchList>();
  private readonly watchersOf = new Map<string, Set<string>>();
  private ledBefore = true;

  constructor(
    private readonly view: SessionView<Result, State>,
    /** Names the ballot that this steward serves in. */
    private readonly stamp: string,
    nowMs: number,
    /** A leader whose newest quorum round is older has lapsed: it cannot know whom others heard since. */
    private readonly lapsedAfterMs: number,
    /** Cuts states into what a frame has room for. */
    private readonly cut: (states: readonly State[]) => readonly (readonly State[])[],
    /** False from the moment this leader decided to cover the token no more, whether or not that is applied. */
    private readonly covers: (token: number) => boolean,
  ) {
    this.renewAll(nowMs);
  }

  /**
   * Ends of sessions that were silent for their TTL on the monotonic clock. `authorityMs` is the time up to which this leader knows
   * that it led: now under a held lease, else when the newest heartbeat that a majority answered was sent.
   */
  expire(nowMs: number, authorityMs: number): Entry<Op>[] {
    const ledUntilNow = authorityMs >= nowMs - this.lapsedAfterMs;
    if (ledUntilNow && !this.ledBefore) this.renewAll(nowMs);
    this.ledBefore = ledUntilNow;
    const entries: Entry<Op>[] = [];
    for (const [session, deadlineMs] of this.deadlines) {
      if (Math.min(nowMs, authorityMs) < deadlineMs) continue;
      this.deadlines.delete(session);
      this.beginEnding(session);
      entries.push([entryKind.expire, session, this.stamp]);
    }
    return entries;
  }

  /** From now on nothing that extends the session is answered. */
  beginEnding(session: SessionKey): void {
    // What asks for it again must not put its end off.
    if (this.ending.has(session)) return;
    this.ending.add(session);
    this.deadlines.delete(session);
  }

  /**
   * An open that was to end the session was refused instead: its holder has given it up, so it is still not answered, but it lives in
   * the table and must run out like any other.
   */
  livesOn(session: SessionKey, ttlMs: number, nowMs: number): void {
    if (this.ending.has(session) && !this.deadlines.has(session)) this.deadlines.set(session, nowMs + ttlMs);
  }

  opened(session: SessionKey, ttlMs: number, nowMs: number): void {
    this.deadlines.set(session, nowMs + ttlMs);
  }

  ended(session: SessionKey, node: string): void {
    this.deadlines.delete(session);
    this.ending.delete(session);
    this.unwatch(node);
  }

  /** How long the session may last without another keep-alive. */
  remainingMs(session: SessionKey, nowMs: number): number {
    return Math.max(0, (this.deadlines.get(session) ?? nowMs) - nowMs);
  }

  /**
   * The answer to a keep-alive from `node`, or null where none may be given. `arrivedMs` is when it arrived: an answer given later,
   * after a quorum round, extends the session from there.
   */
  onKeepAlive(node: string, message: KeepAlive, arrivedMs: number): SessionMessage<Op, Result, State> | null {
    const { session: key, id } = message;
    const session = this.view.session(key);
    if (!session) return this.view.isEnded(key) ? { type: 'sessionEnded', session: key } : null;
    if (session.node !== node || this.ending.has(key)) return null;
    this.deadlines.set(key, Math.max(this.deadlines.get(key) ?? 0, arrivedMs + session.ttlMs));
    const results: Result[] = [];
    const unknown: number[] = [];
    for (const seq of new Set(message.pending)) {
      const found = this.view.lookup(key, seq);
      if (found === 'unknown') unknown.push(seq);
      else if (found !== 'pending') results.push(found);
    }
    const covered = this.view.coveredTokens(key).filter(this.covers);
    return { type: 'keptAlive', session: key, id, results, unknown, covered, rewatch: this.missedUpdates(node, message) };
  }

  /** A list that comes twice is not counted from 1 again: its holder would take what is told anew for what it has. */
  onWatch(node: string, { session, version, resources }: Watch): StewardSend<Op, Result, State>[] {
    const known = this.watches.get(node);
    if (this.view.session(session)?.node !== node || (known?.session === session && version <= known.version)) return [];
    this.unwatch(node);
    const list: WatchList = { session, version, resources: new Set(resources), index: 0 };
    this.watches.set(node, list);
    for (const resource of list.resources) {
      const nodes = this.watchersOf.get(resource) ?? new Set<string>();
      this.watchersOf.set(resource, nodes.add(node));
    }
    // Each once, however often it is named: a few bytes of a name ask for kilobytes of a state.
    const states = Array.from(list.resources, (resource) => this.view.statesOf(resource, node));
    return this.tell(node, list, states.flat());
  }

  /** Tells watchers what changed, as `statesOf` says it to each; after application only. */
  changed(resources: Iterable<string>, statesOf: (resource: string, node: string) => readonly State[]): StewardSend<Op, Result, State>[] {
    const byNode = new Map<string, State[]>();
    for (const resource of resources) {
      const nodes = this.watchersOf.get(resource);
      if (!nodes) continue;
      for (const node of nodes) {
        const news = statesOf(resource, node);
        if (news.length === 0) continue;
        const states = byNode.get(node) ?? [];
        byNode.set(node, states);
        states.push(...news);
      }
    }
    return [...byNode].flatMap(([node, states]) => {
      const list = this.watches.get(node);
      return list ? this.tell(node, list, states) : [];
    });
  }

  /** An empty list is answered too: the holder counts its updates from there. */
  private tell(node: string, list: WatchList, states: readonly State[]): StewardSend<Op, Result, State>[] {
    const runs = states.length === 0 ? [states] : this.cut(states);
    return runs.map((some) => {
      list.index += 1;
      return { node, message: { type: 'watched', version: list.version, index: list.index, states: some } };
    });
  }

  private unwatch(node: string): void {
    for (const resource of this.watches.get(node)?.resources ?? []) {
      const nodes = this.watchersOf.get(resource);
      nodes?.delete(node);
      if (nodes?.size === 0) this.watchersOf.delete(resource);
    }
    this.watches.delete(node);
  }

  get hasWatchers(): boolean {
    return this.watches.size > 0;
  }

  private renewAll(nowMs: number): void {
    for (const { key, ttlMs } of this.view.sessions()) {
      if (!this.ending.has(key) || this.deadlines.has(key)) this.deadlines.set(key, nowMs + ttlMs);
    }
  }

  private missedUpdates(node: string, { watchVersion, watchedIndex }: KeepAlive): boolean {
    const list = this.watches.get(node);
    if (watchVersion === 0) return false;
    return !list || list.version !== watchVersion || list.index !== watchedIndex;
  }
}
