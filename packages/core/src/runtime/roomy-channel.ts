/** A channel whose frames have room for what a group says; one that has not is refused, and not noticed at the first request. */
import { QuorateError } from '../errors.ts';
import { frameBytesLeast } from '../transport/frame-limit.ts';
import type { Channel, ChannelOptions, Transport } from '../transport/transport.ts';

/** Rejects as `Transport.open` does, and with INVALID_OPTIONS where its frames are too small. */
export async function openRoomy(transport: Transport, options: ChannelOptions): Promise<Channel> {
  const channel = await transport.open(options);
  const { frameBytesMax } = channel;
  if (frameBytesMax >= frameBytesLeast) return channel;
  await channel.close();
  const happened = `The transport "${transport.name}" takes messages of ${frameBytesMax} bytes; Quorate needs ${frameBytesLeast}. Raise the broker's largest message size.`;
  throw new QuorateError('INVALID_OPTIONS', happened, { details: { frameBytesMax, frameBytesLeast } });
}
