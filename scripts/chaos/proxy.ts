/**
 * The wire between one process and its brokers, which can be hurt: cut in either direction, slowed, dropped, or refused. TCP
 * loses nothing by itself, so a cut direction holds its bytes back until it is healed or its connection ends.
 */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export type Direction = 'toBroker' | 'toProcess';

export interface LaneConditions {
  readonly cut: boolean;
  readonly delayMs: number;
  /** Infinity where it is not throttled. */
  readonly bytesPerSecond: number;
}

export const healthy: LaneConditions = { cut: false, delayMs: 0, bytesPerSecond: Infinity };

/** Beyond this its sender is not read from, as a full socket buffer would have it. */
const heldBytesMax = 4 * 1024 * 1024;

interface Held {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** One direction of one connection. */
class Lane {
  private readonly held: Held[] = [];
  private heldBytes = 0;
  private lastDueMs = 0;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly conditions: () => LaneConditions,
  ) {
    from.on('data', (bytes: Buffer) => this.take(bytes));
    from.on('error', () => from.destroy());
    from.once('close', () => {
      this.ended = true;
      this.pump();
    });
    to.once('close', () => clearTimeout(this.timer));
  }

  /** Lets go of what is due under the present conditions. */
  pump(): void {
    clearTimeout(this.timer);
    const { cut, delayMs, bytesPerSecond } = this.conditions();
    if (cut) return;
    const isSlow = delayMs > 0 || bytesPerSecond < Infinity;
    for (;;) {
      const [next] = this.held;
      if (next === undefined) break;
      // What a slow wire held back does not slow the healed one down.
      const waitMs = isSlow ? next.dueMs - performance.now() : 0;
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      this.held.shift();
      this.heldBytes -= next.bytes.length;
      if (!this.to.destroyed) this.to.write(next.bytes);
    }
    if (this.ended) this.to.end(() => this.to.destroy());
    else if (this.from.isPaused()) this.from.resume();
  }

  private take(bytes: Buffer): void {
    const { delayMs, bytesPerSecond } = this.conditions();
    const sendMs = (bytes.length / bytesPerSecond) * 1_000;
    const nowMs = performance.now();
    // Bytes stand in line for a throttled wire, as long as there is a line.
    this.lastDueMs = Math.max(this.held.length > 0 ? this.lastDueMs : 0, nowMs + delayMs) + sendMs;
    this.held.push({ bytes, dueMs: this.lastDueMs });
    this.heldBytes += bytes.length;
    if (this.heldBytes > heldBytesMax) this.from.pause();
    this.pump();
  }
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly lanes: readonly Lane[];
}

/** Listens on a port of its own for one process and stands for one broker. */
export class Proxy {
  private readonly pairs = new Set<Pair>();
  private conditions: Record<Direction, LaneConditions> = { toBroker: healthy, toProcess: healthy };
  private refusing = false;
  private listeningPort = 0;
  private readonly server: Server;

  static async open(brokerPort: number): Promise<Proxy> {
    const proxy = new Proxy(brokerPort);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = proxy.server.address();
    proxy.listeningPort = typeof address === 'object' && address !== null ? address.port : 0;
    return proxy;
  }

  private constructor(readonly brokerPort: number) {
    this.server = createServer((client) => this.accept(client));
  }

  get port(): number {
    return this.listeningPort;
  }

  get connections(): number {
    return this.pairs.size;
  }

  set(direction: Direction, conditions: Partial<LaneConditions>): void {
    this.conditions = { ...this.conditions, [direction]: { ...this.conditions[direction], ...conditions } };
    this.pumpAll();
  }

  /** Ends every connection at once, with a reset; the next may be made. */
  drop(): void {
    for (const { client, upstream } of this.pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** As `drop`, and new connections are reset too until it is healed. */
  refuse(): void {
    this.refusing = true;
    this.drop();
  }

  heal(): void {
    this.refusing = false;
    this.conditions = { toBroker: healthy, toProcess: healthy };
    this.pumpAll();
  }

  close(): void {
    this.server.close();
    this.drop();
  }

  private pumpAll(): void {
    for (const { lanes } of this.pairs) for (const lane of lanes) lane.pump();
  }

  private accept(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.refusing) return void client.resetAndDestroy();
    const upstream = connect({ host: '127.0.0.1', port: this.brokerPort });
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const lanes = [new Lane(client, upstream, () => this.conditions.toBroker), new Lane(upstream, client, () => this.conditions.toProcess)];
    const pair = { client, upstream, lanes };
    this.pairs.add(pair);
    const onClose = (): void => {
      if (client.destroyed && upstream.destroyed) this.pairs.delete(pair);
    };
    client.once('close', onClose);
    upstream.once('close', onClose);
  }
}

/** All wires of one process: what hurts one hurts every one of them. */
export class ProcessLink {
  static async open(brokerPorts: readonly number[]): Promise<ProcessLink> {
    return new ProcessLink(await Promise.all(brokerPorts.map((port) => Proxy.open(port))));
  }

  private constructor(private readonly proxies: readonly Proxy[]) {}

  /** By broker port, the port that the process connects to instead. */
  get ports(): Readonly<Record<number, number>> {
    return Object.fromEntries(this.proxies.map(({ brokerPort, port }) => [brokerPort, port]));
  }

  set(directions: readonly Direction[], conditions: Partial<LaneConditions>): void {
    for (const proxy of this.proxies) for (const direction of directions) proxy.set(direction, conditions);
  }

  drop(): void {
    for (const proxy of this.proxies) proxy.drop();
  }

  refuse(): void {
    for (const proxy of this.proxies) proxy.refuse();
  }

  heal(): void {
    for (const proxy of this.proxies) proxy.heal();
  }

  close(): void {
    for (const proxy of this.proxies) proxy.close();
  }
}
