/** One record of each kind, small enough to be read as bytes. */
import type { MemberRecord } from '../../src/group/member.ts';
import { samples } from './samples.ts';

const { ballot, slot, value } = samples.accept;

export const recordSamples: { readonly [T in MemberRecord['type']]: Extract<MemberRecord, { readonly type: T }> } = {
  founding: { type: 'founding', record: samples.found.record, complete: true, confirmed: false },
  discarded: { type: 'discarded' },
  promised: { type: 'promised', ballot },
  voted: { type: 'voted', slot, ballot, value },
  learned: { type: 'learned', slot: 70_000, value: null },
  chosen: { type: 'chosen', upTo: 6 },
  inherited: { type: 'inherited', founding: 'f', tokenSecond: 123_456_789, longestTtlMs: 60_000 },
  configuration: { type: 'configuration', record: samples.found.record, sealedAt: 6 },
  position: { type: 'position', position: 70_000 },
};
