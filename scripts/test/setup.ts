/** Before a jest run: opens the host of the shared brokers, which starts none until a suite asks. */
import { startBrokerHost } from './broker-host.ts';
import type { BrokerHost } from './broker-host.ts';

async function setup(): Promise<void> {
  const host = await startBrokerHost();
  process.env['QUORATE_TEST_HOST'] = host.url;
  process.env['QUORATE_TEST_FOLDER'] = host.folder;
  (globalThis as { quorateBrokerHost?: BrokerHost }).quorateBrokerHost = host;
}

// Jest takes the module itself for the function.
module.exports = setup;
