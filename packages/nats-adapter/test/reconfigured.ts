/** A server killed and started again with another line in its configuration, and afterwards as it was. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsBroker } from '../../../scripts/brokers/index.ts';

/** `during` runs after the change; `change.whileDown` between the kill and the start. A server in a container cannot be changed: said aloud. */
export async function reconfigured(
  broker: NatsBroker,
  change: { readonly from: string; readonly to: string; readonly whileDown?: () => Promise<void> },
  during: () => Promise<void>,
): Promise<void> {
  if (broker.source === 'docker') {
    process.stderr.write(`\n*** NOT RUN: a nats-server in a container keeps its configuration (${change.to})\n`);
    return;
  }
  const file = join(broker.dataDir, 'n1', 'server.conf');
  const before = readFileSync(file, 'utf8');
  const after = before.replace(change.from, change.to);
  if (after === before) throw new Error(`${change.from} is not in the configuration`);
  try {
    await broker.kill();
    await change.whileDown?.();
    writeFileSync(file, after);
    await broker.start();
    await during();
  } finally {
    writeFileSync(file, before);
    await broker.restart();
  }
}
