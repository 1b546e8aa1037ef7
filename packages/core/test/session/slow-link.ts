/** Holders and one leader over a link that takes its time, has a width and loses what a test says: what is told of a watch list, counted. */
import type { SessionMessage } from '../../src/session/message.ts';
import { runsOf } from '../../src/session/runs.ts';
import { SessionHolder } from '../../src/session/session-holder.ts';
import { SessionSteward } from '../../src/session/session-steward.ts';
import type { SessionView } from '../../src/session/session-steward.ts';

type Result = readonly [seq: number, final: boolean];
type Message = SessionMessage<string, Result, string>;
type Holder = SessionHolder<string, Result, string>;

export interface LinkOptions {
  readonly ttlMs: number;
  readonly oneWayMs: number;
  /** Default: as wide as one likes. */
  readonly bytesPerMs?: number;
  readonly holders: number;
  readonly resources: number;
  readonly stateBytes: number;
  readonly isLost?: (message: Message, nowMs: number) => boolean;
}

/** A tick a hundredth of a second, as a process has. */
const tickMs = 10;

/** A state is its resource and how often that changed. Nothing here is random, and no clock runs but its own. */
export class SlowLink {
  nowMs = 0;
  bytesTold = 0;
  lists = 0;
  sessionsLost = 0;
  readonly changes = new Map<string, number>();
  readonly known: readonly Map<string, number>[];
  private readonly names: readonly string[];
  private readonly sessions = new Map<number, { readonly key: number; readonly node: string; readonly ttlMs: number }>();
  private readonly steward: SessionSteward<string, Result, string>;
  private readonly holders: readonly Holder[];
  private readonly due = new Map<number, (() => void)[]>();
  private freeAtMs = 0;

  constructor(private readonly options: LinkOptions) {
    const { ttlMs, holders, resources, stateBytes } = options;
    const view: SessionView<Result, string> = {
      sessions: () => this.sessions.values(),
      session: (key) => this.sessions.get(key),
      isEnded: () => false,
      lookup: () => 'unknown',
      statesOf: (resource) => [this.stateOf(resource)],
      coveredTokens: () => [],
    };
    const cut = (states: readonly string[]): readonly (readonly string[])[] => runsOf(states, () => stateBytes, 262_144);
    this.steward = new SessionSteward(view, 's', 0, 500, cut, () => true);
    this.names = Array.from({ length: resources }, (_, index) => `e/${index}`);
    this.known = Array.from({ length: holders }, () => new Map<string, number>());
    this.holders = this.known.map((_, index) => {
      const partBytesMax = (): number => 262_144;
      const limits = { outstandingMax: 10, submitBytesMax: partBytesMax, sizeOfOp: () => 10 };
      const readers = {
        seqOf: ([seq]: Result) => seq,
        isInterim: ([, final]: Result) => !final,
        resourceOf: (state: string) => state.split(' ')[0]!,
      };
      return new SessionHolder<string, Result, string>({ ttlMs, resendMs: 500, instance: `n${index}`, ...limits, ...readers });
    });
    for (const [index, holder] of this.holders.entries()) {
      this.follow(index, holder.step({ type: 'open', at: this.at }));
      this.follow(index, holder.step({ type: 'watch', added: this.names, removed: [], at: this.at }));
    }
  }

  get everyState(): ReadonlyMap<string, number> {
    return new Map(this.names.map((name) => [name, this.changes.get(name) ?? 0]));
  }

  runUntil(endMs: number): void {
    for (; this.nowMs < endMs; this.nowMs += tickMs) {
      const arrived = this.due.get(this.nowMs) ?? [];
      this.due.delete(this.nowMs);
      for (const arrive of arrived) arrive();
      for (const [index, holder] of this.holders.entries()) {
        if (holder.nextDeadlineMs <= this.nowMs) this.follow(index, holder.step({ type: 'tick', at: this.at }));
      }
    }
  }

  change(resource: string): void {
    this.changes.set(resource, (this.changes.get(resource) ?? 0) + 1);
    for (const { node, message } of this.steward.changed([resource], () => [this.stateOf(resource)])) this.toHolder(node, message);
  }

  private get at(): { readonly monotonicMs: number; readonly wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: 1e12 + this.nowMs };
  }

  private stateOf(resource: string): string {
    return `${resource} ${this.changes.get(resource) ?? 0}`;
  }

  private follow(index: number, out: ReturnType<Holder['step']>): void {
    for (const message of out.send) {
      if (message.type === 'watch' && message.since === 0) this.lists += 1;
      this.later(this.nowMs, message, () => this.atLeader(index, message));
    }
    for (const state of out.states) {
      const [resource = '', count] = state.split(' ');
      this.known[index]!.set(resource, Number(count));
    }
    for (const { type } of out.events) if (type === 'sessionLost') this.sessionsLost += 1;
  }

  private atLeader(index: number, message: Message): void {
    const node = `n${index}`;
    if (message.type === 'openSession') {
      const session = { key: index + 1, node, ttlMs: this.options.ttlMs };
      this.sessions.set(session.key, session);
      this.steward.opened(session.key, session.ttlMs, this.nowMs);
      this.toHolder(node, { type: 'sessionOpened', nonce: message.nonce, session: session.key, ttlMs: session.ttlMs });
    }
    if (message.type === 'keepAlive') {
      const answer = this.steward.onKeepAlive(node, message, this.nowMs);
      if (answer) this.toHolder(node, answer);
      for (const { message: told } of this.steward.onMissed(node, message)) this.toHolder(node, told);
    }
    if (message.type === 'watch') for (const { message: told } of this.steward.onWatch(node, message)) this.toHolder(node, told);
  }

  /** All of a leader's answers leave one after the other, each as soon as the link is free. */
  private toHolder(node: string, message: Message): void {
    const bytes = 60 + (message.type === 'watched' ? message.states.length * this.options.stateBytes : 0);
    if (message.type === 'watched') this.bytesTold += bytes;
    this.freeAtMs = Math.max(this.nowMs, this.freeAtMs) + bytes / (this.options.bytesPerMs ?? Infinity);
    const index = Number(node.slice(1));
    this.later(this.freeAtMs, message, () => {
      this.follow(index, this.holders[index]!.step({ type: 'message', message, at: this.at }));
    });
  }

  private later(sentAtMs: number, message: Message, arrive: () => void): void {
    if (this.options.isLost?.(message, this.nowMs)) return;
    const dueMs = Math.max(this.nowMs + tickMs, Math.ceil((sentAtMs + this.options.oneWayMs) / tickMs) * tickMs);
    this.due.set(dueMs, [...(this.due.get(dueMs) ?? []), arrive]);
  }
}
