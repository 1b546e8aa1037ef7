/** What is wrong with a frame, as a value: bytes from a broker are untrusted, and reading them must never throw. */
import type { SaidVersions } from '../version.ts';
import type { FrameHeader } from './frame.ts';

/**
 * - `foreign`: not a frame of Quorate. `version`: a frame of another version of it.
 * - `truncated`: ends too early. `tooLarge`, `tooDeep`: beyond a limit. `malformed`: says nothing that the grammar allows.
 * - `unsealed`, `badSeal`: secrets are given here, and the frame has no seal, or none of theirs. `sealed`: none are given here.
 */
export type FaultCode = 'foreign' | 'version' | 'truncated' | 'tooLarge' | 'tooDeep' | 'malformed' | 'unsealed' | 'badSeal' | 'sealed';

export interface FrameFault {
  readonly type: 'fault';
  readonly code: FaultCode;
  /** For people; holds nothing that the frame said but numbers. */
  readonly detail: string;
  /** The version of the frame, with the code `version`; and who sent it and can what, where its envelope could be read. */
  readonly version?: number;
  readonly envelope?: { readonly header: FrameHeader; readonly said: SaidVersions };
}

export function fault(code: FaultCode, detail: string): FrameFault {
  return { type: 'fault', code, detail };
}

export function isFault(value: object): value is FrameFault {
  return 'type' in value && value.type === 'fault';
}

/** Thrown by the field readers and caught where a frame is read; leaves this folder only as a fault. */
export class Malformed extends Error {}
