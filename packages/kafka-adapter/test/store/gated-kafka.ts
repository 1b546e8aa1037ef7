/** A user's Kafka whose process can be killed, and dies by itself at one of its writes: from then on it writes nothing. */
import type { KafkaClient } from '../../src/index.ts';
import type { KafkajsBroker, KafkajsCluster } from '../../src/kafkajs-cluster.ts';

const writes = ['initProducerId', 'addPartitionsToTxn', 'produce', 'endTxn'] as const;

export class GatedKafka {
  hasDied = false;
  readonly death: Promise<void>;
  writesLeft = Infinity;
  /** Called before each write is sent; a promise holds it back. */
  beforeWrite: (name: string) => Promise<void> | void = () => undefined;
  readonly #clusters: KafkajsCluster[] = [];
  #die: () => void = () => undefined;

  constructor(private readonly kafka: KafkaClient) {
    this.death = new Promise((resolve) => (this.#die = resolve));
  }

  readonly client: KafkaClient = {
    producer: (options) => this.kafka.producer(options),
    admin: () => this.kafka.admin(),
    consumer: (options) => {
      const partitionAssigners = options.partitionAssigners.map(
        (assigner) => (given: { readonly cluster: unknown }) => assigner({ cluster: this.#gatedCluster(given.cluster as KafkajsCluster) }),
      );
      return this.kafka.consumer({ ...options, partitionAssigners });
    },
  };

  kill(): void {
    this.hasDied = true;
    this.#die();
  }

  async disconnect(): Promise<void> {
    await Promise.all(this.#clusters.splice(0).map((cluster) => cluster.disconnect().catch(() => undefined)));
  }

  #gatedCluster(cluster: KafkajsCluster): KafkajsCluster {
    this.#clusters.push(cluster);
    const findBroker = async (node: { nodeId: string }): Promise<KafkajsBroker> => this.#gatedBroker(await cluster.findBroker(node));
    return new Proxy(cluster, { get: (target, name) => (name === 'findBroker' ? findBroker : boundOf(target, name)) });
  }

  #gatedBroker(broker: KafkajsBroker): KafkajsBroker {
    return new Proxy(broker, {
      get: (target, name) => {
        const write = writes.find((one) => one === name);
        if (write === undefined) return boundOf(target, name);
        return async (request: never) => {
          await this.beforeWrite(write);
          if ((this.writesLeft -= 1) < 0) this.kill();
          if (this.hasDied) throw new Error('this process is dead');
          return target[write](request);
        };
      },
    });
  }
}

function boundOf(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
