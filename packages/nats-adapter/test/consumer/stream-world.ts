/** A stream on a real server, members that consume it, and what each of them handled. */
import { connect as connectGeneration3 } from '@nats-io/transport-node';
import { connect as connectGeneration2, nanos, RetentionPolicy, StringCodec } from 'nats';
import type { ConsumerInfo, JetStreamClient, JetStreamManager, NatsConnection as AdminConnection } from 'nats';
import { ownedConsumer } from '../../src/index.ts';
import type { MessageContext, NatsStreamConnection, OwnedConsumer, OwnedConsumerEvent, OwnedConsumerOptions } from '../../src/index.ts';
import { CommandedGroup } from './commanded-partitions.ts';
import type { CommandedMember } from './commanded-partitions.ts';
import { natsLogin } from '../../../../scripts/brokers/nats-login.ts';
import type { NatsLogin } from '../../../../scripts/brokers/nats-login.ts';

export interface StreamConnection extends NatsStreamConnection {
  close(): Promise<void>;
}

export interface StreamClientOptions {
  readonly servers: string | string[];
  readonly user?: string;
  readonly pass?: string;
}

export interface StreamClient {
  readonly client: string;
  connect(options: StreamClientOptions): Promise<StreamConnection>;
}

const reconnecting = { maxReconnectAttempts: -1, reconnectTimeWait: 50 };

export const streamClients: readonly StreamClient[] = [
  { client: 'nats 2', connect: (options) => connectGeneration2({ ...options, ...reconnecting }) },
  { client: '@nats-io/transport-node 3', connect: (options) => connectGeneration3({ ...options, ...reconnecting }) },
];

/** The user's connection with some of it replaced. */
export function wrapped(connection: StreamConnection, replaced: Partial<StreamConnection>): StreamConnection {
  return {
    publish: (subject, payload, options) => connection.publish(subject, payload, options),
    subscribe: (subject, options) => connection.subscribe(subject, options),
    request: (subject, payload, options) => connection.request(subject, payload, options),
    flush: () => connection.flush(),
    status: () => connection.status(),
    isClosed: () => connection.isClosed(),
    closed: () => connection.closed(),
    close: () => connection.close(),
    ...replaced,
  };
}

export type Retention = 'limits' | 'interest' | 'workqueue';
export const retentions: readonly Retention[] = ['limits', 'interest', 'workqueue'];

/** Every stream kind with every client. */
export const combinations = retentions.flatMap((retention) => streamClients.map(({ client, connect }) => ({ retention, client, connect })));

export interface Handled {
  readonly member: string;
  readonly text: string;
  readonly partition: number;
  readonly token: number;
  readonly deliveries: number;
}

export interface Member {
  readonly name: string;
  readonly partitions: CommandedMember;
  readonly consumer: OwnedConsumer;
  readonly connection: StreamConnection;
  readonly events: OwnedConsumerEvent[];
  /** Rejects with what `run` rejected with. */
  readonly running: Promise<void>;
  /** Stands in the way of every message until it resolves; replaced by a test. */
  onMessage: (context: MessageContext & { readonly text: string }) => Promise<void> | void;
}

const text = StringCodec();
let streams = 0;

export class StreamWorld {
  readonly group = new CommandedGroup();
  readonly handled: Handled[] = [];
  readonly stream: string;
  readonly #members: Member[] = [];
  readonly #changed = new Set<() => void>();

  private constructor(
    private readonly admin: AdminConnection,
    readonly manager: JetStreamManager,
    readonly jetstream: JetStreamClient,
    private readonly client: Pick<StreamClient, 'connect'>,
    private readonly login: NatsLogin,
  ) {
    streams += 1;
    this.stream = `S${process.pid}x${streams}`;
  }

  static async create(
    servers: readonly string[],
    client: Pick<StreamClient, 'connect'>,
    settings: {
      readonly retention?: Retention;
      readonly replicas?: number;
      readonly maxConsumers?: number;
      readonly user?: string;
      readonly pass?: string;
    } = {},
  ): Promise<StreamWorld> {
    const { user, pass } = settings;
    const login = natsLogin(servers);
    const admin = await connectGeneration2({ ...login, ...reconnecting, ...(user !== undefined && { user, pass }) });
    const manager = await admin.jetstreamManager({ timeout: 20_000 });
    const world = new StreamWorld(admin, manager, admin.jetstream({ timeout: 20_000 }), client, login);
    await manager.streams.add({
      name: world.stream,
      subjects: [`${world.stream}.>`],
      retention: retentionPolicy[settings.retention ?? 'limits'],
      num_replicas: settings.replicas ?? 1,
      ...(settings.maxConsumers !== undefined && { max_consumers: settings.maxConsumers }),
      duplicate_window: nanos(60_000),
    });
    return world;
  }

  async join(
    name: string,
    options: Partial<OwnedConsumerOptions> = {},
    connecting: Partial<StreamClientOptions> = {},
    wrap: (connection: StreamConnection) => StreamConnection = (one) => one,
  ): Promise<Member> {
    const own = await this.client.connect({ ...this.login, ...connecting });
    const connection = wrap(own);
    const partitions = this.group.member();
    const events: OwnedConsumerEvent[] = [];
    const consumer = ownedConsumer(partitions, connection, {
      stream: this.stream,
      name: 'workers',
      count: 8,
      filter: (partition) => `${this.stream}.${partition}.*`,
      onEvent: (event) => {
        events.push(event);
        this.#tell();
      },
      ...options,
    });
    const member: Member = {
      name,
      partitions,
      consumer,
      connection,
      events,
      running: consumer.run((context) => this.#onMessage(member, context)),
      onMessage: () => undefined,
    };
    this.#members.push(member);
    let isRefused = false;
    member.running.catch(() => (isRefused = true));
    // A refusal at the start is the test's to see.
    await until(() => partitions.takesPart || isRefused);
    return member;
  }

  /** Publishes texts to a partition, in order. */
  async publish(partition: number, ...texts: string[]): Promise<void> {
    for (const one of texts) await this.jetstream.publish(`${this.stream}.${partition}.key`, text.encode(one));
  }

  /** As `publish`, each text until the server has stored it, and once. */
  async publishStubbornly(partition: number, ...texts: string[]): Promise<void> {
    for (const one of texts) {
      const publish = () =>
        this.jetstream.publish(`${this.stream}.${partition}.key`, text.encode(one), { msgID: `${partition} ${one}`, timeout: 2_000 });
      await until(() =>
        publish().then(
          () => true,
          () => false,
        ),
      );
    }
  }

  textsOf(member?: Member): string[] {
    return this.handled.filter((one) => member === undefined || one.member === member.name).map((one) => one.text);
  }

  async durables(): Promise<ConsumerInfo[]> {
    return this.manager.consumers.list(this.stream).next();
  }

  async durableNames(): Promise<string[]> {
    return (await this.durables()).map(({ name }) => name).sort();
  }

  /** Awaits what the members do; a test that waits in vain ends by its time limit. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.add(resolve));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ consumer }) => consumer.stop()));
    await this.manager.streams.delete(this.stream).catch(() => undefined);
    await Promise.all([...this.#members.map(({ connection }) => connection.close()), this.admin.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #onMessage(member: Member, context: MessageContext): Promise<void> {
    const { message, partition, token } = context;
    const content = text.decode(message.data);
    await member.onMessage({ ...context, text: content });
    this.handled.push({ member: member.name, text: content, partition, token, deliveries: message.deliveries });
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#changed) wake();
    this.#changed.clear();
  }
}

const retentionPolicy = {
  limits: RetentionPolicy.Limits,
  interest: RetentionPolicy.Interest,
  workqueue: RetentionPolicy.Workqueue,
} as const;

/** For what nobody announces. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A gate that a handler waits at. */
export class Gate {
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));
  #reached: () => void = () => undefined;
  readonly reached = new Promise<void>((resolve) => (this.#reached = resolve));

  async pass(): Promise<void> {
    this.#reached();
    await this.#opened;
  }

  open(): void {
    this.#open();
  }
}

export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}
