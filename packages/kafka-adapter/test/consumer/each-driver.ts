/** One suite for each Kafka client that an owned consumer runs on. */
import type * as Platformatic from '@platformatic/kafka' with { 'resolution-mode': 'import' };
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { platformaticDriver } from '../../src/index.ts';
import { KafkaRig } from './kafka-rig.ts';
import type { NewDriver } from './kafka-rig.ts';

const platformatic = jest.requireActual<typeof Platformatic>('@platformatic/kafka');

const drivers: Readonly<Record<string, NewDriver | undefined>> = {
  kafkajs: undefined,
  '@platformatic/kafka': (brokers) => platformaticDriver(platformatic, { clientId: 'quorate-test', bootstrapBrokers: [...brokers] }),
};

/** The rig is of one test; it may be asked for in tests and hooks only. */
export function describeConsumer(name: string, suite: (rig: () => KafkaRig) => void, clients = Object.keys(drivers)): void {
  for (const client of clients) {
    const newDriver = drivers[client];
    describeWithKafka(`${name}, on ${client}`, (kafka) => {
      let rig: KafkaRig | undefined;
      beforeEach(() => (rig = new KafkaRig(kafka.brokers, newDriver)));
      afterEach(() => rig?.close());
      suite(() => {
        if (rig === undefined) throw new Error('a rig is of one test');
        return rig;
      });
    });
  }
}
