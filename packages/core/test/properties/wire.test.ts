/** There and back: every type of message has an arbitrary, a synod's messages survive the wire, and seals tell friend from forger. */
import fc from 'fast-check';
import { messageCode } from '../../src/codec/message-code.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { decodeSynodFrame, encodeSynodFrame } from '../../src/codec/synod-codec.ts';
import type { SynodMemberMessage } from '../../src/paxos/synod-message.ts';
import { calendarText } from '../../src/runtime/calendar.ts';
import { cloudEventsOf } from '../../src/runtime/cloud-event.ts';
import { parseLockEvent } from '../../src/api/lock-events.ts';
import { count, header, messagesByType, milliseconds, node } from '../codec/arbitraries.ts';
import { samples } from '../codec/samples.ts';

test('any time that a frame may give can be shown', () => {
  fc.assert(fc.property(milliseconds, (wallMs) => expect(calendarText(wallMs)).toMatch(/^[+]?\d{4,6}-\d\d-\d\dT[\d:.]+Z$/)));
  expect(calendarText(Number.MAX_SAFE_INTEGER)).toBe('+275760-09-13T00:00:00.000Z');
});

test('every type of message has an arbitrary and a sample', () => {
  const types = Object.keys(messageCode).sort();
  expect(Object.keys(messagesByType).sort()).toEqual(types);
  expect(Object.keys(samples).sort()).toEqual(types);
});

const ballot = fc.record({ round: count, node, incarnation: fc.stringMatching(/^[0-9a-f]{0,32}$/), run: count });
/** What a synod decides on: JSON in ASCII, as the instance writes it, of any length. */
const value = fc
  .oneof(
    fc.json(),
    fc.integer({ min: 0, max: 5_000 }).map((length) => JSON.stringify('x'.repeat(length))),
  )
  .map(toAscii);

function toAscii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const synodMessages: { readonly [T in SynodMemberMessage['type']]: fc.Arbitrary<Extract<SynodMemberMessage, { readonly type: T }>> } = {
  hello: messagesByType.hello,
  greeting: messagesByType.greeting,
  found: messagesByType.found,
  foundingAccepted: messagesByType.foundingAccepted,
  foundingConfirmed: messagesByType.foundingConfirmed,
  synodPrepare: fc.record({ type: fc.constant('synodPrepare'), ballot }),
  synodPromise: fc.record({ type: fc.constant('synodPromise'), ballot, vote: fc.option(fc.record({ ballot, value })) }),
  synodAccept: fc.record({ type: fc.constant('synodAccept'), ballot, value }),
  synodAccepted: fc.record({ type: fc.constant('synodAccepted'), ballot }),
  synodReject: fc.record({ type: fc.constant('synodReject'), ballot, promised: ballot }),
  synodDecided: fc.record({ type: fc.constant('synodDecided'), value }),
  synodAsk: fc.record({ type: fc.constant('synodAsk') }),
};

test.each(Object.entries<fc.Arbitrary<SynodMemberMessage>>(synodMessages))('a synod keeps every %s as it was', (_type, message) => {
  fc.assert(
    fc.property(header, fc.array(message, { maxLength: 3 }), (from, messages) => {
      expect(decodeSynodFrame(encodeSynodFrame({ header: from, messages }))).toEqual({ header: from, messages });
    }),
    { numRuns: 150 },
  );
});

const secret = fc.oneof(fc.string({ minLength: 16, maxLength: 40 }), fc.uint8Array({ minLength: 16, maxLength: 40 }));
const parts = fc.record({ prefix: fc.uint8Array({ minLength: 4, maxLength: 4 }), body: fc.uint8Array({ maxLength: 300 }) });

test('a seal by any key of the ring is good there, and no other seal and no other frame is', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(secret, { minLength: 2, maxLength: 6, selector: (one) => Buffer.from(one as string).toString('hex') }),
      parts,
      fc.nat(),
      (keys, sealed, at) => {
        const [stranger, ...ring] = keys as [string | Uint8Array, ...(string | Uint8Array)[]];
        const sealer = createSealer(ring);
        for (const key of ring) expect(sealer.verify(sealed, createSealer([key]).sign(sealed))).toBe(true);
        expect(Buffer.compare(sealer.sign(sealed), createSealer(ring.slice(0, 1)).sign(sealed))).toBe(0);
        expect(sealer.verify(sealed, createSealer([stranger]).sign(sealed))).toBe(false);
        const seal = sealer.sign(sealed);
        expect(sealer.verify(sealed, flipped(seal, at))).toBe(false);
        expect(sealer.verify({ ...sealed, prefix: flipped(sealed.prefix, at) }, seal)).toBe(false);
        expect(sealer.verify({ ...sealed, body: Buffer.concat([sealed.body, Uint8Array.of(at & 0xff)]) }, seal)).toBe(false);
        expect(sealer.verify(sealed, seal.subarray(0, at % seal.length))).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with((bit >>> 3) % bytes.length, (bytes[(bit >>> 3) % bytes.length] ?? 0) ^ (1 << (bit & 7)));
}

test('a name and a value come out of a lock event as they went in (any Unicode)', () => {
  fc.assert(
    fc.property(node, node, fc.option(node), count, fc.constantFrom('l/', 'e/'), (name, holder, proclaimed, token, kind) => {
      const change = { type: 'granted', resource: `${kind}${name}`, node: holder, session: 1, token, value: proclaimed } as const;
      const published = cloudEventsOf({ slot: 5, index: 2, wallMs: 1e12, change }, { group: name, founding: 'f' });
      const event = published && parseLockEvent(published.bytes);
      expect(event?.data).toEqual({ name, node: holder, token, value: proclaimed });
      expect([event?.subject, event?.source]).toEqual([name, `/quorate/${encodeURIComponent(name)}`]);
    }),
  );
});
