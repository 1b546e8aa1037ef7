/** After a jest run: the shared brokers go. */
import type { BrokerHost } from './broker-host.ts';

async function teardown(): Promise<void> {
  await (globalThis as { quorateBrokerHost?: BrokerHost }).quorateBrokerHost?.close();
}

// Jest takes the module itself for the function.
module.exports = teardown;
