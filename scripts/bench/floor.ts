/**
 * The floor under every acquire: what the transport alone takes to carry a frame to another process and its answer back. It is
 * measured on the connection that does the work, with frames of the size that the work sends, and in turns with it.
 */
import type { Channel, Transport } from '@quorate/core/adapter';
import { Latencies } from './latency.ts';
import type { Quantiles } from './latency.ts';

const kind = { ping: 0, pong: 1 } as const;
const headerBytes = 5;
/** A frame may be lost; a ping that was is not a measurement. */
const lostAfterMs = 2_000;

export interface FloorOptions {
  readonly transport: Transport;
  readonly group: string;
  readonly node: string;
  readonly voters: readonly string[];
}

/** One end. It answers every ping that comes to it and, when told, sends its own. */
export class Floor {
  private readonly latencies = new Latencies();
  private seq = 0;
  private onPong: ((seq: number) => void) | undefined;

  static async open(options: FloorOptions): Promise<Floor> {
    const floor: Floor = new Floor(
      await options.transport.open({
        ...options,
        onFrame: (bytes) => floor.onFrame(bytes),
        onStatus: () => undefined,
        onEvent: () => undefined,
      }),
      options.node,
    );
    return floor;
  }

  private constructor(
    private readonly channel: Channel,
    private readonly node: string,
  ) {}

  get quantiles(): Quantiles {
    return this.latencies.quantiles;
  }

  /** One ping after another until the time is over, at least one. */
  async ping(peer: string, options: { readonly forMs: number; readonly frameBytes: number; readonly counted: boolean }): Promise<void> {
    const untilMs = performance.now() + options.forMs;
    do {
      const startMs = performance.now();
      const arrived = await this.roundTrip(peer, options.frameBytes);
      if (arrived && options.counted) this.latencies.add(performance.now() - startMs);
    } while (performance.now() < untilMs);
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  private roundTrip(peer: string, frameBytes: number): Promise<boolean> {
    const seq = ++this.seq;
    return new Promise((resolve) => {
      const lost = setTimeout(() => resolve(false), lostAfterMs);
      this.onPong = (answered) => {
        if (answered !== seq) return;
        clearTimeout(lost);
        resolve(true);
      };
      this.channel.send([{ to: { type: 'node', node: peer }, bytes: this.frame(seq, frameBytes) }]);
    });
  }

  private frame(seq: number, frameBytes: number): Uint8Array {
    const sender = Buffer.from(this.node);
    const frame = Buffer.alloc(Math.max(frameBytes, headerBytes + 1 + sender.length));
    frame[0] = kind.ping;
    frame.writeUInt32LE(seq, 1);
    frame[headerBytes] = sender.length;
    sender.copy(frame, headerBytes + 1);
    return frame;
  }

  private onFrame(bytes: Uint8Array): void {
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (frame.length <= headerBytes) return;
    if (frame[0] === kind.pong) return this.onPong?.(frame.readUInt32LE(1));
    const answer = Buffer.from(frame);
    answer[0] = kind.pong;
    const length = frame[headerBytes] ?? 0;
    const node = frame.toString('utf8', headerBytes + 1, headerBytes + 1 + length);
    this.channel.send([{ to: { type: 'node', node }, bytes: answer }]);
  }
}
