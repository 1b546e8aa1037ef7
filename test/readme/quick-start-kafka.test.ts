/** The quick start on Kafka, run as it is written: with the wait before a first opening. */
import { describeWithKafka } from '../support/brokers.ts';
import { runQuickStart } from './quick-start.ts';

describeWithKafka('the quick start on Kafka', (kafka) => {
  test('three processes take the lock, each under a token of its own, and stop when told (3 voters)', async () => {
    const statements = await runQuickStart('quick-start-kafka.ts', { KAFKA_BROKER: kafka.brokers[0] ?? '' });
    const tokens = statements.map(({ values }) => values[2]);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens.every((token) => Number.isSafeInteger(token) && token > 0)).toBe(true);
  }, 180_000);
});
