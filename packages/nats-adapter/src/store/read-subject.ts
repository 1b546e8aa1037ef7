/**
 * Reads one subject of a stream from its first message up to a given one, by a consumer of its own that nobody acknowledges to. The
 * server it lives on may lag behind the leader of the stream, but skips nothing: once the last message is there, all are.
 */
import { randomBytes } from 'node:crypto';
import { QuorateError } from '@quorate/core/adapter';
import type { JetStreamApi } from '../jetstream/jetstream-api.ts';
import { arrivalOf } from '../consumer/delivery.ts';
import type { NatsStreamConnection, NatsStreamMessage } from '../jetstream/stream-connection.ts';

const nanoseconds = 1e6;
const heartbeatMs = 1_000;

export interface SubjectReading {
  readonly connection: NatsStreamConnection;
  readonly api: JetStreamApi;
  readonly subject: string;
  /** The sequence of the last message that is wanted. */
  readonly upTo: number;
  readonly inboxPrefix: string;
  /** The longest silence. */
  readonly silenceMs: number;
}

export async function readSubject(reading: SubjectReading): Promise<readonly Uint8Array[]> {
  const { connection, api, inboxPrefix, subject } = reading;
  const name = `quorate-${randomBytes(9).toString('hex')}`;
  const inbox = `${inboxPrefix}.${name}`;
  const collector = new Collector(reading);
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error === null) collector.take(message);
      else collector.fail(error);
    },
  });
  try {
    await api.ask<unknown>(`CONSUMER.CREATE.${api.stream}.${name}.${subject}`, {
      stream_name: api.stream,
      config: {
        name,
        deliver_subject: inbox,
        filter_subject: subject,
        deliver_policy: 'all',
        replay_policy: 'instant',
        ack_policy: 'none',
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: 30_000 * nanoseconds,
        flow_control: true,
        idle_heartbeat: heartbeatMs * nanoseconds,
      },
      action: 'create',
    });
    return await collector.whole;
  } finally {
    collector.stop();
    subscription.unsubscribe();
    // It ends by itself where it cannot be ended.
    api.deleteConsumer(name).catch(() => undefined);
  }
}

class Collector {
  readonly whole: Promise<readonly Uint8Array[]>;
  readonly #messages: Uint8Array[] = [];
  readonly #reading: SubjectReading;
  #resolve: (messages: readonly Uint8Array[]) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(reading: SubjectReading) {
    this.#reading = reading;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.whole.catch(() => undefined);
    this.#expectMore();
  }

  take(message: NatsStreamMessage): void {
    const arrival = arrivalOf(message);
    if (arrival.type !== 'delivery') return this.#onWord(message);
    const { consumerSequence, message: stored } = arrival.delivery;
    if (consumerSequence !== this.#messages.length + 1) return this.fail(new Error('a message was lost on its way'));
    if (stored.sequence > this.#reading.upTo) return this.#resolve(this.#messages);
    this.#messages.push(stored.data);
    this.#expectMore();
    if (stored.sequence === this.#reading.upTo) this.#resolve(this.#messages);
  }

  fail(cause: unknown): void {
    const { subject } = this.#reading;
    this.#reject(
      new QuorateError('TRANSPORT_FAILED', `${JSON.stringify(subject)} could not be read to its end: ${String(cause)}.`, { cause }),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Flow control asks for an answer; a heartbeat that names a stalled consumer by header does as well. */
  #onWord({ reply, headers }: NatsStreamMessage): void {
    const stalled = headers?.get('Nats-Consumer-Stalled') ?? '';
    const answerTo = reply !== undefined && reply !== '' ? reply : stalled;
    if (answerTo !== '') this.#reading.connection.publish(answerTo);
  }

  #expectMore(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fail(new Error('the server fell silent')), this.#reading.silenceMs);
  }
}
