/** A channel that remembers what it was told and lets a test wait for it. */
import { EventEmitter, once } from 'node:events';
import type { Channel, ChannelEvent, ChannelStatus, Destination, Transport } from '@quorate/core/adapter';

const deadlineMs = 45_000;

export interface RecordedOptions {
  readonly group: string;
  readonly node: string;
  readonly voters?: readonly string[];
}

export class RecordedChannel {
  readonly texts: string[] = [];
  readonly statuses: ChannelStatus[] = [];
  readonly events: ChannelEvent[] = [];
  readonly #changes = new EventEmitter();
  #channel: Channel | undefined;

  static async open(transport: Transport, { group, node, voters = [node] }: RecordedOptions): Promise<RecordedChannel> {
    const recorded = new RecordedChannel();
    recorded.#channel = await transport.open({
      group,
      node,
      voters,
      onFrame: (bytes) => recorded.#note(() => recorded.texts.push(Buffer.from(bytes).toString())),
      onStatus: (status) => recorded.#note(() => recorded.statuses.push(status)),
      onEvent: (event) => recorded.#note(() => recorded.events.push(event)),
    });
    return recorded;
  }

  get channel(): Channel {
    if (this.#channel === undefined) throw new Error('not open');
    return this.#channel;
  }

  send(to: Destination, text: string): void {
    this.channel.send([{ to, bytes: Buffer.from(text) }]);
  }

  /** Waits for a state; `again` runs at once and every 200 ms until it is reached. */
  async until(isReached: () => boolean, again?: () => void): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs);
    const repeating = again === undefined ? undefined : setInterval(again, 200);
    again?.();
    try {
      while (!isReached()) await once(this.#changes, 'change', { signal });
    } catch (cause) {
      throw new Error(
        `not reached; statuses ${this.statuses.join()}, events ${JSON.stringify(this.events)}, texts ${this.texts.slice(-5).join()}`,
        { cause },
      );
    } finally {
      clearInterval(repeating);
    }
  }

  #note(change: () => unknown): void {
    change();
    this.#changes.emit('change');
  }
}
