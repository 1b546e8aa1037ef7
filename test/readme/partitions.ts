/** Shared work, as README.md shows it below this line. */
import type { Quorate } from '@quorate/core';

type Work = (partition: number, from: string | undefined, token: number, signal: AbortSignal) => Promise<string>;

export async function shareTheWork(quorate: Quorate, work: Work): Promise<void> {
  const orders = quorate.partitions('orders', { count: 64 });
  orders.assignment$.subscribe((mine) => console.log(`this process owns ${mine.length} partitions`));

  await orders.own(async (owned) => {
    // Runs once for each partition that this process is given, until its signal fires.
    const position = await work(owned.partition, owned.previous, owned.token, owned.signal);
    owned.handOver(position); // the next owner gets it as `previous`
  });
}
