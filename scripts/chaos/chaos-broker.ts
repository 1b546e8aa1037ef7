/** The broker of a run: started once, hurt by members or as a whole, and swept of what each episode leaves in it. */
import { Kafka, logLevel } from 'kafkajs';
import { kafkaBroker, natsBroker } from '../brokers/index.ts';
import type { Broker } from '../brokers/index.ts';
import type { BrokerName } from './timing.ts';

export interface ChaosBroker {
  readonly name: BrokerName;
  /** For people: name, version and where it came from. */
  readonly text: string;
  readonly ports: readonly number[];
  killMember(index: number): Promise<void>;
  killAll(): Promise<void>;
  /** Starts whatever is down, and resolves once all of it serves. */
  startAll(): Promise<void>;
  /** Removes what a group that is no more has left in the broker. */
  forget(group: string): Promise<void>;
  close(): Promise<void>;
}

/** A broker that was killed is let in again only once its former self counts as dead, which takes nine seconds unless told otherwise. */
const kafkaProperties = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };

export async function startChaosBroker(name: BrokerName, cluster: 1 | 3): Promise<ChaosBroker> {
  const size = cluster === 3 ? ({ cluster } as const) : {};
  const broker: Broker =
    name === 'nats' ? await natsBroker({ own: true, ...size }) : await kafkaBroker({ own: true, properties: kafkaProperties, ...size });
  const addresses = broker.members.map(({ address }) => address);
  return {
    name,
    text: `${name === 'nats' ? 'NATS' : 'Kafka'} ${broker.version} (${broker.source})${cluster === 3 ? ', a cluster of three' : ''}`,
    ports: addresses.map((address) => Number(address.slice(address.lastIndexOf(':') + 1))),
    killMember: (index) => broker.members[index % broker.members.length]?.kill() ?? Promise.resolve(),
    killAll: () => broker.kill(),
    startAll: () => broker.start(),
    forget: (group) => (name === 'kafka' ? deleteTopics(addresses, group) : Promise.resolve()),
    close: () => broker.close(),
  };
}

/** A hundred groups in one broker would cost it more than chaos does. What cannot be deleted is left. */
async function deleteTopics(brokers: string[], group: string): Promise<void> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.includes(group));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } catch {
    return;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
