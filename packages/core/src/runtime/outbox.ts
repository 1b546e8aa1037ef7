/** One turn's messages as frames: one for each destination, or as few as the largest frame allows. */
import type { FrameHeader, Message } from '../codec/frame.ts';
import type { Sealer } from '../codec/seal.ts';
import { splitMessages } from '../codec/split.ts';
import type { MemberSend } from '../group/member-message.ts';
import type { OutgoingFrame } from '../transport/transport.ts';

interface Pile {
  readonly to: OutgoingFrame['to'];
  readonly messages: Message[];
}

export interface PackedTurn {
  readonly frames: readonly OutgoingFrame[];
  /** Types of messages that no frame can hold. */
  readonly oversize: readonly string[];
}

export function packTurn(
  sends: readonly MemberSend[],
  header: FrameHeader,
  limits: { readonly frameBytesMax: number; readonly sealer?: Sealer | undefined },
): PackedTurn {
  const frames: OutgoingFrame[] = [];
  const oversize: string[] = [];
  for (const { to, messages } of pile(sends)) {
    const packed = splitMessages(header, messages, limits);
    for (const bytes of packed.frames) frames.push({ to, bytes });
    for (const { type } of packed.oversize) oversize.push(type);
  }
  return { frames, oversize };
}

function pile(sends: readonly MemberSend[]): readonly Pile[] {
  const [first] = sends;
  if (!first) return [];
  if (sends.length === 1) return [{ to: first.to, messages: [first.message] }];
  const piles = new Map<string, Pile>();
  for (const { to, message } of sends) {
    const key = to.type === 'node' ? `node ${to.node}` : to.type;
    const known = piles.get(key);
    if (known) known.messages.push(message);
    else piles.set(key, { to, messages: [message] });
  }
  return [...piles.values()];
}
