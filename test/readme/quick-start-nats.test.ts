/** The quick start on NATS, run as it is written: with the wait before a first opening. */
import { describeWithNats } from '../support/brokers.ts';
import { runQuickStart } from './quick-start.ts';

describeWithNats('the quick start on NATS', (nats) => {
  test('three processes take the lock, each under a token of its own, and stop when told (3 voters)', async () => {
    const statements = await runQuickStart('quick-start-nats.ts', { NATS_URL: nats.url });
    const tokens = statements.map(({ values }) => values[2]);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens.every((token) => Number.isSafeInteger(token) && token > 0)).toBe(true);
  }, 120_000);
});
