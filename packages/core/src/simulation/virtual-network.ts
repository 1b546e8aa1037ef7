/** The broker between the processes: it loses, doubles, delays, reorders and repeats frames, and knows nothing of their meaning. */
import { partitionByFnv1a } from '../ring/key-partition.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import type { Channel, ChannelOptions, ChannelStatus, Destination, OutgoingFrame, TimingHints, Transport } from '../transport/transport.ts';
import type { Schedule } from './schedule.ts';
import { VirtualArbiter } from './virtual-arbiter.ts';
import type { VirtualHost } from './virtual-host.ts';

/** How badly the network behaves while nothing special is the matter. */
export interface Weather {
  /** The chance that a copy of a frame is lost. */
  readonly loss: number;
  /** The chance that a frame comes once more; and again once more. */
  readonly duplication: number;
  /** The usual delay, from and to. */
  readonly delayMs: readonly [number, number];
  /** The chance that a frame strays, and how late it may then be. */
  readonly straying: number;
  readonly strayMs: number;
}

export const fairWeather: Weather = { loss: 0, duplication: 0, delayMs: [0.2, 2], straying: 0, strayMs: 0 };

interface Attached {
  readonly options: ChannelOptions;
  readonly host: VirtualHost;
  readonly isVoter: boolean;
  /** Grows by one with each process start in the world. */
  readonly number: number;
  status: ChannelStatus;
}

interface Retained {
  readonly from: Attached;
  readonly to: Destination;
  readonly bytes: Uint8Array;
}

const copiesMax = 6;
const farMs = 4_000;
const retainedMax = 2_000;
const frameBytesMax = 1_048_576;

export interface VirtualNetworkOptions {
  readonly schedule: Schedule;
  readonly seed: number;
  readonly timing: TimingHints;
  readonly onDelivery: (to: number, bytes: Uint8Array) => void;
}

/**
 * 1. A frame arrives only where the link is open when it is sent, the broker has not restarted meanwhile, and the receiver is
 *    connected when it comes.
 * 2. What a clogged link holds comes all at once, in its order, when the link is free again.
 */
export class VirtualNetwork {
  weather: Weather = fairWeather;
  sent = 0;
  /** On links that were cut, by a broker that restarted, or to whoever was gone. */
  lost = 0;
  lostByWeather = 0;
  repeated = 0;
  doubled = 0;
  strayedFar = 0;
  readonly #options: VirtualNetworkOptions;
  readonly #random: Random;
  readonly #attached = new Set<Attached>();
  /** Directed links that lose everything, by how many faults cut them. */
  readonly #cuts = new Map<string, number>();
  readonly #clogs = new Map<string, (() => void)[]>();
  readonly #arbiter = new VirtualArbiter();
  #retained: Retained[] = [];
  #epoch = 0;
  #isDown = false;

  constructor(options: VirtualNetworkOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** The transport as one process start sees it. */
  transportOf(host: VirtualHost, number: number): Transport {
    return {
      name: 'virtual',
      timing: this.#options.timing,
      partitionOf: partitionByFnv1a,
      open: (options) => Promise.resolve(this.#open(options, host, number)),
      arbiter: () => this.#arbiter.open(host, { carry: (arrive) => this.#carryToBroker(arrive) }),
      readEvents: () => Promise.resolve(() => Promise.resolve()),
    };
  }

  /** Takes a dead process off, without a word to anybody. */
  detach(number: number): void {
    for (const attached of this.#attached) if (attached.number === number) this.#attached.delete(attached);
  }

  connects(number: number): boolean {
    for (const attached of this.#attached) if (attached.number === number) return attached.status === 'connected';
    return false;
  }

  cut(from: string, to: string): () => void {
    const link = `${from}>${to}`;
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
    return () => {
      const left = (this.#cuts.get(link) ?? 1) - 1;
      if (left <= 0) this.#cuts.delete(link);
      else this.#cuts.set(link, left);
    };
  }

  clog(from: string, to: string): () => void {
    const link = `${from}>${to}`;
    if (!this.#clogs.has(link)) this.#clogs.set(link, []);
    return () => {
      const held = this.#clogs.get(link) ?? [];
      this.#clogs.delete(link);
      for (const deliver of held) deliver();
    };
  }

  /** Everything under way is lost; all are disconnected, and connected again after the time. */
  restartBroker(downMs: number): void {
    this.#epoch += 1;
    this.#isDown = true;
    for (const attached of this.#attached) this.#setStatus(attached, 'disconnected');
    this.#options.schedule.after(downMs, () => {
      this.#isDown = false;
      for (const attached of this.#attached) this.#setStatus(attached, 'connected');
    });
  }

  /** Fair weather, every link open, and what a clogged one held delivered. */
  heal(): void {
    this.weather = fairWeather;
    this.#cuts.clear();
    for (const held of this.#clogs.values()) for (const deliver of held) deliver();
    this.#clogs.clear();
  }

  /** Delivers frames of long ago again, those of dead processes too, as a retained topic may. */
  replay(count: number): void {
    for (let index = 0; index < count && this.#retained.length > 0; index += 1) {
      const old = this.#retained[this.#random.below(this.#retained.length)];
      if (!old) continue;
      this.repeated += 1;
      for (const attached of this.#receivers(old.from, old.to)) this.#deliverAfter(this.#delayMs(), attached, old.bytes);
    }
  }

  /** Lost by the weather, and while the broker is down or restarts. */
  #carryToBroker(arrive: () => void): void {
    const { loss } = this.weather;
    const epoch = this.#epoch;
    if (this.#isDown || (loss > 0 && this.#random.next() < loss)) return;
    this.#options.schedule.after(this.#delayMs(), () => {
      if (epoch === this.#epoch) arrive();
    });
  }

  #open(options: ChannelOptions, host: VirtualHost, number: number): Channel {
    const isVoter = options.voters.includes(options.node);
    const attached: Attached = { options, host, isVoter, number, status: this.#isDown ? 'disconnected' : 'connected' };
    this.#attached.add(attached);
    return {
      frameBytesMax,
      get status() {
        return attached.status;
      },
      send: (frames) => {
        if (host.isAlive && attached.status === 'connected') for (const frame of frames) this.#send(attached, frame);
      },
      publishEvents: () => undefined,
      close: () => {
        attached.status = 'closed';
        this.#attached.delete(attached);
        return Promise.resolve();
      },
    };
  }

  #setStatus(attached: Attached, status: ChannelStatus): void {
    if (attached.status === 'closed') return;
    attached.status = status;
    attached.host.give(() => attached.options.onStatus(status));
  }

  #send(from: Attached, { to, bytes }: OutgoingFrame): void {
    this.sent += 1;
    this.#retain({ from, to, bytes });
    for (const receiver of this.#receivers(from, to)) this.#carry(from, receiver, bytes);
  }

  #retain(frame: Retained): void {
    if (this.#retained.length < retainedMax) this.#retained.push(frame);
    else this.#retained[this.#random.below(retainedMax)] = frame;
  }

  #receivers(from: Attached, to: Destination): Attached[] {
    const receivers: Attached[] = [];
    for (const other of this.#attached) {
      if (other === from) continue;
      if (to.type === 'all' || (to.type === 'voters' ? other.isVoter : other.options.node === to.node)) receivers.push(other);
    }
    return receivers;
  }

  #carry(from: Attached, to: Attached, bytes: Uint8Array): void {
    const link = `${from.options.node}>${to.options.node}`;
    if (this.#cuts.has(link)) return void (this.lost += 1);
    const held = this.#clogs.get(link);
    if (held) return void held.push(() => this.#deliverAfter(this.#delayMs(), to, bytes));
    const { loss, duplication } = this.weather;
    let copies = 1;
    while (copies < copiesMax && duplication > 0 && this.#random.next() < duplication) copies += 1;
    this.doubled += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (loss > 0 && this.#random.next() < loss) this.lostByWeather += 1;
      else this.#deliverAfter(this.#delayMs(), to, bytes);
    }
  }

  #delayMs(): number {
    const { delayMs, straying, strayMs } = this.weather;
    const [from, to] = delayMs;
    const usual = from + this.#random.next() * (to - from);
    if (straying === 0 || this.#random.next() >= straying) return usual;
    // Most stray a little and a few very far.
    const strayedMs = strayMs * this.#random.next() ** 3;
    if (strayedMs > farMs) this.strayedFar += 1;
    return usual + strayedMs;
  }

  #deliverAfter(delayMs: number, to: Attached, bytes: Uint8Array): void {
    const epoch = this.#epoch;
    this.#options.schedule.after(delayMs, () => {
      if (epoch !== this.#epoch || to.status !== 'connected' || !to.host.isAlive) return void (this.lost += 1);
      this.#options.onDelivery(to.number, bytes);
      to.host.give(() => {
        if (to.status === 'connected') to.options.onFrame(bytes);
      });
    });
  }
}
