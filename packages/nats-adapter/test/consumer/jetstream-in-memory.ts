/** The part of a JetStream server that durables are made and ended with, in memory: what is asked of it is kept in order, and a test may act in between. */
import type { ConsumerConfig } from '../../src/jetstream/jetstream-api.ts';
import type { NatsStreamConnection, NatsStreamMessage } from '../../src/jetstream/stream-connection.ts';

interface Consumer {
  readonly name: string;
  config: ConsumerConfig;
  /** The place in the stream up to which everything is acknowledged. */
  floor: number;
  waitingPulls: number;
}

const consumerNotFound = { code: 404, err_code: 10_014, description: 'consumer not found' };
const overlap = { code: 400, err_code: 10_100, description: 'filtered consumer not unique on workqueue stream' };

export class InMemoryJetStream {
  readonly consumers = new Map<string, Consumer>();
  /** `create`, `close` (an update), `delete`: what changed something, with the name of the durable. */
  readonly changes: string[] = [];
  /** Called before each request is answered. */
  before: (operation: string, durable: string) => void = () => undefined;

  constructor(private readonly retention: 'limits' | 'interest' | 'workqueue' = 'limits') {}

  /** A durable that somebody else made. */
  put(name: string, floor = 0, config: Partial<ConsumerConfig> = {}): Consumer {
    const whole = {
      durable_name: name,
      name,
      filter_subject: 'orders.3',
      ack_policy: 'explicit',
      ack_wait: 30e9,
      max_ack_pending: 1,
    } as const;
    const consumer = { name, config: { ...whole, deliver_policy: 'all' as const, ...config }, floor, waitingPulls: 0 };
    this.consumers.set(name, consumer);
    return consumer;
  }

  get names(): readonly string[] {
    return [...this.consumers.keys()];
  }

  get connection(): NatsStreamConnection {
    const request = (subject: string, payload?: Uint8Array | string): Promise<NatsStreamMessage> => {
      const answer = this.#answer(subject.split('.').slice(2), payload === '' || payload === undefined ? {} : JSON.parse(String(payload)));
      return Promise.resolve({ subject, data: Buffer.from(JSON.stringify(answer)) });
    };
    return { request, isClosed: () => false } as Partial<NatsStreamConnection> as NatsStreamConnection;
  }

  /** `[$JS, API], kind, operation, stream, durable, filter`. */
  #answer([kind, operation = '', , durable = '']: readonly string[], body: { config?: ConsumerConfig; action?: string }): unknown {
    const asked = operation === 'CREATE' && body.action === 'update' ? 'close' : operation.toLowerCase();
    this.before(asked, durable);
    if (kind === 'STREAM') return { config: { retention: this.retention } };
    const found = this.consumers.get(durable);
    switch (asked) {
      case 'names':
        return { total: this.consumers.size, consumers: this.names };
      case 'create':
        if (this.retention === 'workqueue' && this.consumers.size > 0) return { error: overlap };
        this.changes.push(`create ${durable}`);
        return this.#infoOf(this.put(durable, (body.config?.opt_start_seq ?? 1) - 1, body.config));
      case 'close':
        if (found === undefined) return { error: consumerNotFound };
        this.changes.push(`close ${durable}`);
        found.config = { ...found.config, ...body.config };
        return this.#infoOf(found);
      case 'delete':
        if (!this.consumers.delete(durable)) return { error: consumerNotFound };
        this.changes.push(`delete ${durable}`);
        return { success: true };
      default:
        return found === undefined ? { error: consumerNotFound } : this.#infoOf(found);
    }
  }

  #infoOf({ name, config, floor, waitingPulls }: Consumer): unknown {
    const place = { consumer_seq: floor, stream_seq: floor };
    return { name, config, delivered: place, ack_floor: place, num_ack_pending: 0, num_waiting: waitingPulls };
  }
}
