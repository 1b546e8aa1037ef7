/** A transport that counts what is sent through it, to learn how large the frames of the work are. */
import type { Channel, Transport } from '@quorate/core/adapter';

export interface SentCount {
  frames: number;
  bytes: number;
}

export function countedTransport(inner: Transport): { readonly transport: Transport; readonly sent: SentCount } {
  const sent: SentCount = { frames: 0, bytes: 0 };
  const transport: Transport = {
    name: inner.name,
    timing: inner.timing,
    partitionOf: (key, count) => inner.partitionOf(key, count),
    open: async (options) => counted(await inner.open(options), sent),
    readEvents: (options) => inner.readEvents(options),
  };
  return { transport, sent };
}

function counted(channel: Channel, sent: SentCount): Channel {
  return {
    get frameBytesMax() {
      return channel.frameBytesMax;
    },
    get status() {
      return channel.status;
    },
    send: (frames) => {
      sent.frames += frames.length;
      for (const { bytes } of frames) sent.bytes += bytes.byteLength;
      channel.send(frames);
    },
    publishEvents: (events) => channel.publishEvents(events),
    close: () => channel.close(),
  };
}
