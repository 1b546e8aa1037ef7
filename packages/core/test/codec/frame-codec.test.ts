/** Frames survive the wire unchanged, and every field that the grammar bounds is checked. */
import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame, decodeHeader, decodeMessages, encodeFrame, encodeMessages, packHeader } from '../../src/codec/frame-codec.ts';
import type { Dialect } from '../../src/codec/frame-codec.ts';
import type { Frame, Message } from '../../src/codec/frame.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { frameLimits } from '../../src/codec/shape.ts';
import { isWellFormed } from '../../src/codec/text.ts';
import { frame, header, messagesByType } from './arbitraries.ts';
import { frameOf, sampleHeader, samples } from './samples.ts';

const sealer = createSealer(['a secret of enough bytes']);

describe('round trip', () => {
  it.each(Object.entries<fc.Arbitrary<Message>>(messagesByType))('keeps every %s as it was', (_type, message) => {
    fc.assert(
      fc.property(header, message, (from, sent) => {
        expect(decodeFrame(encodeFrame({ ...from, messages: [sent] }))).toEqual({ ...from, messages: [sent] });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps every frame as it was, sealed and unsealed, and encodes what it read to the same bytes', () => {
    fc.assert(
      fc.property(frame, fc.boolean(), (sent, isSealed) => {
        const key = isSealed ? sealer : undefined;
        const bytes = encodeFrame(sent, key);
        const received = decodeFrame(bytes, { sealer: key });

        expect(received).toEqual(sent);
        expect(Buffer.compare(encodeFrame(received as Frame, key), bytes)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('returns bytes that a later frame does not overwrite', () => {
    const first = encodeFrame(frameOf(samples.accept));
    const copy = Buffer.from(first);

    encodeFrame(frameOf(samples.greeting, samples.promise));

    expect(Buffer.compare(first, copy)).toBe(0);
    expect(first.buffer.byteLength).toBe(first.length);
  });

  it('reads a frame from the middle of a larger buffer, as sockets deliver it', () => {
    const bytes = encodeFrame(frameOf(samples.accept, samples.keepAlive));
    const larger = Buffer.concat([Buffer.from([0x91, 0x92]), bytes, Buffer.from([0x93])]);

    expect(decodeFrame(larger.subarray(2, 2 + bytes.length))).toEqual(frameOf(samples.accept, samples.keepAlive));
  });

  it('keeps a byte order mark before a long note, which a TextDecoder drops', () => {
    const note = `\uFEFF${'x'.repeat(500)}`;
    const submit: Message = { type: 'submit', session: 1, floor: 0, ops: [[4, 1, 'l/x', 5, note]] };

    expect(decodeFrame(encodeFrame(frameOf(submit)))).toEqual(frameOf(submit));
  });

  it('knows the texts that do not survive the wire', () => {
    expect(['a', '', '\u{1F512}', '\uFEFF', '\uFFFD'].map(isWellFormed)).toEqual([true, true, true, true, true]);
    expect(['\uD83D', '\uDD12', 'a\uDD12\uD83D'].map(isWellFormed)).toEqual([false, false, false]);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isWellFormed));
  });
});

describe('header', () => {
  it('says who sent a frame whose messages nobody can read', () => {
    const bytes = Buffer.concat([encodeFrame(frameOf()).subarray(0, -1), Buffer.from([0xc1])]);

    const opened = decodeHeader(bytes);

    if (isFault(opened)) throw new Error(opened.detail);
    expect(opened.header).toEqual(sampleHeader);
    expect(decodeMessages(opened)).toMatchObject({ type: 'fault', code: 'malformed' });
  });

  it.each([
    ['an empty group', { ...sampleHeader, group: '' }],
    ['a group of 257 bytes', { ...sampleHeader, group: 'x'.repeat(257) }],
    ['a group of 258 bytes in 129 characters', { ...sampleHeader, group: 'é'.repeat(129) }],
    ['a founding of 129 bytes', { ...sampleHeader, founding: 'x'.repeat(129) }],
    ['a negative configuration', { ...sampleHeader, configuration: -1 }],
    ['an empty node', { ...sampleHeader, node: '' }],
    ['an incarnation of 129 bytes', { ...sampleHeader, incarnation: 'x'.repeat(129) }],
    ['a run of one half', { ...sampleHeader, run: 0.5 }],
  ])('refuses %s', (_what, bad) => {
    expect(decodeHeader(encodeFrame({ ...bad, messages: [] }))).toMatchObject({ code: 'malformed' });
  });
});

describe('prefix', () => {
  const bytes = encodeFrame(frameOf(samples.fetch));

  it.each([
    ['other magic', [0x51, 0x70, 1, 0], 'foreign'],
    ['no magic', [0x7b, 0x7d, 1, 0], 'foreign'],
    ['version 2', [0x51, 0x71, 2, 0], 'version'],
    ['version 0', [0x51, 0x71, 0, 0], 'version'],
    ['an unknown flag', [0x51, 0x71, 1, 4], 'malformed'],
  ])('calls a frame with %s by its name', (_what, prefix, code) => {
    expect(decodeFrame(Buffer.concat([Buffer.from(prefix), bytes.subarray(4)]))).toMatchObject({ type: 'fault', code });
  });

  it('says which version a frame has', () => {
    expect(decodeFrame(Uint8Array.of(0x51, 0x71, 7, 0))).toMatchObject({ code: 'version', version: 7 });
  });

  it('refuses a frame above the limit and takes one at it', () => {
    const limits = { frameBytesMax: bytes.length, elementsMax: 100, depthMax: 9, stringBytesMax: 100 };

    expect(decodeFrame(bytes, { limits })).toEqual(frameOf(samples.fetch));
    expect(decodeFrame(bytes, { limits: { ...limits, frameBytesMax: bytes.length - 1 } })).toMatchObject({ code: 'tooLarge' });
  });

  it('refuses bytes after the messages', () => {
    expect(decodeFrame(Buffer.concat([bytes, Buffer.from([0])]))).toMatchObject({
      code: 'malformed',
      detail: '1 bytes follow the messages.',
    });
  });
});

describe('envelope', () => {
  const said = { version: 6, newest: 7 };
  const later = encodeFrame({ ...frameOf(samples.fetch), ...said });

  it('says the version of the messages and whether the sender can the next, and is read whatever the version is', () => {
    expect(decodeFrame(later)).toMatchObject({ code: 'version', version: 6, envelope: { header: sampleHeader, said } });
    expect(decodeHeader(encodeFrame({ ...frameOf(), newest: 2 }))).toMatchObject({ said: { version: 1, newest: 2 } });
    expect(decodeHeader(encodeFrame(frameOf()))).toMatchObject({ said: { version: 1, newest: 1 } });
  });

  it('of another version is believed only under its seal, and only whole', () => {
    const [forged, cut] = [decodeFrame(later, { sealer }), decodeFrame(later.subarray(0, 7))];

    expect(decodeFrame(encodeFrame({ ...frameOf(), ...said }, sealer), { sealer })).toMatchObject({ envelope: { said } });
    expect(forged).toMatchObject({ code: 'version' });
    expect(forged).not.toHaveProperty('envelope');
    expect(cut).toMatchObject({ code: 'version' });
    expect(cut).not.toHaveProperty('envelope');
  });

  it('leaves the messages to the grammar of their version', () => {
    const shouted: Dialect = { tupleOf: () => ['fetch', 1, 2], read: () => samples.fetch };
    const bytes = encodeMessages(packHeader(sampleHeader), [samples.fetch], undefined, { version: 2, newest: 2, dialect: shouted });

    expect(decodeFrame(bytes, { dialects: new Map([[2, shouted]]) })).toEqual({ ...frameOf(samples.fetch), version: 2 });
    expect(decodeFrame(bytes)).toMatchObject({ code: 'version' });
  });
});

/** A frame around tuples that no encoder of ours would write. */
function rawFrame(...messages: readonly unknown[]): Uint8Array {
  const encoder = new Encoder();
  return Buffer.concat([Buffer.from([0x51, 0x71, 1, 0]), encoder.encode(['g', 'f', 1, 'a', 'i', 2]), encoder.encode(messages)]);
}

const ballot = [3, 'a', 'i', 2];
const acquire = [1, 8, 'l/x', 0, 0, null];
const accept = (value: unknown) => [6, ballot, 6, value, 1, 5];
const acceptEntry = (entry: unknown) => accept([1, [entry]]);
const submit = (op: unknown) => [68, 1, 0, [op]];
const reply = (result: unknown) => [69, 1, [result]];
const found = (record: unknown) => [34, record];
const record = (change: Readonly<Record<number, unknown>>) => found(Object.assign([['f', 1, [['a', 'i']]], 1, 60_000, true], change));
const state = (change: Readonly<Record<number, unknown>>) => [74, 1, 1, 0, 1, [Object.assign(['l/x', 1, [], ['c'], 1, null], change)]];

describe('fields', () => {
  it.each([
    ['an acquire', submit(acquire)],
    ['an acquire for a permit, which the lock table answers', submit([1, 8, 'l/x', -1, 0, null])],
    ['a founding record', record({})],
    ['a state', state({})],
    ['a batch of 4096 entries', accept([1, Array<unknown>(4096).fill([4, 1])])],
    ['a name of 256 bytes in 128 characters', [12, ballot, 'é'.repeat(128)]],
    ['a note of 1024 bytes', submit([4, 1, 'l/x', 1, 'x'.repeat(1024)])],
  ])('takes %s', (_what, message) => {
    expect(decodeFrame(rawFrame(message))).toMatchObject({ group: 'g', messages: [{}] });
  });

  it.each([
    ['a message that is no tuple', 7],
    ['an empty message', []],
    ['a message of unknown code', [99]],
    ['a code that is a string', ['canvass', ballot]],
    ['a field too few', [3, ballot]],
    ['a field too many', [3, ballot, 5, 5]],
    ['a ballot that is no tuple', [1, 3]],
    ['a ballot of three fields', [1, [3, 'a', 'i']]],
    ['a negative round', [1, [-1, 'a', 'i', 2]]],
    ['a fraction as slot', [3, ballot, 5.5]],
    ['a slot that is a string', [3, ballot, '5']],
    ['a slot that is null', [3, ballot, null]],
    ['a part that is as large as parts', [4, ballot, 5, 4, 1, 1, []]],
    ['no parts', [4, ballot, 5, 4, 0, 0, []]],
    ['votes that are no list', [4, ballot, 5, 4, 0, 1, 0]],
    ['a vote of two fields', [4, ballot, 5, 4, 0, 1, [[6, ballot]]]],
    ['a negative time', [5, ballot, ballot, -1]],
    ['a slot in beyond that is null', [7, ballot, 6, [null]]],
    ['an empty voter in connected', [8, ballot, 1, 1, 1, [''], 1]],
    ['a successor of 257 bytes', [12, ballot, 'x'.repeat(257)]],
    ['a value that is a number', accept(0)],
    ['a batch of one field', accept([1])],
    ['a batch at no time', accept([null, []])],
    ['a batch of 4097 entries', accept([1, Array<unknown>(4097).fill([4, 1])])],
    ['a chosen value that is a number', [11, 5, [0], 6, 4]],
    ['an entry that is a number', acceptEntry(0)],
    ['an entry of unknown kind', acceptEntry([6, 1])],
    ['a use without operations', acceptEntry([0, 1, 1])],
    ['a use of no session', acceptEntry([0, null, 1, []])],
    ['a use with a negative floor', acceptEntry([0, 1, -1, []])],
    ['a begin without stamp', acceptEntry([1])],
    ['a stamp of 513 bytes', acceptEntry([1, 'x'.repeat(513)])],
    ['an opening with a number as stamp', acceptEntry([2, 1, 1])],
    ['an opening in a second that no token has', acceptEntry([2, 's', 2 ** 31])],
    ['an opened session with a number as nonce', acceptEntry([3, 1, 'b', 'p', 1, 0])],
    ['an opened session of an empty node', acceptEntry([3, 'n', '', 'p', 1, 0])],
    ['an opened session with a number as instance', acceptEntry([3, 'n', 'b', 1, 1, 0])],
    ['an opened session with a negative TTL', acceptEntry([3, 'n', 'b', 'p', -1, 0])],
    ['an opened session that replaces null', acceptEntry([3, 'n', 'b', 'p', 1, null])],
    ['a closed session that is a string', acceptEntry([4, '1'])],
    ['an expired session that is a string', acceptEntry([5, '1', 's'])],
    ['an expiry without stamp', acceptEntry([5, 1, null])],
    ['an unknown operation', submit([6, 1, 'l/x'])],
    ['an operation that is a number', submit(1)],
    ['a sequence of −1', submit([3, -1, 1])],
    ['an acquire too short', submit([1, 8, 'l/x', 0, 0])],
    ['an acquire of nothing', submit([1, 8, '', 0, 0, null])],
    ['a resource of 259 bytes', submit([1, 8, 'x'.repeat(259), 0, 0, null])],
    ['a want of −2', submit([1, 8, 'l/x', -2, 0, null])],
    ['flags that are no 31 bits', submit([1, 8, 'l/x', 0, 2 ** 31, null])],
    ['a value that is true', submit([1, 8, 'l/x', 0, 0, true])],
    ['a release without token', submit([2, 8, 'l/x', null, null])],
    ['a release of a number', submit([2, 8, 1, 1, null])],
    ['a release with a number as note', submit([2, 8, 'l/x', 1, 1])],
    ['a cancel of null', submit([3, 8, null])],
    ['a note that is null', submit([4, 8, 'l/x', 1, null])],
    ['a note on a number', submit([4, 8, 1, 1, 'n'])],
    ['a note under no token', submit([5, 8, 'l/x', null, 'n'])],
    ['a proclaimed value of 1025 bytes', submit([5, 1, 'l/x', 1, 'é'.repeat(512) + 'x'])],
    ['a result too short', reply([1, 1, 1])],
    ['a result of no sequence', reply([null, 1, 1, null])],
    ['a result of code 0', reply([1, 0, 1, null])],
    ['a result of code 11', reply([1, 11, 1, null])],
    ['a result with a negative number', reply([1, 1, -1, null])],
    ['a result with false', reply([1, 1, 1, false])],
    ['a holder of two fields', reply([1, 2, 1, ['b', 1]])],
    ['a holder without name', reply([1, 2, 1, ['', 1, 1]])],
    ['a holder without token', reply([1, 2, 1, ['b', null, 1]])],
    ['a holder since never', reply([1, 2, 1, ['b', 1, null]])],
    ['a configuration of two fields', record({ 0: ['f', 1] })],
    ['a seat without incarnation', record({ 0: ['f', 1, [['a']]] })],
    ['voters out of order', record({ 0: ['f', 1, [['b', 'i'], ['a', 'i']]] })], // prettier-ignore
    ['a voter named twice', record({ 0: ['f', 1, [['a', 'i'], ['a', 'j']]] })], // prettier-ignore
    ['a record in a second that no token has', record({ 1: 2 ** 31 })],
    ['a record with a negative TTL', record({ 2: -1 })],
    ['a first founding of 1', record({ 3: 1 })],
    ['a standing that nobody has', [33, 'n', [], 1, 1, 1, 6, null]],
    ['a founding that is replaced and has no name', [33, 'n', [], 1, 1, 1, 0, null, null]],
    ['a standing in words', [33, 'n', [], 1, 1, 1, 'led', null]],
    ['a standing from the prototype', [33, 'n', [], 1, 1, 1, 'constructor', null]],
    ['a refusal for no known reason', [66, 'n', 4, 1]],
    ['a nonce of 129 bytes', [64, 'x'.repeat(129), 1, 0]],
    ['pending that is null', [70, 1, 1, 1, null, 0, 0]],
    ['a watch list known up to a negative part', [71, 1, 1, [], [], [], 1, -1]],
    ['covered tokens that fall', [71, 1, 1, [], [], [5, -1], 0, 0]],
    ['covered tokens beyond safe integers', [71, 1, 1, [], [], [2 ** 53 - 1, 1], 0, 0]],
    ['an empty watched resource', [73, 1, 1, 0, 1, [''], []]],
    ['an empty resource watched no more', [73, 1, 1, 0, 1, [], ['']]],
    ['a state of no resource', state({ 0: null })],
    ['a state with a holder of four fields', state({ 2: [['b', 1, 1, 1]] })],
    ['a state with an empty waiter', state({ 3: [''] })],
    ['a state with a number as note', state({ 5: 1 })],
  ])('refuses %s', (_what, message) => {
    // Longer strings than any field takes are let through here, so that it is the field that refuses.
    const limits = { ...frameLimits, stringBytesMax: 4096 };

    expect(decodeFrame(rawFrame([12, ballot, 'a'], message), { limits })).toMatchObject({ type: 'fault', code: 'malformed' });
  });
});
