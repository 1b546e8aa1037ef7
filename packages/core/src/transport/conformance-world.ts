/** What the conformance cases play with: connections, channels that remember what arrived, and waits that name what is missing. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelEvent, ChannelStatus, Destination, OutgoingFrame, Transport } from './transport.ts';

/** What a case does when it runs: how to reach the transport under test, and what can be done to its broker. */
export interface ConformanceSubject {
  /** A transport on a connection of its own; all connections lead to one broker. */
  connect(): Promise<ConformanceConnection>;
  /** Makes the broker unreachable and brings it back; each settles when that is done. */
  readonly interruption?: { begin(): Promise<void>; end(): Promise<void> };
  /** True where `ConformanceConnection.close` is what a user can do to a connection of theirs. */
  readonly canCloseConnection?: boolean;
  /** How long a case waits for what must come. Default 20 s. */
  readonly deadlineMs?: number;
}

export interface ConformanceConnection {
  readonly transport: Transport;
  /** Rejects if the user's own connection stopped working. */
  check?(): Promise<void>;
  /** Closes the user's connection: in the middle of the case about that, else at the end. */
  close?(): Promise<void>;
}

export const to = {
  all: { type: 'all' },
  voters: { type: 'voters' },
  node: (node: string): Destination => ({ type: 'node', node }),
} as const;

export function frameOf(destination: Destination, text: string): OutgoingFrame {
  return { to: destination, bytes: Buffer.from(text) };
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

const settling = 'settling ';

/** One run of one case. */
export class ConformanceWorld {
  readonly group = `conformance-${randomUUID().slice(0, 8)}`;
  readonly #connections: ConformanceConnection[] = [];
  readonly #listeners: Listener[] = [];
  readonly #readers: EventListener[] = [];
  #isInterrupted = false;
  #settlings = 0;

  static async run(subject: ConformanceSubject, check: (world: ConformanceWorld) => Promise<void>): Promise<void> {
    const world = new ConformanceWorld(subject);
    try {
      await check(world);
      for (const { node, violations } of world.#listeners) assert.deepEqual(violations, [], `node ${JSON.stringify(node)}`);
    } finally {
      await world.#dispose();
    }
  }

  private constructor(readonly subject: ConformanceSubject) {}

  get deadlineMs(): number {
    return this.subject.deadlineMs ?? 20_000;
  }

  async connect(): Promise<ConformanceConnection> {
    const connection = await this.subject.connect();
    this.#connections.push(connection);
    return connection;
  }

  /** Opens the group under each name, each on a connection of its own. */
  async nodes<const N extends readonly string[]>(options: {
    readonly names: N;
    readonly voters: readonly string[];
    readonly group?: string;
  }): Promise<{ [K in keyof N]: Listener } & [Listener, ...Listener[]]> {
    const { names, voters, group = this.group } = options;
    const listeners: Listener[] = [];
    for (const name of names) listeners.push(this.listener(await this.connect(), group, name, voters));
    await Promise.all(listeners.map((listener) => listener.open()));
    return listeners as { [K in keyof N]: Listener } & [Listener, ...Listener[]];
  }

  listener(connection: ConformanceConnection, group: string, node: string, voters: readonly string[]): Listener {
    const listener = new Listener(this.deadlineMs, connection.transport, group, node, voters);
    this.#listeners.push(listener);
    return listener;
  }

  async reader(group: string): Promise<EventListener> {
    const { transport } = await this.connect();
    const reader = new EventListener(this.deadlineMs, transport, group);
    this.#readers.push(reader);
    await reader.open();
    return reader;
  }

  /**
   * Resolves when frames sent just before by any of these nodes have arrived wherever they were going to: each sends marks to
   * all and to the others by name, repeated until they are seen, for a carrier may lose some.
   */
  async settle(...listeners: readonly Listener[]): Promise<void> {
    const mark = `${settling}${this.#settlings++}`;
    for (const sender of listeners) {
      for (const receiver of listeners) {
        if (receiver === sender) continue;
        const marks = [`${mark} all from ${sender.id}`, `${mark} node from ${sender.id}`];
        await receiver.until(
          `marks of ${sender.node}`,
          () => marks.every((text) => receiver.has(text)),
          () => {
            sender.send(to.all, `${mark} all from ${sender.id}`);
            sender.send(to.node(receiver.node), `${mark} node from ${sender.id}`);
          },
        );
      }
    }
  }

  async interrupt(): Promise<void> {
    this.#isInterrupted = true;
    await this.subject.interruption?.begin();
  }

  async restore(): Promise<void> {
    await this.subject.interruption?.end();
    this.#isInterrupted = false;
  }

  async #dispose(): Promise<void> {
    if (this.#isInterrupted) await this.restore();
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    await Promise.all(this.#listeners.map((listener) => listener.dispose()));
    await Promise.all(this.#connections.map(async (connection) => connection.close?.()));
  }
}

/** Something that collects texts and lets a case wait for a state of it. */
class Collector {
  readonly frames: Uint8Array[] = [];
  readonly #texts = new Set<string>();
  #recheck: (() => void) | undefined;

  constructor(readonly deadlineMs: number) {}

  /** What arrived, settling marks aside. */
  texts(): string[] {
    return [...this.#texts].filter((text) => !text.startsWith(settling));
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  async receives(...texts: readonly string[]): Promise<void> {
    await this.until(`frames ${JSON.stringify(texts.slice(0, 8))}`, () => texts.every((text) => this.#texts.has(text)));
  }

  receivedOnly(...texts: readonly string[]): void {
    assert.deepEqual(this.texts().sort(), [...texts].sort());
  }

  /** Waits for a state; `again` runs at once and every 200 ms until it is reached. */
  async until(what: string, isReached: () => boolean, again?: () => void): Promise<void> {
    if (isReached()) return;
    await new Promise<void>((resolve, reject) => {
      const repeating = again === undefined ? undefined : setInterval(again, 200);
      const stop = () => {
        clearTimeout(deadline);
        clearInterval(repeating);
        this.#recheck = undefined;
      };
      const deadline = setTimeout(() => {
        stop();
        reject(
          new Error(`${this.describe()} waited ${this.deadlineMs} ms for ${what}; received ${JSON.stringify(this.texts().slice(0, 20))}`),
        );
      }, this.deadlineMs);
      this.#recheck = () => {
        if (!isReached()) return;
        stop();
        resolve();
      };
      again?.();
    });
  }

  describe(): string {
    return 'a reader';
  }

  protected collect(bytes: Uint8Array): void {
    this.frames.push(bytes);
    if (bytes.byteLength < 10_000) this.#texts.add(textOf(bytes));
    this.changed();
  }

  protected changed(): void {
    this.#recheck?.();
  }
}

/** A channel that remembers all it was told. */
export class Listener extends Collector {
  readonly id = randomUUID().slice(0, 8);
  readonly statuses: ChannelStatus[] = [];
  readonly events: ChannelEvent[] = [];
  /** What the port forbids at any time; a case fails if there was one. A throw would end in the transport, not in the case. */
  readonly violations: string[] = [];
  #isSending = false;
  #channel: Channel | undefined;

  constructor(
    deadlineMs: number,
    readonly transport: Transport,
    readonly group: string,
    readonly node: string,
    readonly voters: readonly string[],
  ) {
    super(deadlineMs);
  }

  get channel(): Channel {
    assert.ok(this.#channel !== undefined, `${this.node} is not open`);
    return this.#channel;
  }

  async open(signal?: AbortSignal): Promise<void> {
    this.#channel = await this.transport.open({
      group: this.group,
      node: this.node,
      voters: this.voters,
      signal,
      onFrame: (bytes) => {
        if (this.#channel === undefined) this.violations.push('a frame before `open` resolved');
        if (this.#isSending) this.violations.push('a frame within `send`');
        if (this.#channel?.status === 'closed') this.violations.push('a frame after `close`');
        this.collect(bytes);
      },
      onStatus: (status) => {
        this.statuses.push(status);
        this.changed();
      },
      onEvent: (event) => {
        if (event.type !== 'info') this.events.push(event);
        this.changed();
      },
    });
    assert.equal(this.#channel.status, 'connected');
  }

  send(destination: Destination, text: string): void {
    this.#isSending = true;
    this.channel.send([frameOf(destination, text)]);
    this.#isSending = false;
  }

  override describe(): string {
    return `node ${JSON.stringify(this.node)} (${this.statuses.join()})`;
  }

  async dispose(): Promise<void> {
    await this.#channel?.close();
  }
}

/** A reader of lock events that remembers them. */
export class EventListener extends Collector {
  #stop: (() => Promise<void>) | undefined;

  constructor(
    deadlineMs: number,
    readonly transport: Transport,
    readonly group: string,
  ) {
    super(deadlineMs);
  }

  async open(): Promise<void> {
    this.#stop = await this.transport.readEvents({ group: this.group, onEvent: (bytes) => this.collect(bytes), onStatus: () => undefined });
  }

  async stop(): Promise<void> {
    await this.#stop?.();
  }
}
