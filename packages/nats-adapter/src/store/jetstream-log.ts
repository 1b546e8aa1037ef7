/**
 * A seat's log in JetStream: entries under one subject, proofs of life under another, pieces of snapshots under one each. A claim on
 * both subjects keeps every earlier process out; all that was written before the claim is then read.
 */
import { randomBytes } from 'node:crypto';
import { claimPart, QuorateError } from '@quorate/core/adapter';
import type { FencedLog, LogWrite } from '@quorate/core/adapter';
import type { JetStreamApi } from '../jetstream/jetstream-api.ts';
import type { NatsStreamConnection } from '../jetstream/stream-connection.ts';
import { FencedSubject } from './fenced-subject.ts';
import { readSubject } from './read-subject.ts';
import type { SeatStream } from './seat-stream.ts';

const zombieMs = 2_000;
/** What a message is beside its payload: its headers. */
const headerBytes = 1_024;
const partBytesUnknown = 65_536;
const nonceBytes = 16;
/** Old proofs of life are purged by the bunch. */
const renewalsBetweenPurges = 64;
/** Two writers may be let in by one expectation before this: nats-server, issue 4320. */
const oldestServer = [2, 10] as const;

export interface JetStreamLogOptions {
  readonly connection: NatsStreamConnection;
  readonly api: JetStreamApi;
  readonly stream: SeatStream;
  /** What all subjects of this seat begin with. */
  readonly seat: string;
  readonly inboxPrefix: string;
  readonly requestTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

export class JetStreamLog implements FencedLog {
  readonly zombieMs = zombieMs;
  readonly #options: JetStreamLogOptions;
  readonly #entries: FencedSubject;
  readonly #alive: FencedSubject;
  readonly #pieceIds = new Set<string>();
  #renewals = 0;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
    const { connection, stream, seat, writeTimeoutMs } = options;
    this.#entries = new FencedSubject({ connection, stream, subject: `${seat}.log`, writeTimeoutMs });
    this.#alive = new FencedSubject({ connection, stream, subject: `${seat}.alive`, writeTimeoutMs });
  }

  get partBytesMax(): number {
    const { connection, stream } = this.#options;
    const most = Math.min(connection.info?.max_payload ?? partBytesUnknown, stream.messageBytesMax);
    return Math.max(1, most - headerBytes);
  }

  async take(): Promise<readonly Uint8Array[]> {
    const { connection, api, stream, seat, inboxPrefix, requestTimeoutMs } = this.#options;
    checkServer(connection.info?.version);
    await stream.ensure();
    await this.#alive.claim(newClaim());
    const upTo = await this.#entries.claim(newClaim());
    this.#pieceIds.clear();
    for (const subject of await stream.subjectsOf(`${seat}.piece.*.*`)) this.#pieceIds.add(subject.split('.').at(-2) ?? '');
    return readSubject({ connection, api, subject: this.#entries.subject, upTo, inboxPrefix, silenceMs: requestTimeoutMs });
  }

  async append({ parts, position, keeps }: LogWrite): Promise<void> {
    let first: number | undefined;
    for (const part of parts) {
      const sequence = await this.#entries.append(part);
      first ??= sequence;
    }
    if (position === 0 && first !== undefined) this.#dropBefore(first, keeps);
  }

  async renew(): Promise<void> {
    const sequence = await this.#alive.append(newClaim());
    if ((this.#renewals += 1) % renewalsBetweenPurges === 0) this.#purge(this.#alive.subject, { seq: sequence });
  }

  async putPiece(id: string, index: number, bytes: Uint8Array): Promise<void> {
    const { connection, stream, seat, writeTimeoutMs } = this.#options;
    this.#pieceIds.add(id);
    // Nobody else writes under this id: an expectation makes a repeated attempt land once, and is no fence.
    await new FencedSubject({ connection, stream, subject: `${seat}.piece.${id}.${index}`, writeTimeoutMs }).append(bytes);
  }

  async pieces(id: string, count: number): Promise<readonly (Uint8Array | undefined)[]> {
    const { stream, seat } = this.#options;
    const found: (Uint8Array | undefined)[] = [];
    for (let index = 0; index < count; index += 1) found.push((await stream.lastOf(`${seat}.piece.${id}.${index}`))?.data);
    return found;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Nobody waits for it, and what could not be dropped is tried again with the next head. */
  #dropBefore(head: number, keeps: string | undefined): void {
    this.#purge(this.#entries.subject, { seq: head });
    for (const id of this.#pieceIds) {
      if (id !== keeps) this.#purge(`${this.#options.seat}.piece.${id}.*`, undefined, () => this.#pieceIds.delete(id));
    }
  }

  #purge(filter: string, which: { readonly seq: number } | undefined, done: () => void = () => undefined): void {
    this.#options.stream.purge(filter, which).then(done, () => undefined);
  }
}

function newClaim(): Uint8Array {
  return claimPart(randomBytes(nonceBytes));
}

function checkServer(version: string | undefined): void {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (version === undefined || major > oldestServer[0] || (major === oldestServer[0] && minor >= oldestServer[1])) return;
  const happened = `The nats-server is ${version}; a store in JetStream needs ${oldestServer.join('.')}, or two processes may write to one seat.`;
  throw new QuorateError('INVALID_OPTIONS', happened, { details: { version } });
}
