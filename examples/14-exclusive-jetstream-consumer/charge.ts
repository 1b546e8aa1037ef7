/** The service's own work: here it tells the stage what it begins and what it has done. */
import { setTimeout as after } from 'node:timers/promises';

/** The subject is `<stream>.<partition>.<customer>`. */
export async function charge(subject: string, order: Uint8Array): Promise<void> {
  const [, partition = '', customer = ''] = subject.split('.');
  process.send?.({ begins: partition });
  await after(5);
  process.send?.({ charged: partition, customer, order: Number(Buffer.from(order).toString()) });
}
