/** Sends numbered pieces of every key without a break: a number is sent again until the broker has it, and only then the next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf, keysPerPartition } from './piece.ts';
import type { Piece } from './piece.ts';
import type { HandoffStream } from './stream.ts';

const lanes = 8;
const againMs = 100;

export class Producer {
  /** The last of each key that the broker has. */
  readonly last = new Map<string, Piece>();
  produced = 0;
  private isOver = false;
  private readonly running: Promise<unknown>;

  constructor(
    private readonly stream: HandoffStream,
    private readonly options: { readonly count: () => number; readonly perSecond: number },
  ) {
    this.running = Promise.all(Array.from({ length: lanes }, (_, lane) => this.run(lane)));
  }

  /** Resolves once all that was begun is with the broker. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  /** A partition is in one lane, so that its keys have an order. */
  private async run(lane: number): Promise<void> {
    const everyMs = (lanes * 1_000) / this.options.perSecond;
    let dueMs = performance.now() + Math.random() * everyMs;
    for (;;) {
      await sleep(Math.max(0, dueMs - performance.now()));
      if (this.isOver) return;
      dueMs = Math.max(dueMs + everyMs, performance.now() - everyMs);
      const inLane = Math.ceil((this.options.count() - lane) / lanes);
      const partition = lane + lanes * Math.floor(Math.random() * inLane);
      await this.send(partition, keyOf(partition, Math.floor(Math.random() * keysPerPartition)));
    }
  }

  private async send(partition: number, key: string): Promise<void> {
    const piece = { partition, key, number: (this.last.get(key)?.number ?? 0) + 1 };
    for (;;) {
      try {
        await this.stream.produce([piece]);
        break;
      } catch {
        await sleep(againMs);
      }
    }
    this.last.set(key, piece);
    this.produced += 1;
  }
}
