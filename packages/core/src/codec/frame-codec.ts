/** Frames to bytes and back. Reading is total: whatever the bytes are, the answer is a frame or a fault. `docs/protocol.md`, "Frames". */
import { unreachable } from '../errors.ts';
import { presentVersion } from '../version.ts';
import type { SaidVersions } from '../version.ts';
import { fault, isFault, Malformed, type FrameFault } from './fault.ts';
import { count, each, identifier, list, name, tuple, type Tuple } from './field.ts';
import { foundingTuple, readFoundingMessage } from './founding-codec.ts';
import type { Frame, FrameHeader, Message } from './frame.ts';
import type { KnownHeaders } from './known-headers.ts';
import { logTuple, readLogMessage } from './log-codec.ts';
import { membershipTuple, readMembershipMessage } from './membership-codec.ts';
import { packShared, unpack } from './message-pack.ts';
import { sealBytes, type SealedParts, type Sealer } from './seal.ts';
import { readSessionMessage, sessionTuple } from './session-codec.ts';
import { readSnapshotMessage, snapshotTuple } from './snapshot-codec.ts';
import { readStoreMessage, storeTuple } from './store-codec.ts';
import { checkShape, frameLimits, type FrameLimits } from './shape.ts';

// frame    => magic version flags [seal] header [message]         header and messages: a MessagePack value each
// magic    => 0x51 0x71
// version  => 0x01                                                what the messages are written in
// flags    => 0x00 | 0x01 | 0x02 | 0x03                           0x01: sealed; 0x02: the sender can the next version too
// seal     => 32 bytes                                            HMAC-SHA256 over all that stands before and after it
// header   => group founding configuration node incarnation run
// message  => code field*                                         log-codec.ts, membership-codec.ts, founding-codec.ts, session-codec.ts
//
// All but the messages is the envelope: it is the same in every version, so that a process of any reads who speaks which.

const magic = [0x51, 0x71] as const;
const sealedFlag = 1;
const nextFlag = 2;
const prefixBytes = 4;

export interface FrameOptions {
  /** Given in a group with secrets: then every frame is sealed, and no other is read. */
  readonly sealer?: Sealer | undefined;
  readonly limits?: FrameLimits;
  /** Of a reader who reads many frames within one set of limits. */
  readonly headers?: KnownHeaders | undefined;
  /** Default: those of this build. */
  readonly dialects?: Dialects | undefined;
}

/** A frame whose seal and header are checked and whose messages are not read yet. */
export interface OpenedFrame {
  readonly header: FrameHeader;
  /** The bytes of the messages, and what they may cost. */
  readonly body: Uint8Array;
  readonly limits: FrameLimits;
  readonly said: SaidVersions;
  readonly dialect: Dialect;
}

/** How the messages of one version are written and read. Reading throws `Malformed` at what the version does not know. */
export interface Dialect {
  readonly tupleOf: (message: Message) => Tuple;
  readonly read: (value: unknown) => Message;
}

/** By version. */
export type Dialects = ReadonlyMap<number, Dialect>;

/** What a frame is written in, and what its sender can. */
export interface Speech extends SaidVersions {
  readonly dialect: Dialect;
}

/** Every text in the frame must be well-formed Unicode. The bytes are the caller's own. */
export function encodeFrame(frame: Frame, sealer?: Sealer): Uint8Array {
  const { version = presentVersion, newest = version } = frame;
  return encodeMessages(packHeader(frame), frame.messages, sealer, { version, newest, dialect: presentDialect });
}

/** A header in bytes, for a sender that says the same of itself in frame after frame. */
export function packHeader({ group, founding, configuration, node, incarnation, run }: FrameHeader): Uint8Array {
  return packShared([group, founding, configuration, node, incarnation, run]).slice();
}

export function encodeMessages(header: Uint8Array, some: readonly Message[], sealer?: Sealer, speech = presentSpeech): Uint8Array {
  return encodeTuples(header, some.map(speech.dialect.tupleOf), sealer, speech);
}

/** For messages of another vocabulary in the same kind of frame. */
export function encodeTuples(
  header: Uint8Array,
  tuples: readonly Tuple[],
  sealer?: Sealer,
  said: SaidVersions = presentSpeech,
): Uint8Array {
  const start = bodyStart(sealer !== undefined);
  const messages = packShared(tuples);

  const bytes = new Uint8Array(start + header.length + messages.length);
  bytes[0] = magic[0];
  bytes[1] = magic[1];
  bytes[2] = said.version;
  bytes[3] = (sealer === undefined ? 0 : sealedFlag) + (said.newest > said.version ? nextFlag : 0);
  bytes.set(header, start);
  bytes.set(messages, start + header.length);
  if (sealer !== undefined) bytes.set(sealer.sign(partsOf(bytes, start)), prefixBytes);
  return bytes;
}

export function bodyStart(isSealed: boolean): number {
  return isSealed ? prefixBytes + sealBytes : prefixBytes;
}

export function decodeFrame(bytes: Uint8Array, options: FrameOptions = {}): Frame | FrameFault {
  const opened = decodeHeader(bytes, options);
  if (isFault(opened)) return opened;
  const messages = decodeMessages(opened);
  if (isFault(messages)) return messages;
  const { header, said } = opened;
  const version = said.version === presentVersion ? {} : { version: said.version };
  return { ...header, ...version, ...(said.newest === said.version ? {} : { newest: said.newest }), messages };
}

/**
 * Says who sent a frame, so that frames of oneself, of other groups and of other foundings are dropped unread. A seal is
 * checked before anything is parsed.
 */
export function decodeHeader(bytes: Uint8Array, options: FrameOptions = {}): OpenedFrame | FrameFault {
  const { limits = frameLimits, dialects = presentDialects } = options;
  if (bytes.length < prefixBytes) return fault('truncated', `A frame of ${bytes.length} bytes.`);
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1]) return fault('foreign', 'These bytes are no frame of Quorate.');
  const version = bytes[2] ?? 0;
  const dialect = dialects.get(version);
  const envelope = openEnvelope(bytes, limits, options);
  if (dialect === undefined) return versionFault(version, dialects, isFault(envelope) ? undefined : envelope);
  if (isFault(envelope)) return envelope;
  // Field by field: this is done for every frame, and copying an object costs more than all that is read here.
  const { header, body, said } = envelope;
  return { header, body, limits, said, dialect };
}

function openEnvelope(
  bytes: Uint8Array,
  limits: FrameLimits,
  { sealer, headers }: FrameOptions,
): Omit<OpenedFrame, 'dialect' | 'limits'> | FrameFault {
  const { 2: version = 0, 3: flags = 0 } = bytes;
  if (bytes.length > limits.frameBytesMax) return fault('tooLarge', `A frame of ${bytes.length} bytes.`);
  if (flags > sealedFlag + nextFlag) return fault('malformed', `Flags ${flags} have no meaning.`);

  const isSealed = flags % nextFlag === sealedFlag;
  const start = bodyStart(isSealed);
  if (isSealed && sealer === undefined) return fault('sealed', 'The frame is sealed, and no secrets are given here.');
  if (!isSealed && sealer !== undefined) return fault('unsealed', 'The frame is not sealed, and secrets are given here.');
  if (bytes.length < start) return fault('truncated', `A sealed frame of ${bytes.length} bytes.`);
  if (sealer !== undefined && !sealer.verify(partsOf(bytes, start), bytes.subarray(prefixBytes, start))) {
    return fault('badSeal', 'The frame is sealed by none of the secrets given here, or was changed on its way.');
  }

  const said = { version, newest: flags >= nextFlag ? version + 1 : version };
  const known = headers?.find(bytes, start);
  if (known) return { header: known.header, body: bytes.subarray(start + known.bytes.length), said };
  const shape = checkShape(bytes, start, limits);
  if (isFault(shape)) return shape;
  return orFault(() => {
    const stated = bytes.subarray(start, shape.end);
    const header = readHeader(unpack(stated, shape));
    headers?.note(stated, header);
    return { header, body: bytes.subarray(shape.end), said };
  });
}

export function decodeMessages(opened: OpenedFrame): readonly Message[] | FrameFault {
  return decodeEach(opened, opened.dialect.read);
}

/** Each message by a reader that throws `Malformed` at what it does not know. */
export function decodeEach<T>(
  { body, limits }: Pick<OpenedFrame, 'body' | 'limits'>,
  read: (value: unknown) => T,
): readonly T[] | FrameFault {
  const shape = checkShape(body, 0, limits);
  if (isFault(shape)) return shape;
  if (shape.end !== body.length) return fault('malformed', `${body.length - shape.end} bytes follow the messages.`);
  return orFault(() => each(unpack(body, shape), 'messages', read));
}

function partsOf(bytes: Uint8Array, start: number): SealedParts {
  return { prefix: bytes.subarray(0, prefixBytes), body: bytes.subarray(start) };
}

function versionFault(version: number, dialects: Dialects, envelope: FrameFault['envelope']): FrameFault {
  const here = [...dialects.keys()].join(' and ');
  return { ...fault('version', `A frame of version ${version}; here ${here} can be read.`), version, ...(envelope && { envelope }) };
}

/** The only place that catches: also what no check foresaw is a fault of the frame, not of its reader. */
function orFault<T>(read: () => T): T | FrameFault {
  try {
    return read();
  } catch (error) {
    return fault('malformed', error instanceof Malformed ? error.message : `Unforeseen: ${String(error)}`);
  }
}

function readHeader(value: unknown): FrameHeader {
  const [group, founding, configuration, node, incarnation, run] = tuple(value, 6, 'header');
  return {
    group: name(group, 'header.group'),
    founding: identifier(founding, 'header.founding'),
    configuration: count(configuration, 'header.configuration'),
    node: name(node, 'header.node'),
    incarnation: identifier(incarnation, 'header.incarnation'),
    run: count(run, 'header.run'),
  };
}

function messageTuple(message: Message): Tuple {
  switch (message.type) {
    case 'canvass':
    case 'support':
    case 'prepare':
    case 'promise':
    case 'reject':
    case 'accept':
    case 'accepted':
    case 'heartbeat':
    case 'heartbeatSeen':
    case 'abdicate':
    case 'fetch':
    case 'chosen':
      return logTuple(message);
    case 'moved':
    case 'standbySeen':
    case 'roster':
    case 'orderGiven':
    case 'orderAnswered':
      return membershipTuple(message);
    case 'storeAt':
    case 'storesSeen':
    case 'recall':
    case 'recalled':
      return storeTuple(message);
    case 'hello':
    case 'greeting':
    case 'found':
    case 'foundingAccepted':
    case 'foundingConfirmed':
      return foundingTuple(message);
    case 'openSession':
    case 'sessionOpened':
    case 'openRefused':
    case 'closeSession':
    case 'submit':
    case 'replies':
    case 'keepAlive':
    case 'keptAlive':
    case 'sessionEnded':
    case 'watch':
    case 'watched':
      return sessionTuple(message);
    case 'fetchSnapshot':
    case 'snapshotOffer':
    case 'snapshotChunk':
      return snapshotTuple(message);
    default:
      return unreachable(message);
  }
}

function readMessage(value: unknown): Message {
  const fields = list(value, 'message');
  const code = count(fields[0], 'message.code');
  const message =
    readLogMessage(code, fields) ??
    readSessionMessage(code, fields) ??
    readFoundingMessage(code, fields) ??
    readMembershipMessage(code, fields) ??
    readStoreMessage(code, fields) ??
    readSnapshotMessage(code, fields);
  if (message === null) throw new Malformed(`message code ${code} is not known`);
  return message;
}

const presentDialect: Dialect = { tupleOf: messageTuple, read: readMessage };
const presentSpeech: Speech = { version: presentVersion, newest: presentVersion, dialect: presentDialect };

/** The grammars that this build reads. With a second version that of the first stays here, for as long as an upgrade may start from it. */
export const presentDialects: Dialects = new Map([[presentVersion, presentDialect]]);
