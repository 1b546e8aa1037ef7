/** Real processes on a Kafka of their own, which is killed under them. */
import { kafkaBroker } from '../../scripts/brokers/index.ts';
import { describeWithKafka } from '../support/brokers.ts';
import { brokerDeaths } from './broker-deaths.ts';
import { kafkaTiming } from './crew.ts';

describeWithKafka(
  'a group in processes on a Kafka that dies',
  () => {
    brokerDeaths({
      start: () => kafkaBroker({ own: true }),
      carrierOf: ({ brokers }) => ({ type: 'kafka', brokers }),
      timing: kafkaTiming,
      grantsEach: 10,
    });
  },
  { own: true },
);
