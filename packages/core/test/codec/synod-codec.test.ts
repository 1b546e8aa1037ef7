/** Frames of a synod: there and back, and total. */
import { isFault } from '../../src/codec/fault.ts';
import { decodeSynodFrame, encodeSynodFrame } from '../../src/codec/synod-codec.ts';
import type { SynodFrame } from '../../src/codec/synod-codec.ts';

const ballot = { round: 3, node: 'a', incarnation: 'a1', run: 1 };
const frame: SynodFrame = {
  header: { group: 'g', founding: 'f', configuration: 1, node: 'a', incarnation: 'a1', run: 1 },
  messages: [
    { type: 'synodPrepare', ballot },
    { type: 'synodPromise', ballot, vote: null },
    { type: 'synodPromise', ballot, vote: { ballot, value: `"${'x'.repeat(3_000)}"` } },
    { type: 'synodAccept', ballot, value: '{"colour":"blue"}' },
    { type: 'synodAccepted', ballot },
    { type: 'synodReject', ballot, promised: { ...ballot, round: 4 } },
    { type: 'synodDecided', value: 'null' },
    { type: 'synodAsk' },
    { type: 'foundingAccepted', founding: 'f' },
  ],
};

test('every message comes back as it was', () => {
  expect(decodeSynodFrame(encodeSynodFrame(frame))).toEqual(frame);
});

test('a frame that is cut off or changed anywhere is read as a fault or as a frame, and never throws', () => {
  const bytes = encodeSynodFrame({ ...frame, messages: frame.messages.slice(3) });
  for (let length = 0; length < bytes.length; length += 1) expect(isFault(decodeSynodFrame(bytes.subarray(0, length)))).toBe(true);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const change of [1, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(() => decodeSynodFrame(changed)).not.toThrow();
    }
  }
});

test('a value that is no JSON text is refused', () => {
  const bytes = encodeSynodFrame({ ...frame, messages: [{ type: 'synodDecided', value: '{"colour":' }] });
  expect(decodeSynodFrame(bytes)).toMatchObject({ type: 'fault', code: 'malformed' });
});
