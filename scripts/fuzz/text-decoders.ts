/** Decoders of what is no frame: record keys, lock events, names and notes of users, and seals by themselves. */
import { checkNote } from '../../packages/core/src/api/hand-over.ts';
import { lockEventTypes, parseLockEvent, type LockEventMessage } from '../../packages/core/src/api/lock-events.ts';
import { checkName } from '../../packages/core/src/api/names.ts';
import { isQuorateError } from '../../packages/core/src/errors.ts';
import { fitsNote, utf8Length } from '../../packages/core/src/note.ts';
import { cloudEventsOf } from '../../packages/core/src/runtime/cloud-event.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { encodeName, nameTokenLengthMax } from '../../packages/core/src/transport/names.ts';
import { channelIdLength, channelOf, RecordKeys, senderOf } from '../../packages/kafka-adapter/src/record-key.ts';
import { fuzzSealer } from './codec-decoders.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { mutateBytes, oddTexts, oneOf, randomBytes } from './mutation.ts';

export function textDecoders(): readonly Decoder[] {
  return [
    { name: 'record-key', reads: "keys of Kafka's records", input: keyInput, read: readKey },
    { name: 'lock-event', reads: 'CloudEvents of locks and elections', input: eventInput, read: readEvent },
    { name: 'name', reads: 'names of users, as tokens of subjects and topics', input: textInput, read: readName },
    { name: 'note', reads: 'hand-over notes and proclaimed values', input: textInput, read: readNote },
    { name: 'seal', reads: 'seals of any length over any bytes', input: (random) => randomBytes(random, 80), read: readSeal },
  ];
}

const keysOf = (node: string): RecordKeys => new RecordKeys({ channel: Buffer.alloc(channelIdLength, node), node, inbox: 3 });
const mine = keysOf('billing-0');
const keys = ['billing-1', 'é'.repeat(128), '__proto__'].flatMap((node) => [
  keysOf(node).keyFor({ type: 'all' }),
  keysOf(node).keyFor({ type: 'node', node: 'billing-0' }),
  keysOf(node).keyFor({ type: 'node', node: 'x'.repeat(256) }),
]);

function keyInput(random: Random): Uint8Array {
  if (random.below(5) === 0) return randomBytes(random, 60);
  return mutateBytes(oneOf(random, keys), oneOf(random, keys), random);
}

function readKey(bytes: Uint8Array): Reading {
  const key = Buffer.from(bytes);
  const reading = mine.read(key);
  if (reading === 'foreign') return 'refused';
  const { node, inbox } = senderOf(key);
  const channel = channelOf(key);
  return () => {
    must(node.length <= key.length && inbox >= 0 && inbox < 65_536, 'a sender was read that no key holds');
    must(channel.length === channelIdLength, 'a channel was read that no key holds');
  };
}

const oddJson = [
  ...['null', 'true', '0', '-0', '1e999', '-1', '1.5', '9007199254740991', '9007199254740992', '""', '"\\ud800"', '[]', '{}', 'NaN', ''],
  ...['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '"__proto__"', '"1.0"', `"${'x'.repeat(2_000)}"`],
  ...['['.repeat(3_000), '{"a":'.repeat(2_000), `${'['.repeat(500)}${']'.repeat(500)}`],
];

const eventFields = (type: string): readonly (readonly [string, string])[] => [
  ['specversion', '"1.0"'],
  ['id', '"f/7/0"'],
  ['source', '"/quorate/billing"'],
  ['type', `"${type}"`],
  ['subject', '"invoice:42"'],
  ['time', '"2026-01-01T00:00:00.000Z"'],
  ['datacontenttype', '"application/json"'],
];
const dataFields = [['name', '"invoice:42"'], ['node', '"a"'], ['token', '793123'], ['value', 'null']] as const; // prettier-ignore

function eventInput(random: Random): Uint8Array {
  const event = eventFields(oneOf(random, lockEventTypes));
  const spoilsData = random.below(2) === 0;
  const data = jsonOf(spoilsData ? spoil(dataFields, random) : dataFields);
  const fields = [...event, ['data', data] as const];
  const bytes = Buffer.from(jsonOf(spoilsData && random.below(2) === 0 ? fields : spoil(fields, random)));
  return random.below(3) === 0 ? mutateBytes(bytes, bytes, random) : bytes;
}

function spoil(fields: readonly (readonly [string, string])[], random: Random): readonly (readonly [string, string])[] {
  const at = random.below(fields.length);
  const [key, value] = fields[at] ?? ['', ''];
  switch (random.below(5)) {
    case 0:
      return fields.toSpliced(at, 1);
    case 1:
      return [...fields, [key, oneOf(random, oddJson)]];
    case 2:
      return fields.toSpliced(at, 0, ['__proto__', oneOf(random, oddJson)]);
    case 3:
      return fields.with(at, [oneOf(random, ['__proto__', 'constructor', 'toString', '']), value]);
    default:
      return fields.with(at, [key, oneOf(random, oddJson)]);
  }
}

function jsonOf(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

function readEvent(bytes: Uint8Array): Reading {
  const event = parseLockEvent(bytes);
  return event === null ? 'refused' : () => checkEvent(event, bytes.length);
}

function checkEvent(event: LockEventMessage, bytes: number): void {
  const { id, source, type, subject, time, data } = event;
  must(Object.keys(event).length === 6 && Object.keys(data).length === 4, 'an event was read with a field too many');
  must(Object.getPrototypeOf(event) === Object.prototype && Object.getPrototypeOf(data) === Object.prototype, 'an event has a prototype');
  must(lockEventTypes.includes(type) && Number.isSafeInteger(data.token), 'an event was read of no known type, or under no token');
  const texts = [id, source, subject, time, data.name, data.node, data.value ?? ''];
  must(
    texts.every((text) => typeof text === 'string' && text.length <= bytes),
    'an event was read with a field that is no text',
  );
}

/** Any UTF-16 at all, lone surrogates included, in two bytes a unit. */
function textInput(random: Random): Uint8Array {
  const some = `${oneOf(random, oddTexts)}${random.below(2) === 0 ? oneOf(random, oddTexts) : ''}`;
  if (random.below(2) === 0) return randomBytes(random, 200);
  const bytes = Buffer.from(some, 'utf16le');
  return random.below(2) === 0 ? bytes : mutateBytes(bytes, randomBytes(random, 40), random);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf16le');
}

function readName(bytes: Uint8Array): Reading {
  const name = textOf(bytes);
  const known = accepts(() => checkName('lock', name));
  const isToken = accepts(() => {
    const token = encodeName(name);
    must(/^[A-Za-z0-9_-]+$/.test(token) && token.length <= nameTokenLengthMax, `a name became the token ${token}`);
    must(/^[A-Za-z0-9-]*$/.test(name) || token !== name, 'a name that is no token was left as it is');
  });
  must(isToken === (name !== ''), 'a token was refused to a name, or given to none');
  if (!known) return 'refused';
  return () => {
    must(Buffer.byteLength(name) <= 256 && Buffer.from(name).toString() === name, 'a name was accepted that cannot travel');
    roundTrip(name);
  };
}

/** A name that is accepted is found again in the event that is published of it. */
function roundTrip(name: string): void {
  const change = { type: 'granted', resource: `l/${name}`, node: 'a', session: 1, token: 7, value: name } as const;
  const published = cloudEventsOf({ slot: 1, index: 0, wallMs: 0, change }, { group: name, founding: 'f' });
  const event = published && parseLockEvent(published.bytes);
  must(event?.data.name === name && event.subject === name && event.data.value === name, 'a name came back from its event as another');
}

function readNote(bytes: Uint8Array): Reading {
  const note = textOf(bytes);
  const length = Buffer.byteLength(note);
  must(utf8Length(note) === length && fitsNote(note) === length <= 1_024, `a note of ${length} bytes was counted as ${utf8Length(note)}`);
  if (!accepts(() => checkNote('note', note))) return 'refused';
  return () => must(length <= 1_024 && Buffer.from(note).toString() === note, 'a note was accepted that cannot travel');
}

function readSeal(bytes: Uint8Array): Reading {
  const cut = (bytes[0] ?? 0) % 48;
  const parts = { prefix: bytes.subarray(0, 4), body: bytes.subarray(4) };
  must(!fuzzSealer.verify(parts, bytes.subarray(0, cut)), 'a seal of chance was taken for a good one');
  const seal = fuzzSealer.sign(parts);
  must(fuzzSealer.verify(parts, seal), 'a good seal was refused');
  const bad = Buffer.from(seal);
  bad[cut % seal.length] = (bad[cut % seal.length] ?? 0) ^ (1 << (cut & 7));
  must(!fuzzSealer.verify(parts, bad), 'a seal with one bit changed was taken for a good one');
  return () => undefined;
}

/** True if it does; false if it refuses with an error that callers are told of. */
function accepts(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (!isQuorateError(error)) throw error;
    return false;
  }
}
