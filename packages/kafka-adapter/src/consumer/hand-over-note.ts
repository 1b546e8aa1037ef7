/**
 * The position as a hand-over note: the owner's token, and by topic the next offset and the one that the group's commit stood at. And
 * where a new owner begins: at the commit or at the note, whichever is of the later owner.
 */
import { isToken } from '@quorate/core/adapter';
import type { CommittedOffset } from './consumer-driver.ts';

export interface NotedPosition {
  readonly position: bigint;
  readonly committed: bigint | undefined;
}

/** What the last owner that left in good order said. */
export interface HandOverNote {
  readonly token: number;
  readonly positions: ReadonlyMap<string, NotedPosition>;
}

const noteBytesMax = 1_024;
const noteOfOwner = /^#(0|[1-9]\d{0,15});(.*)$/;
const part = /^([a-zA-Z0-9._-]+)=(\d{1,19})(?:\/(\d{1,19}))?$/;
const offsetMax = 2n ** 63n - 1n;
const ownMetadata = /^quorate:(0|[1-9]\d{0,15})(?: of:([1-9]\d{0,5})(?= |$))?(?: |$)/;

/** `#4194305;orders=120/118;refunds=7`. Undefined where it would not fit: the commits stand for it then. */
export function writeNote({ token, positions }: HandOverNote): string | undefined {
  const parts = Array.from(positions, ([topic, { position, committed }]) => {
    return committed === undefined ? `${topic}=${position}` : `${topic}=${position}/${committed}`;
  });
  const note = `#${token};${parts.join(';')}`;
  return Buffer.byteLength(note) > noteBytesMax ? undefined : note;
}

/** What does not parse is not ours and says nothing. */
export function readNote(note: string | undefined): HandOverNote | undefined {
  const [, digits, parts = ''] = noteOfOwner.exec(note ?? '') ?? [];
  const token = Number(digits);
  if (!isToken(token)) return undefined;
  const positions = new Map<string, NotedPosition>();
  for (const text of parts.split(';')) {
    const [, topic, position, committed] = part.exec(text) ?? [];
    if (topic === undefined || position === undefined) continue;
    const noted = { position: BigInt(position), committed: committed === undefined ? undefined : BigInt(committed) };
    if (noted.position <= offsetMax && (noted.committed ?? 0n) <= offsetMax) positions.set(topic, noted);
  }
  return { token, positions };
}

/**
 * `quorate:4194305 of:12 mine`: a commit carries the token of its owner, with how many partitions the group began the topic, and a
 * user's own metadata behind them. Earlier versions read the second for the user's, and keep it.
 */
export function writeMetadata(token: number, metadata = '', begunWith?: number): string {
  const parts = [`quorate:${token}`, ...(begunWith === undefined ? [] : [`of:${begunWith}`]), ...(metadata === '' ? [] : [metadata])];
  return parts.join(' ');
}

/** Undefined for what others committed. */
export function tokenOf(metadata: string): number | undefined {
  const token = Number(ownMetadata.exec(metadata)?.[1]);
  return isToken(token) ? token : undefined;
}

/** With how many partitions the group began the topic. Undefined where the commit does not say so. */
export function begunWithIn(metadata: string): number | undefined {
  const count = ownMetadata.exec(metadata)?.[2];
  return tokenOf(metadata) === undefined || count === undefined ? undefined : Number(count);
}

/** What the user wrote behind them. */
export function userMetadataIn(metadata: string): string {
  return tokenOf(metadata) === undefined ? '' : metadata.replace(ownMetadata, '');
}

export interface Start {
  readonly offset: bigint;
  readonly from: 'commit' | 'note';
}

/**
 * Undefined where neither says anything. Of a commit and a note of owners, that of the later owner holds, also where it is not as far:
 * somebody went back. An owner's last commit is made before its note. A commit without a token that is not the one the last owner saw
 * was made by somebody since, an operator who reset the offsets for one: it holds.
 */
export function startOf({ topic, offset, metadata }: CommittedOffset, note: HandOverNote | undefined): Start | undefined {
  const noted = note?.positions.get(topic);
  if (note === undefined || noted === undefined) return offset === undefined ? undefined : { offset, from: 'commit' };
  if (offset === noted.position) return { offset, from: 'commit' };
  const committer = tokenOf(metadata);
  const isNoteOlder = committer === undefined ? offset !== noted.committed : committer > note.token;
  if (offset !== undefined && isNoteOlder) return { offset, from: 'commit' };
  return { offset: noted.position, from: 'note' };
}
