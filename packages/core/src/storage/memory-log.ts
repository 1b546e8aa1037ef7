/** The fenced log in memory, for tests of what stands on it: as many processes as open it, and the one that took it last writes. */
import { randomBytes } from 'node:crypto';
import { QuorateError } from '../errors.ts';
import type { FencedLog } from './fenced-log.ts';
import { claimPart } from './log-entry.ts';

export interface MemoryLogOptions {
  /** Default 1 MiB. */
  readonly partBytesMax?: number;
  /** Default 500 ms. */
  readonly zombieMs?: number;
}

export class MemoryLog {
  /** What a broker would hold; tests look at it and spoil it. */
  entries: Uint8Array[] = [];
  readonly pieces = new Map<string, Uint8Array>();
  #taker = {};

  constructor(private readonly options: MemoryLogOptions = {}) {}

  /** `beforeWrite` is awaited by whatever reaches the log, part by part; a process may die there. */
  open(beforeWrite: () => Promise<void> = () => Promise.resolve()): FencedLog {
    let self = {};
    const write = async (land: () => void): Promise<void> => {
      await beforeWrite();
      if (self !== this.#taker) throw new QuorateError('STORAGE_IN_USE', 'Another process has taken the log of this seat over.');
      land();
    };
    return {
      zombieMs: this.options.zombieMs ?? 500,
      partBytesMax: this.options.partBytesMax ?? 1_048_576,
      take: async () => {
        await Promise.resolve();
        self = this.#taker = {};
        this.entries.push(claimPart(randomBytes(16)));
        return this.entries;
      },
      append: async ({ parts, position, keeps }) => {
        for (const part of parts) await write(() => void this.entries.push(part));
        if (position === 0) await write(() => this.#dropBefore(parts[0], keeps));
      },
      renew: () => write(() => undefined),
      putPiece: (id, index, bytes) => write(() => void this.pieces.set(`${id} ${index}`, bytes)),
      pieces: (id, count) => Promise.resolve(Array.from({ length: count }, (_, index) => this.pieces.get(`${id} ${index}`))),
      close: () => Promise.resolve(),
    };
  }

  #dropBefore(head: Uint8Array | undefined, keeps: string | undefined): void {
    this.entries = this.entries.slice(this.entries.findIndex((entry) => entry === head));
    for (const key of this.pieces.keys()) if (key.split(' ')[0] !== keeps) this.pieces.delete(key);
  }
}
