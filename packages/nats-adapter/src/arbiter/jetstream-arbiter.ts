/**
 * JetStream as an arbiter: a stream with one subject, to which a message is published with the sequence that it expects to come after.
 * JetStream's ADR-8, `Nats-Expected-Last-Sequence`; `docs/decisions/0018`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { encodeName, isQuorateError, QuorateError } from '@quorate/core/adapter';
import type { Arbiter } from '@quorate/core/adapter';
import { JetStreamApi } from '../jetstream/jetstream-api.ts';
import { apiCode, isNoResponders, requestFailed } from '../jetstream/request-failure.ts';
import type { NatsRequestOptions, NatsStreamConnection } from '../jetstream/stream-connection.ts';
import { FoundingStream } from './founding-stream.ts';

const requestTimeoutMs = 5_000;
const attemptMs = 2_000;
const retryMs = 50;
const wrongLastSequence: readonly (number | undefined)[] = [apiCode.wrongLastSequence, apiCode.wrongLastSequenceUnsaid];
/** JetStream is there, but not for this account. */
const notEnabledForAccount = 10_039;
const notEnabled = 10_076;

export interface JetStreamArbiterOptions {
  readonly group: string;
  readonly subjectPrefix: string;
  /** As of `NatsTransportOptions.foundings`. */
  readonly stream?: string | undefined;
  readonly replicas?: number | undefined;
  readonly apiPrefix: string;
}

interface PublishAnswer {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

export class JetStreamArbiter implements Arbiter {
  readonly #connection: NatsStreamConnection;
  readonly #stream: FoundingStream;
  readonly #subject: string;

  constructor(connection: NatsStreamConnection, options: JetStreamArbiterOptions) {
    const { group, subjectPrefix, stream = `quorate_${encodeName(group)}_founding`, replicas, apiPrefix } = options;
    this.#connection = connection;
    this.#subject = `${subjectPrefix}.${encodeName(group)}.founding`;
    const api = new JetStreamApi(connection, { stream, apiPrefix, requestTimeoutMs });
    this.#stream = new FoundingStream({ api, subject: this.#subject, replicas });
  }

  async read(): Promise<readonly Uint8Array[]> {
    try {
      const length = await this.#stream.length();
      const records: Uint8Array[] = [];
      for (let sequence = 1; sequence <= length; sequence += 1) records.push(await this.#stream.message(sequence));
      return records;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async append(position: number, record: Uint8Array): Promise<boolean> {
    try {
      // A stream that was cleared would take a first message anew.
      if ((await this.#stream.length()) !== position) return false;
      return await this.#write(position, record);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** An attempt that nobody answered is made again under the same expectation, so that it lands once at most. */
  async #write(position: number, record: Uint8Array): Promise<boolean> {
    const deadlineMs = performance.now() + requestTimeoutMs;
    for (let isDoubtful = false; ; isDoubtful = true) {
      try {
        if (await this.#publish(position, record)) return true;
        if (!isDoubtful || (await this.#stream.length()) <= position) return false;
        return Buffer.compare(await this.#stream.message(position + 1), record) === 0;
      } catch (error) {
        if (!isQuorateError(error, 'TRANSPORT_FAILED') || performance.now() + retryMs >= deadlineMs) throw error;
      }
      await delay(retryMs);
    }
  }

  async #publish(position: number, record: Uint8Array): Promise<boolean> {
    let data: Uint8Array;
    try {
      ({ data } = await this.#connection.request(this.#subject, record, expecting(this.#stream.name, position)));
    } catch (cause) {
      throw requestFailed(this.#connection, this.#subject, cause);
    }
    const { seq, stream, error } = answerOf(data);
    if (error !== undefined) {
      if (wrongLastSequence.includes(error.err_code)) return false;
      const said = `JetStream refused a write to ${JSON.stringify(this.#subject)}: ${error.description ?? 'no reason given'} (${error.err_code ?? error.code}).`;
      throw new QuorateError(error.code === 503 ? 'TRANSPORT_FAILED' : 'INVALID_OPTIONS', said, { details: { ...error } });
    }
    if (stream === this.#stream.name && seq === position + 1) return true;
    const happened = `A write that expected to be number ${position + 1} of ${this.#stream.name} became number ${seq ?? 'none'} of ${stream ?? 'nothing'}: this client or server loses the header that says so.`;
    throw new QuorateError('ARBITER_MISSING', happened, { details: { stream, seq, position } });
  }

  #explained(error: unknown): unknown {
    if (!isQuorateError(error)) return error;
    const code = error.details['errorCode'];
    const isForGood = code === notEnabled || code === notEnabledForAccount;
    // A server that has JetStream says so in its greeting; then its leader is away for the moment.
    const isUnheard = isNoResponders(error.cause) && this.#connection.info?.jetstream !== true;
    if (!isForGood && !isUnheard) return error;
    const happened =
      'JetStream is not enabled on this NATS server, or not for this account; `voters: { count }` needs it (start the server with `-js`).';
    return new QuorateError('ARBITER_MISSING', happened, { cause: error });
  }
}

/** As for stores: both generations ask the headers of a message for nothing but their bytes. `#publish` looks whether they arrived. */
function expecting(stream: string, last: number): NatsRequestOptions {
  const lines = ['NATS/1.0', `Nats-Expected-Stream: ${stream}`, `Nats-Expected-Last-Sequence: ${last}`];
  const headers = { encode: () => new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`) };
  return { timeout: attemptMs, ...{ headers } };
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
