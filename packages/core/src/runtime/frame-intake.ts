/** From bytes to frames of this group by somebody else; everything else is refused, counted and, once in a while, reported. */
import { isFault } from '../codec/fault.ts';
import { decodeHeader, decodeMessages } from '../codec/frame-codec.ts';
import type { FrameFault } from '../codec/fault.ts';
import { KnownHeaders } from '../codec/known-headers.ts';
import type { Sealer } from '../codec/seal.ts';
import type { MemberFrame } from '../group/member-message.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { EngineOptions } from './engine.ts';

export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly count: number;
}

/** A refusal of one kind is reported at its 1st, 10th, 100th, … time: a flood of bad frames is no flood of events. */
export class FrameIntake {
  private readonly counts = new Map<string, number>();
  private readonly headers = new KnownHeaders();
  refused = 0;

  constructor(
    private readonly options: Pick<EngineOptions, 'group' | 'versions'>,
    private readonly sealer: Sealer | undefined,
    private readonly onRefusal: (refusal: Refusal) => void,
  ) {}

  open(bytes: Uint8Array, self: Proposer): MemberFrame | null {
    const { sealer, headers, options } = this;
    const opened = decodeHeader(bytes, { sealer, headers, dialects: options.versions?.dialects });
    if (isFault(opened)) return this.refuse(opened.code, opened.detail) ?? this.unread(opened);
    const { group, node, incarnation, run, founding, configuration } = opened.header;
    if (group !== options.group) return this.refuse('group', 'a frame of another group');
    if (node === self.node && incarnation === self.incarnation && run === self.run) return null;
    const messages = decodeMessages(opened);
    if (isFault(messages)) return this.refuse(messages.code, messages.detail);
    const { version, newest } = opened.said;
    return { founding, configuration, from: { node, incarnation, run }, version, newest, messages };
  }

  /** Of a frame in another version: who sent it, and what they can. */
  private unread({ envelope }: FrameFault): MemberFrame | null {
    if (envelope?.header.group !== this.options.group) return null;
    const { node, incarnation, run, founding, configuration } = envelope.header;
    return { founding, configuration, from: { node, incarnation, run }, ...envelope.said, messages: [] };
  }

  private refuse(code: string, detail: string): null {
    this.refused += 1;
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (Number.isInteger(Math.log10(count))) this.onRefusal({ code, detail, count });
    return null;
  }
}
