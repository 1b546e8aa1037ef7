/**
 * The key of a frame's record: from whom and for whom, readable without decoding the frame. It is no secret and no proof: whoever
 * may write to the topic may write any key, and all it decides is whether a frame is looked at.
 *
 * // key => version(int8) channel(8 bytes) inbox(int16) senderLength(int16) sender addressee
 * // sender and addressee in UTF-8; no addressee on the partitions that everybody there reads
 */
import type { Destination } from '@quorate/core/adapter';

const version = 1;
const channelStart = 1;
export const channelIdLength = 8;
const inboxAt = channelStart + channelIdLength;
const senderLengthAt = inboxAt + 2;
const senderStart = senderLengthAt + 2;

/** Keys of more nodes than this are made again instead of remembered. */
const rememberedMax = 10_000;

/** The longest key: names have at most 256 bytes. */
export const recordKeyBytesMax = senderStart + 512;

export interface RecordKeyOptions {
  /** Random: tells this channel's own frames from those of everyone else, namesakes included. */
  readonly channel: Buffer;
  readonly node: string;
  readonly inbox: number;
}

/**
 * - `own`: written by this channel. `foreign`: no key of ours. `elsewhere`: for another node that shares the inbox.
 * - `here`: for this node, or for all who read the partition.
 */
export type Reading = 'own' | 'foreign' | 'elsewhere' | 'here';

export class RecordKeys {
  readonly #mine: Buffer;
  readonly #node: Buffer;
  readonly #toNodes = new Map<string, Buffer>();

  constructor({ channel, node, inbox }: RecordKeyOptions) {
    this.#node = Buffer.from(node);
    this.#mine = Buffer.alloc(senderStart + this.#node.length);
    this.#mine.writeUInt8(version, 0);
    channel.copy(this.#mine, channelStart, 0, channelIdLength);
    this.#mine.writeUInt16BE(inbox, inboxAt);
    this.#mine.writeUInt16BE(this.#node.length, senderLengthAt);
    this.#node.copy(this.#mine, senderStart);
  }

  keyFor(to: Destination): Buffer {
    if (to.type !== 'node') return this.#mine;
    let key = this.#toNodes.get(to.node);
    if (key === undefined) {
      key = Buffer.concat([this.#mine, Buffer.from(to.node)]);
      if (this.#toNodes.size >= rememberedMax) this.#toNodes.clear();
      this.#toNodes.set(to.node, key);
    }
    return key;
  }

  read(key: Buffer | null): Reading {
    if (key === null || key.length < senderStart || key[0] !== version) return 'foreign';
    const addresseeStart = senderStart + key.readUInt16BE(senderLengthAt);
    if (addresseeStart > key.length) return 'foreign';
    if (this.#mine.compare(key, channelStart, inboxAt, channelStart, inboxAt) === 0) return 'own';
    if (addresseeStart === key.length) return 'here';
    return this.#node.compare(key, addresseeStart) === 0 ? 'here' : 'elsewhere';
  }
}

/** Who wrote a record of ours and where it reads. */
export function senderOf(key: Buffer): { readonly node: string; readonly inbox: number } {
  const node = key.toString('utf8', senderStart, senderStart + key.readUInt16BE(senderLengthAt));
  return { node, inbox: key.readUInt16BE(inboxAt) };
}

/** The identity of the channel that wrote it, cheap enough to look up for every frame. */
export function channelOf(key: Buffer): string {
  return key.toString('latin1', channelStart, inboxAt);
}
