/**
 * The leader's side of sessions: who is alive, who watches what, and what a leader may answer. The safety rules 5, 6, 7 and 9;
 * `docs/protocol.md`, "What a leader may answer".
 */
import type { Entry, SessionKey } from './command.ts';
import { entryKind } from './command.ts';
import { rememberedBeats } from './holder-lease.ts';
import type { KeepAlive, SessionMessage, Watch, WatchProgress } from './message.ts';
import { watchedMax } from './message.ts';

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
  /** Each with the newest update that told of it. */
  readonly resources: Map<string, number>;
  /** The newest update that was told before each answer to a keep-alive that the holder may not have yet. */
  readonly toldBefore: Map<number, number>;
  part: number;
  index: number;
  /** The first update that told again what was missed: an answer from before it knows nothing of what came of that. */
  again: number;
}

/** What is told of each resource. */
type News<State> = readonly (readonly [resource: string, states: readonly State[]])[];

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
    this.noteTold(this.watches.get(node), message);
    return { type: 'keptAlive', session: key, id, results, unknown, covered, watch: this.progressOf(node, message) };
  }

  /** A part that comes twice is not taken again: its holder would take what is told anew for what it has. */
  onWatch(node: string, message: Watch): StewardSend<Op, Result, State>[] {
    if (this.view.session(message.session)?.node !== node) return [];
    const list = this.listThatTakes(this.watches.get(node), message);
    // Each once, however often it is named: a few bytes of a name ask for kilobytes of a state.
    const added = new Set(message.added);
    if (list === null) return [];
    if (list !== this.watches.get(node)) this.unwatch(node);
    for (const resource of message.removed) this.remove(node, list, resource);
    const size = list.resources.size + [...added].filter((resource) => !list.resources.has(resource)).length;
    // Refused with all of the list, so that answers to keep-alives say that there is none: a holder that keeps the rules begins it anew.
    if (size > watchedMax) {
      this.unwatch(node);
      return [];
    }
    this.watches.set(node, list);
    list.part = message.part;
    for (const resource of added) {
      list.resources.set(resource, 0);
      const nodes = this.watchersOf.get(resource) ?? new Set<string>();
      this.watchersOf.set(resource, nodes.add(node));
    }
    return added.size === 0 ? [] : this.tell(node, list, this.allOf(node, added));
  }

  /**
   * All again of what the sender of a keep-alive has not received, if it missed any: what was told after the newest answer that it has
   * may be on its way. Only to who is answered at all.
   */
  onMissed(node: string, { watchVersion, watchedIndex, watchHeard }: KeepAlive): StewardSend<Op, Result, State>[] {
    const list = this.watches.get(node);
    if (list?.version !== watchVersion) return [];
    const told = list.toldBefore.get(watchHeard) ?? 0;
    if (watchedIndex >= told || told < list.again) return [];
    list.again = list.index + 1;
    const missed = [...list.resources].filter(([, index]) => index > watchedIndex).map(([resource]) => resource);
    return this.tell(node, list, this.allOf(node, missed), watchedIndex);
  }

  /** Tells watchers what changed, as `statesOf` says it to each; after application only. */
  changed(resources: Iterable<string>, statesOf: (resource: string, node: string) => readonly State[]): StewardSend<Op, Result, State>[] {
    const byNode = new Map<string, [string, readonly State[]][]>();
    for (const resource of resources) {
      const nodes = this.watchersOf.get(resource);
      if (!nodes) continue;
      for (const node of nodes) {
        const states = statesOf(resource, node);
        if (states.length === 0) continue;
        const news = byNode.get(node) ?? [];
        byNode.set(node, news);
        news.push([resource, states]);
      }
    }
    return [...byNode].flatMap(([node, news]) => {
      const list = this.watches.get(node);
      return list ? this.tell(node, list, news) : [];
    });
  }

  /** The list that a part belongs to: a new one, the one that it goes on, or null where it is late, doubled or behind a gap. */
  private listThatTakes(known: WatchList | undefined, { session, version, since, part }: Watch): WatchList | null {
    const isOfSession = known?.session === session;
    if (isOfSession && version === known.version) return since <= known.part && known.part < part ? known : null;
    if (since !== 0 || (isOfSession && version < known.version)) return null;
    return { session, version, resources: new Map(), toldBefore: new Map(), part: 0, index: 0, again: 0 };
  }

  private allOf(node: string, resources: Iterable<string>): News<State> {
    return Array.from(resources, (resource) => [resource, this.view.statesOf(resource, node)] as const);
  }

  /** An update without a state is told too: it closes a gap. The first follows upon `since`, and each other upon the one before. */
  private tell(node: string, list: WatchList, news: News<State>, since = list.index): StewardSend<Op, Result, State>[] {
    const states = news.flatMap(([, some]) => some);
    const owners = news.flatMap(([resource, some]) => some.map(() => resource));
    let before = since;
    let told = 0;
    return (states.length === 0 ? [states] : this.cut(states)).map((some) => {
      const from = before;
      before = list.index += 1;
      for (const resource of owners.slice(told, (told += some.length))) list.resources.set(resource, list.index);
      const { version, part, index } = list;
      return { node, message: { type: 'watched', version, part, since: from, index, states: some } };
    });
  }

  private unwatch(node: string): void {
    const list = this.watches.get(node);
    for (const resource of list?.resources.keys() ?? []) this.forget(node, resource);
    this.watches.delete(node);
  }

  /** What its holder has heard of needs no other answer than the newest that it has. */
  private noteTold(list: WatchList | undefined, { session, id, watchHeard }: KeepAlive): void {
    if (list?.session !== session) return;
    const { toldBefore, index } = list;
    for (const earlier of toldBefore.keys()) if (earlier < watchHeard) toldBefore.delete(earlier);
    // A keep-alive that comes twice is answered twice, and its holder may have either answer.
    if (!toldBefore.has(id)) toldBefore.set(id, index);
    const [oldest = id] = toldBefore.keys();
    if (toldBefore.size > rememberedBeats) toldBefore.delete(oldest);
  }

  private remove(node: string, list: WatchList, resource: string): void {
    if (list.resources.delete(resource)) this.forget(node, resource);
  }

  private forget(node: string, resource: string): void {
    const nodes = this.watchersOf.get(resource);
    nodes?.delete(node);
    if (nodes?.size === 0) this.watchersOf.delete(resource);
  }

  get hasWatchers(): boolean {
    return this.watches.size > 0;
  }

  private renewAll(nowMs: number): void {
    for (const { key, ttlMs } of this.view.sessions()) {
      if (!this.ending.has(key) || this.deadlines.has(key)) this.deadlines.set(key, nowMs + ttlMs);
    }
  }

  /** Nothing is known of a list of which more was told than from here: a copy of it came late, from a term of before. */
  private progressOf(node: string, { session, watchVersion, watchedIndex }: KeepAlive): WatchProgress {
    const list = this.watches.get(node);
    if (list?.session !== session || (list.version === watchVersion && watchedIndex > list.index)) return { version: 0, part: 0 };
    return { version: list.version, part: list.part };
  }
}
