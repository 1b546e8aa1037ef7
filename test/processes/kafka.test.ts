/** Real processes on a real Kafka: contention, deaths and a long sleep. */
import { describeWithKafka } from '../support/brokers.ts';
import { kafkaTiming } from './crew.ts';
import { processDeaths } from './process-deaths.ts';

describeWithKafka('a group in processes on Kafka', (kafka) => {
  processDeaths({ carrier: () => ({ type: 'kafka', brokers: kafka.brokers }), timing: kafkaTiming, grantsEach: 30 });
});
