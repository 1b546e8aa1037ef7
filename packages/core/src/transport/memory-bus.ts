/** The in-memory bus: a broker inside the process, with the faults of a real one at a test's command. */
import type { Arbiter } from '../arbiter/arbiter.ts';
import { MemoryArbiter } from '../arbiter/memory.ts';
import { QuorateError } from '../errors.ts';
import type { ChannelOptions, ChannelStatus, EventReaderOptions, OutgoingFrame } from './transport.ts';

/** A frame on its way to one receiver. */
export interface FrameInTransit {
  readonly group: string;
  /** Node names of the sender and of this receiver. */
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** The delay in milliseconds of each copy that arrives: `[]` loses the frame, `[0, 0]` doubles it, `[50]` delays it. */
export type CopyDelaysMs = readonly number[];

/**
 * Rules:
 * 1. A frame arrives only if, when it is handed over, the broker is up, both ends are connected and the link is not cut.
 * 2. Nothing is handed over within `send`: a batch per turn of the event loop, so timers and sockets get their share.
 */
export interface MemoryBus {
  /** Asked once for each frame and receiver; `undefined` lets it through as it is. */
  filter: ((frame: FrameInTransit) => CopyDelaysMs | undefined) | undefined;
  /** Takes every process of this node name off the bus. */
  disconnect(node: string): void;
  reconnect(node: string): void;
  /** Loses frames in one direction without anybody noticing. */
  cut(from: string, to: string): void;
  /** Undoes every `cut`, `disconnect` and `down`; the filter stays. */
  heal(): void;
  /** Stops and starts the broker. */
  down(): void;
  up(): void;
  /** Ends the bus for good, as when the user closes a client. */
  close(): void;
}

export function memoryBus(): MemoryBus {
  return new Bus();
}

/** What the bus knows of a channel. */
export interface Member extends Pick<ChannelOptions, 'group' | 'node' | 'onFrame'> {
  readonly isVoter: boolean;
  onLink(status: ChannelStatus): void;
}

/** What the bus knows of a reader of lock events. */
export interface Reader extends Pick<EventReaderOptions, 'group' | 'onEvent'> {
  onLink(status: ChannelStatus): void;
}

interface Subscribers {
  readonly all: Set<Member>;
  readonly voters: Set<Member>;
  readonly byNode: Map<string, Set<Member>>;
  readonly readers: Set<Reader>;
}

interface Sending {
  readonly from: Member;
  readonly frame: OutgoingFrame;
}

const nobody: ReadonlySet<Member> = new Set();

/** The bus as channels see it. */
export class Bus implements MemoryBus {
  filter: MemoryBus['filter'];
  readonly #groups = new Map<string, Subscribers>();
  readonly #members = new Set<Member>();
  readonly #disconnected = new Set<string>();
  readonly #cuts = new Map<string, Set<string>>();
  readonly #delayed = new Set<NodeJS.Timeout>();
  readonly #arbiters = new Map<string, MemoryArbiter>();
  readonly #waiting = new Set<() => void>();
  #isDown = false;
  #isClosed = false;
  #sendings: Sending[] = [];
  #events: { readonly group: string; readonly bytes: Uint8Array }[] = [];
  #isScheduled = false;

  /** What a group's log of foundings holds outlives its members, as long as the bus does. */
  arbiterOf(group: string): Arbiter {
    const kept = this.#arbiters.get(group) ?? new MemoryArbiter();
    this.#arbiters.set(group, kept);
    return kept.open(async () => {
      if (this.statusOf(undefined) === 'disconnected') throw new QuorateError('TRANSPORT_FAILED', 'The in-memory bus is down.');
    });
  }

  /** How a node stands to the broker; readers of events have no name. */
  statusOf(node: string | undefined): ChannelStatus {
    if (this.#isClosed) return 'closed';
    return this.#isDown || (node !== undefined && this.#disconnected.has(node)) ? 'disconnected' : 'connected';
  }

  /** Resolves once the node can reach the broker; rejects when the bus is closed. */
  async reachable(node: string | undefined, isGivenUp: () => boolean): Promise<void> {
    while (!isGivenUp()) {
      const status = this.statusOf(node);
      if (status === 'closed') throw new QuorateError('TRANSPORT_CLOSED', 'The in-memory bus was closed.');
      if (status === 'connected') return;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  add(member: Member): void {
    const subscribers = this.#subscribers(member.group);
    this.#members.add(member);
    subscribers.all.add(member);
    if (member.isVoter) subscribers.voters.add(member);
    const namesakes = subscribers.byNode.get(member.node);
    if (namesakes === undefined) subscribers.byNode.set(member.node, new Set([member]));
    else namesakes.add(member);
  }

  remove(member: Member): void {
    const subscribers = this.#subscribers(member.group);
    this.#members.delete(member);
    subscribers.all.delete(member);
    subscribers.voters.delete(member);
    const namesakes = subscribers.byNode.get(member.node);
    namesakes?.delete(member);
    if (namesakes?.size === 0) subscribers.byNode.delete(member.node);
    this.#forgetIfEmpty(member.group);
  }

  addReader(reader: Reader): void {
    this.#subscribers(reader.group).readers.add(reader);
  }

  removeReader(reader: Reader): void {
    this.#subscribers(reader.group).readers.delete(reader);
    this.#forgetIfEmpty(reader.group);
  }

  send(from: Member, frame: OutgoingFrame): void {
    this.#sendings.push({ from, frame });
    this.#schedule();
  }

  publishEvent(group: string, bytes: Uint8Array): void {
    this.#events.push({ group, bytes });
    this.#schedule();
  }

  disconnect(node: string): void {
    this.#changeLinks(() => this.#disconnected.add(node));
  }

  reconnect(node: string): void {
    this.#changeLinks(() => this.#disconnected.delete(node));
  }

  cut(from: string, to: string): void {
    const lost = this.#cuts.get(from);
    if (lost === undefined) this.#cuts.set(from, new Set([to]));
    else lost.add(to);
  }

  heal(): void {
    this.#cuts.clear();
    this.#changeLinks(() => {
      this.#disconnected.clear();
      this.#isDown = false;
    });
  }

  down(): void {
    this.#changeLinks(() => (this.#isDown = true));
  }

  up(): void {
    this.#changeLinks(() => (this.#isDown = false));
  }

  close(): void {
    this.#changeLinks(() => (this.#isClosed = true));
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#delayed.clear();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#handOverAll());
  }

  #handOverAll(): void {
    this.#isScheduled = false;
    const sendings = this.#sendings;
    const events = this.#events;
    this.#sendings = [];
    this.#events = [];
    for (const sending of sendings) this.#route(sending);
    for (const { group, bytes } of events) {
      if (this.#isDown || this.#isClosed) continue;
      for (const reader of this.#groups.get(group)?.readers ?? []) reader.onEvent(bytes);
    }
  }

  #route({ from, frame }: Sending): void {
    const subscribers = this.#groups.get(from.group);
    if (subscribers === undefined) return;
    const { to, bytes } = frame;
    const receivers = to.type === 'node' ? (subscribers.byNode.get(to.node) ?? nobody) : subscribers[to.type];
    for (const receiver of receivers) {
      if (receiver === from) continue;
      const copies = this.filter?.({ group: from.group, from: from.node, to: receiver.node, bytes });
      if (copies === undefined) this.#deliver(from, receiver, bytes);
      else for (const delayMs of copies) this.#deliverLater(from, receiver, bytes, delayMs);
    }
  }

  #deliver(from: Member, receiver: Member, bytes: Uint8Array): void {
    if (this.statusOf(from.node) !== 'connected' || this.statusOf(receiver.node) !== 'connected') return;
    if (this.#cuts.get(from.node)?.has(receiver.node) === true) return;
    if (this.#members.has(receiver)) receiver.onFrame(bytes);
  }

  #deliverLater(from: Member, receiver: Member, bytes: Uint8Array, delayMs: number): void {
    if (delayMs <= 0) return this.#deliver(from, receiver, bytes);
    const timer = setTimeout(() => {
      this.#delayed.delete(timer);
      this.#deliver(from, receiver, bytes);
    }, delayMs);
    timer.unref();
    this.#delayed.add(timer);
  }

  /** Members hear of a change in a microtask: the caller may be one of them, in the middle of its turn. */
  #changeLinks(change: () => void): void {
    change();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
    queueMicrotask(() => {
      for (const member of [...this.#members]) member.onLink(this.statusOf(member.node));
      for (const { readers } of [...this.#groups.values()]) {
        for (const reader of [...readers]) reader.onLink(this.statusOf(undefined));
      }
    });
  }

  #subscribers(group: string): Subscribers {
    let subscribers = this.#groups.get(group);
    if (subscribers === undefined) {
      subscribers = { all: new Set(), voters: new Set(), byNode: new Map(), readers: new Set() };
      this.#groups.set(group, subscribers);
    }
    return subscribers;
  }

  #forgetIfEmpty(group: string): void {
    const subscribers = this.#groups.get(group);
    if (subscribers?.all.size === 0 && subscribers.readers.size === 0) this.#groups.delete(group);
  }
}
