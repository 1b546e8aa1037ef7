/** The event that stands for a frame over the limit of its carrier: such a frame is dropped, and never silently. */
import type { ChannelEvent, Destination, OutgoingFrame } from './transport.ts';

/** The least that a transport's frames must hold: the longest names and notes, with what the protocol puts around them. */
export const frameBytesLeast = 4_096;

export function frameTooLarge(frame: OutgoingFrame, frameBytesMax: number): ChannelEvent {
  const message = `A frame of ${frame.bytes.byteLength} bytes to ${describe(frame.to)} was dropped: the carrier takes ${frameBytesMax}.`;
  return { type: 'error', code: 'FRAME_TOO_LARGE', message };
}

function describe(to: Destination): string {
  return to.type === 'node' ? `node ${JSON.stringify(to.node)}` : to.type;
}
