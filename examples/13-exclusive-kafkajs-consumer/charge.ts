/** The service's own work: here it tells the stage what it begins and what it has done. */
import { setTimeout as after } from 'node:timers/promises';

export async function charge(partition: number, customer: string, order: string): Promise<void> {
  process.send?.({ begins: partition });
  await after(5);
  process.send?.({ charged: partition, customer, order: Number(order) });
}
