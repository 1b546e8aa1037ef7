/** A channel that remembers what it was told, and waits for a state of that. */
import type { Channel, ChannelEvent, ChannelStatus, Transport } from '@quorate/core/adapter';

export interface RecordedChannel {
  readonly channel: Channel;
  readonly texts: readonly string[];
  readonly statuses: readonly ChannelStatus[];
  readonly errors: readonly (Error | undefined)[];
  readonly events: readonly ChannelEvent[];
  until(isReached: () => boolean): Promise<void>;
}

const deadlineMs = 20_000;

export async function openChannel(
  transport: Transport,
  options: { readonly node: string; readonly voters: readonly string[]; readonly signal?: AbortSignal },
): Promise<RecordedChannel> {
  const texts: string[] = [];
  const statuses: ChannelStatus[] = [];
  const errors: (Error | undefined)[] = [];
  const events: ChannelEvent[] = [];
  let changed: () => void = () => undefined;
  const channel = await transport.open({
    group: 'g',
    ...options,
    onFrame: (bytes) => {
      texts.push(Buffer.from(bytes).toString());
      changed();
    },
    onStatus: (status, error) => {
      statuses.push(status);
      errors.push(error);
      changed();
    },
    onEvent: (event) => {
      events.push(event);
      changed();
    },
  });
  const until = (isReached: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const seen = () => `texts ${JSON.stringify(texts)}, statuses ${statuses.join()}, events ${JSON.stringify(events)}`;
      const deadline = setTimeout(() => reject(new Error(`not reached within ${deadlineMs} ms: ${seen()}`)), deadlineMs);
      changed = () => {
        if (!isReached()) return;
        clearTimeout(deadline);
        resolve();
      };
      changed();
    });
  return { channel, texts, statuses, errors, events, until };
}
