/** From bytes to frames of this group by somebody else; everything else is refused, counted and, once in a while, reported. */
import { isFault } from '../codec/fault.ts';
import { decodeHeader, decodeMessages } from '../codec/frame-codec.ts';
import type { FrameFault } from '../codec/fault.ts';
import { KnownHeaders } from '../codec/known-headers.ts';
import type { Sealer } from '../codec/seal.ts';
import type { MemberFrame } from '../group/member-message.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { EngineOptions, Refusal } from './engine.ts';

/** More pairs of a code and a sender are not told apart: without secrets anybody can forge senders. */
const sendersMax = 100;

/** Refusals of one code and sender are reported at the 1st, 10th, 100th, … time: a flood of bad frames is no flood of events. */
export class FrameIntake {
  private readonly named = new Map<string, number>();
  private readonly unnamed = new Map<string, number>();
  private readonly headers = new KnownHeaders();
  refused = 0;

  constructor(
    private readonly options: Pick<EngineOptions, 'group' | 'versions'>,
    private readonly sealer: Sealer | undefined,
    private readonly onRefusal: (refusal: Refusal) => void,
  ) {}

  /** How many counts are kept. */
  get remembered(): number {
    return this.named.size + this.unnamed.size;
  }

  open(bytes: Uint8Array, self: Proposer): MemberFrame | null {
    const { sealer, headers, options } = this;
    const opened = decodeHeader(bytes, { sealer, headers, dialects: options.versions?.dialects });
    if (isFault(opened)) return this.refuse(opened, opened.envelope?.header.node) ?? this.unread(opened);
    const { group, node, incarnation, run, founding, configuration } = opened.header;
    if (group !== options.group) return this.refuse({ code: 'group', detail: 'A frame of another group.' }, node);
    if (node === self.node && incarnation === self.incarnation && run === self.run) return null;
    const messages = decodeMessages(opened);
    if (isFault(messages)) return this.refuse(messages, node);
    const { version, newest } = opened.said;
    return { founding, configuration, from: { node, incarnation, run }, version, newest, messages };
  }

  /** Of a frame in another version: who sent it, and what they can. */
  private unread({ envelope }: FrameFault): MemberFrame | null {
    if (envelope?.header.group !== this.options.group) return null;
    const { node, incarnation, run, founding, configuration } = envelope.header;
    return { founding, configuration, from: { node, incarnation, run }, ...envelope.said, messages: [] };
  }

  private refuse({ code, detail }: Pick<Refusal, 'code' | 'detail'>, sender?: string): null {
    this.refused += 1;
    const key = sender === undefined ? '' : `${code} ${sender}`;
    const isNamed = sender !== undefined && (this.named.has(key) || this.named.size < sendersMax);
    const count = isNamed ? countIn(this.named, key) : countIn(this.unnamed, code);
    if (Number.isInteger(Math.log10(count))) this.onRefusal({ code, detail, node: isNamed ? sender : null, count });
    return null;
  }
}

function countIn(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}
