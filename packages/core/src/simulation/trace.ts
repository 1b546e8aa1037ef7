/** What a run was: a hash over everything that happened, so that two runs can be compared, and its story where one is asked for. */
import { createHash } from 'node:crypto';

const flushBytes = 65_536;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(flushBytes);
  #length = 0;
  readonly #lines: string[] = [];

  /** Without a story only the hash is kept. */
  constructor(readonly hasStory: boolean) {}

  /** A moment and who it happened to. */
  moment(kind: number, atMs: number, who: number): void {
    if (this.#length + 24 > flushBytes) this.#flush();
    this.#length = this.#buffer.writeDoubleLE(kind, this.#length);
    this.#length = this.#buffer.writeDoubleLE(atMs, this.#length);
    this.#length = this.#buffer.writeDoubleLE(who, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    if (this.#length + bytes.length > flushBytes) this.#flush();
    if (bytes.length > flushBytes) return void this.#hash.update(bytes);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A line of the story; part of the hash whether the story is kept or not. */
  tell(atMs: number, line: string): void {
    const text = `${atMs.toFixed(3).padStart(10)}  ${line}`;
    this.bytes(Buffer.from(text));
    if (this.hasStory) this.#lines.push(text);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Ends the trace. */
  digest(): string {
    this.#flush();
    return this.#hash.digest('hex').slice(0, 32);
  }

  #flush(): void {
    if (this.#length > 0) this.#hash.update(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}
