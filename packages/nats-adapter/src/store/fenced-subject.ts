/**
 * A subject of a stream with one writer: each publish says which message it expects to be the last, and the server refuses it once
 * another writer has put one there. JetStream's ADR-8 and ADR-22, `Nats-Expected-Last-Subject-Sequence`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import { requestFailed } from '../jetstream/request-failure.ts';
import type { NatsRequestOptions, NatsStreamConnection } from '../jetstream/stream-connection.ts';
import type { SeatStream } from './seat-stream.ts';

const retryMs = 50;
/** A publish that was lost with its connection is made again after this. */
const attemptMs = 2_000;
/** No message ever has this sequence. */
const impossible = Number.MAX_SAFE_INTEGER;

interface PublishAnswer {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

export interface FencedSubjectOptions {
  readonly connection: NatsStreamConnection;
  readonly stream: SeatStream;
  readonly subject: string;
  /** For one write, repeated attempts while nobody answers included. */
  readonly writeTimeoutMs: number;
}

/**
 * 1. After `claim`, no write of an earlier claimant lands.
 * 2. An attempt whose answer did not come is made again under the same expectation, so that it lands once at most; where the server
 *    then finds the expectation wrong, the last message says whether it was ours that landed.
 * 3. Where the time runs out, nobody knows whether it landed: the writer ends.
 */
export class FencedSubject {
  readonly #options: FencedSubjectOptions;
  #last = 0;

  constructor(options: FencedSubjectOptions) {
    this.#options = options;
  }

  get subject(): string {
    return this.#options.subject;
  }

  /** Resolves to the sequence of the claim. */
  async claim(payload: Uint8Array): Promise<number> {
    await this.#checkFence(payload);
    const answer = await this.#untilAnswered(payload, undefined);
    this.#last = answer.sequence;
    return answer.sequence;
  }

  /** Resolves to its sequence. Rejects with STORAGE_IN_USE once another has claimed the subject. */
  async append(payload: Uint8Array): Promise<number> {
    const answer = await this.#untilAnswered(payload, this.#last);
    if (answer.isRefused) throw inUse(this.subject);
    this.#last = answer.sequence;
    return answer.sequence;
  }

  /** A client that drops the header would make every fence an open door, and nothing else would show it. */
  async #checkFence(payload: Uint8Array): Promise<void> {
    const { isRefused } = await this.#untilAnswered(payload, impossible);
    if (isRefused) return;
    throw new QuorateError(
      'STORAGE_FAILED',
      'The server took a write that it had to refuse: this client or server does not do what a fence needs.',
    );
  }

  async #untilAnswered(
    payload: Uint8Array,
    expected: number | undefined,
  ): Promise<{ readonly sequence: number; readonly isRefused: boolean }> {
    const { stream, subject, writeTimeoutMs } = this.#options;
    const deadlineMs = performance.now() + writeTimeoutMs;
    for (let isDoubtful = false; ; isDoubtful = true) {
      try {
        const sequence = await this.#publish(
          payload,
          expected,
          Math.min(attemptMs, Math.max(1, Math.ceil(deadlineMs - performance.now()))),
        );
        if (sequence !== undefined) return { sequence, isRefused: false };
        const last = isDoubtful ? await stream.lastOf(subject) : undefined;
        if (last !== undefined && Buffer.compare(last.data, payload) === 0) return { sequence: last.sequence, isRefused: false };
        return { sequence: 0, isRefused: true };
      } catch (error) {
        if (!isQuorateError(error, 'TRANSPORT_FAILED') || performance.now() + retryMs >= deadlineMs) throw error;
      }
      await delay(retryMs);
    }
  }

  /** Undefined where the expectation was wrong. */
  async #publish(payload: Uint8Array, expected: number | undefined, timeoutMs: number): Promise<number | undefined> {
    const { connection, stream, subject } = this.#options;
    let data: Uint8Array;
    try {
      ({ data } = await connection.request(subject, payload, requestOptions(timeoutMs, stream.name, expected)));
    } catch (cause) {
      throw requestFailed(connection, subject, cause);
    }
    const { seq, stream: by, error } = answerOf(data);
    if (error !== undefined) {
      if (wrongLastSequence.includes(error.err_code)) return undefined;
      const said = `JetStream refused a write to ${JSON.stringify(subject)}: ${error.description ?? 'no reason given'} (${error.err_code ?? error.code}).`;
      // "Try again" of a server without room or leader for the moment; all else is for good.
      throw new QuorateError(error.code === 503 ? 'TRANSPORT_FAILED' : 'STORAGE_FAILED', said, { details: { subject, ...error } });
    }
    if (by === stream.name && seq !== undefined) return seq;
    throw new QuorateError('STORAGE_FAILED', `${JSON.stringify(subject)} is not stored by stream ${stream.name} but by ${by ?? 'nobody'}.`);
  }
}

const wrongLastSequence: readonly (number | undefined)[] = [10_071, 10_164];

/**
 * Both generations of the client ask the headers of a message for nothing but their bytes, and neither gives a way to make headers to
 * who has only a connection. `checkFence` looks whether they arrive.
 */
function requestOptions(timeout: number, stream: string, expected: number | undefined): NatsRequestOptions {
  const lines = ['NATS/1.0', `Nats-Expected-Stream: ${stream}`];
  if (expected !== undefined) lines.push(`Nats-Expected-Last-Subject-Sequence: ${expected}`);
  const headers = { encode: () => new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`) };
  return { timeout, ...{ headers } };
}

function answerOf(data: Uint8Array): PublishAnswer {
  try {
    const answer: unknown = JSON.parse(new TextDecoder().decode(data));
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // Falls through.
  }
  return {};
}

function inUse(subject: string): QuorateError {
  return new QuorateError('STORAGE_IN_USE', `Another process has written to ${JSON.stringify(subject)}: it has this seat now.`, {
    details: { subject },
  });
}
