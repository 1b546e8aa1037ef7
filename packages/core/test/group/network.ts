/** The network of the virtual world: it loses, doubles, delays and reorders frames, and its links can be cut one way. */
import type { MemberFrame, MemberMessage } from '../../src/group/member-message.ts';
import type { Random } from '../../src/time/random.ts';

export interface NetworkOptions {
  readonly loss?: number;
  readonly duplication?: number;
  readonly delayMs?: readonly [number, number];
}

/** A frame under way. */
export interface Parcel {
  readonly atMs: number;
  readonly order: number;
  readonly to: string;
  /** The process that sent it: nothing comes back to its sender. */
  readonly sender: number;
  readonly frame: MemberFrame;
}

interface Sending {
  readonly from: string;
  readonly to: string;
  readonly sender: number;
  readonly frame: MemberFrame;
  readonly nowMs: number;
}

export class Network {
  /** Directed links that lose everything, as `from>to`. */
  readonly cut = new Set<string>();
  loss: number;
  /** The chance that a frame comes twice or more often. */
  duplication: number;
  /** The chance that a frame is very late, and how late at most. */
  straying = 0;
  strayMs = 0;
  /** Messages for which it is true vanish, each as if it had travelled in a frame of its own. */
  swallows: (message: MemberMessage, link: { readonly from: string; readonly to: string }) => boolean = () => false;
  sent = 0;
  private parcels: Parcel[] = [];
  private order = 0;

  constructor(
    private readonly random: Random,
    private readonly options: NetworkOptions,
  ) {
    this.loss = options.loss ?? 0;
    this.duplication = options.duplication ?? 0;
  }

  cutBetween(one: string, other: string): void {
    this.cut.add(`${one}>${other}`);
    this.cut.add(`${other}>${one}`);
  }

  heal(): void {
    this.cut.clear();
    this.loss = 0;
    this.duplication = 0;
    this.straying = 0;
    this.swallows = () => false;
  }

  send({ from, to, sender, frame, nowMs }: Sending): void {
    this.sent += 1;
    if (this.cut.has(`${from}>${to}`)) return;
    const messages = frame.messages.filter((message) => !this.swallows(message, { from, to }));
    if (messages.length === 0) return;
    let copies = 1;
    while (copies < 6 && this.random.next() < this.duplication) copies += 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.random.next() >= this.loss) this.post(to, sender, { ...frame, messages }, nowMs + this.delayMs());
    }
  }

  post(to: string, sender: number, frame: MemberFrame, atMs: number): void {
    const parcel: Parcel = { atMs, order: (this.order += 1), to, sender, frame };
    let low = 0;
    let high = this.parcels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.parcels[middle];
      if (other && (other.atMs > atMs || (other.atMs === atMs && other.order > parcel.order))) low = middle + 1;
      else high = middle;
    }
    this.parcels.splice(low, 0, parcel);
  }

  get nextMs(): number {
    return this.parcels.at(-1)?.atMs ?? Infinity;
  }

  take(): Parcel {
    const parcel = this.parcels.pop();
    if (!parcel) throw new Error('nothing is under way');
    return parcel;
  }

  private delayMs(): number {
    const [least, most] = this.options.delayMs ?? [0.1, 2];
    if (this.random.next() < this.straying) return least + this.random.next() * this.strayMs;
    return least + this.random.next() * (most - least);
  }
}
