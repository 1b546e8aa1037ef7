/** Real voters without a disk on a real Kafka, their memory in topics: all of them killed, two on one seat, and one that slept. */
import { describeWithKafka } from '../support/brokers.ts';
import { kafkaTiming } from './crew.ts';
import { groupDeaths } from './group-deaths.ts';

describeWithKafka('a group in processes on Kafka that keeps its memory in Kafka', (kafka) => {
  groupDeaths({
    carrier: () => ({ type: 'kafka', brokers: kafka.brokers }),
    keeping: () => ({ type: 'kafka', brokers: kafka.brokers }),
    secondProcess: 'fences',
    timing: { ...kafkaTiming, sessionTtlMs: 35_000 },
  });
});
