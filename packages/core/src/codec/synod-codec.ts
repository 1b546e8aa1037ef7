/** Messages of a synod to tuples and back, in frames of the usual kind. `docs/protocol.md`, "Synod". */
import { unreachable } from '../errors.ts';
import type { SynodMemberMessage } from '../paxos/synod-message.ts';
import { fault, isFault, Malformed, type FrameFault } from './fault.ts';
import { count, each, list, text, tuple, type Tuple } from './field.ts';
import { foundingTuple, readFoundingMessage } from './founding-codec.ts';
import type { FrameHeader } from './frame.ts';
import { decodeEach, decodeHeader, encodeTuples, packHeader } from './frame-codec.ts';
import { ballotTuple, readBallot } from './log-codec.ts';
import type { Sealer } from './seal.ts';

// synodPrepare  => 96 ballot
// synodPromise  => 97 ballot (vote | null)
// synodAccept   => 98 ballot value
// synodAccepted => 99 ballot
// synodReject   => 100 ballot promised                            promised is a ballot
// synodDecided  => 101 value
// synodAsk      => 102
// vote          => ballot value
// value         => [text]                                         a JSON text in ASCII, in pieces
const synodCode = {
  synodPrepare: 96,
  synodPromise: 97,
  synodAccept: 98,
  synodAccepted: 99,
  synodReject: 100,
  synodDecided: 101,
  synodAsk: 102,
} as const;

const pieceBytesMax = 1024;

export interface SynodFrame {
  readonly header: FrameHeader;
  readonly messages: readonly SynodMemberMessage[];
}

export function encodeSynodFrame({ header, messages }: SynodFrame, sealer?: Sealer): Uint8Array {
  return encodeTuples(packHeader(header), messages.map(synodTuple), sealer);
}

/** Total, as for every frame: a synod's frame or a fault. */
export function decodeSynodFrame(bytes: Uint8Array, sealer?: Sealer): SynodFrame | FrameFault {
  const opened = decodeHeader(bytes, { sealer });
  if (isFault(opened)) return opened;
  const messages = decodeEach(opened, readSynodMessage);
  return isFault(messages) ? fault(messages.code, messages.detail) : { header: opened.header, messages };
}

function synodTuple(message: SynodMemberMessage): Tuple {
  switch (message.type) {
    case 'hello':
    case 'greeting':
    case 'found':
    case 'foundingAccepted':
    case 'foundingConfirmed':
      return foundingTuple(message);
    case 'synodPrepare':
    case 'synodAccepted':
      return [synodCode[message.type], ballotTuple(message.ballot)];
    case 'synodPromise': {
      const { ballot, vote } = message;
      return [synodCode.synodPromise, ballotTuple(ballot), vote && [ballotTuple(vote.ballot), piecesOf(vote.value)]];
    }
    case 'synodAccept':
      return [synodCode.synodAccept, ballotTuple(message.ballot), piecesOf(message.value)];
    case 'synodReject':
      return [synodCode.synodReject, ballotTuple(message.ballot), ballotTuple(message.promised)];
    case 'synodDecided':
      return [synodCode.synodDecided, piecesOf(message.value)];
    case 'synodAsk':
      return [synodCode.synodAsk];
    default:
      return unreachable(message);
  }
}

function readSynodMessage(value: unknown): SynodMemberMessage {
  const fields = list(value, 'message');
  const code = count(fields[0], 'message.code');
  switch (code) {
    case synodCode.synodPrepare: {
      const [, ballot] = tuple(fields, 2, 'synodPrepare');
      return { type: 'synodPrepare', ballot: readBallot(ballot, 'synodPrepare.ballot') };
    }
    case synodCode.synodPromise: {
      const [, ballot, vote] = tuple(fields, 3, 'synodPromise');
      return { type: 'synodPromise', ballot: readBallot(ballot, 'synodPromise.ballot'), vote: vote === null ? null : readVote(vote) };
    }
    case synodCode.synodAccept: {
      const [, ballot, pieces] = tuple(fields, 3, 'synodAccept');
      return { type: 'synodAccept', ballot: readBallot(ballot, 'synodAccept.ballot'), value: readPieces(pieces) };
    }
    case synodCode.synodAccepted: {
      const [, ballot] = tuple(fields, 2, 'synodAccepted');
      return { type: 'synodAccepted', ballot: readBallot(ballot, 'synodAccepted.ballot') };
    }
    case synodCode.synodReject: {
      const [, ballot, promised] = tuple(fields, 3, 'synodReject');
      return {
        type: 'synodReject',
        ballot: readBallot(ballot, 'synodReject.ballot'),
        promised: readBallot(promised, 'synodReject.promised'),
      };
    }
    case synodCode.synodDecided: {
      const [, pieces] = tuple(fields, 2, 'synodDecided');
      return { type: 'synodDecided', value: readPieces(pieces) };
    }
    case synodCode.synodAsk:
      tuple(fields, 1, 'synodAsk');
      return { type: 'synodAsk' };
    default: {
      const message = readFoundingMessage(code, fields);
      if (message === null) throw new Malformed(`message code ${code} is not known`);
      return message;
    }
  }
}

function readVote(value: unknown): { readonly ballot: ReturnType<typeof readBallot>; readonly value: string } {
  const [ballot, pieces] = tuple(value, 2, 'vote');
  return { ballot: readBallot(ballot, 'vote.ballot'), value: readPieces(pieces) };
}

/** No string on the wire is longer than `pieceBytesMax`; the text is ASCII, so that a piece may end anywhere. */
function piecesOf(value: string): Tuple {
  const pieces: string[] = [];
  for (let at = 0; at < value.length; at += pieceBytesMax) pieces.push(value.slice(at, at + pieceBytesMax));
  return pieces;
}

function readPieces(value: unknown): string {
  const joined = each(value, 'value', (piece, field) => text(piece, pieceBytesMax, field)).join('');
  try {
    JSON.parse(joined);
  } catch {
    throw new Malformed('value is no JSON text');
  }
  return joined;
}
