/** One turn's messages as frames: one for each destination, or as few as the largest frame allows. */
import type { FrameHeader, Message } from '../codec/frame.ts';
import type { Speech } from '../codec/frame-codec.ts';
import type { Sealer } from '../codec/seal.ts';
import { splitMessages } from '../codec/split.ts';
import type { MemberOutput } from '../group/member.ts';
import type { MemberSend } from '../group/member-message.ts';
import type { ChannelEvent, OutgoingFrame } from '../transport/transport.ts';

interface Pile {
  readonly to: OutgoingFrame['to'];
  readonly messages: Message[];
}

export interface PackedTurn {
  readonly frames: readonly OutgoingFrame[];
  /** Of messages that no frame can hold. */
  readonly reports: readonly ChannelEvent[];
}

export function packTurn(
  sends: readonly MemberSend[],
  header: FrameHeader,
  limits: { readonly frameBytesMax: number; readonly sealer?: Sealer | undefined; readonly speech?: Speech },
): PackedTurn {
  const frames: OutgoingFrame[] = [];
  const reports: ChannelEvent[] = [];
  for (const { to, messages } of pile(sends)) {
    const packed = splitMessages(header, messages, limits);
    for (const bytes of packed.frames) frames.push({ to, bytes });
    for (const { type } of packed.oversize) {
      const message = `A message (${type}) does not fit into a frame of ${limits.frameBytesMax} bytes and was not sent.`;
      reports.push({ type: 'error', code: 'FRAME_TOO_LARGE', message });
    }
  }
  return { frames, reports };
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

/** What a turn sends, in the order of the configurations that it was said in: a frame names one. */
export function piledByConfiguration(
  outputs: readonly MemberOutput[],
): readonly { readonly configuration: number; readonly sends: readonly MemberSend[] }[] {
  const last = outputs.at(-1)?.configuration;
  const all = joined(outputs, ({ send }) => send);
  if (last === undefined || all.length === 0) return [];
  if (outputs.every(({ configuration }) => configuration === last)) return [{ configuration: last, sends: all }];
  const piles = new Map<number, MemberSend[]>();
  for (const { configuration, send } of outputs) {
    const known = piles.get(configuration);
    if (known) known.push(...send);
    else piles.set(configuration, [...send]);
  }
  return [...piles].filter(([, sends]) => sends.length > 0).map(([configuration, sends]) => ({ configuration, sends }));
}

/** What several outputs hold together; most turns have it in one of them, which is then not copied. */
export function joined<Output, Item>(outputs: readonly Output[], part: (output: Output) => readonly Item[]): readonly Item[] {
  let all: readonly Item[] = [];
  for (const output of outputs) {
    const items = part(output);
    if (items.length > 0) all = all.length === 0 ? items : [...all, ...items];
  }
  return all;
}
