/** Holding a lock by subscribing to it: the subscription is the deadline, and its end the release. */
import { Observable } from 'rxjs';
import type { AcquireOptions } from './acquisition.ts';
import type { HeldLease } from './held-lease.ts';
import type { Lease } from './lease-contract.ts';

export function holdStream(acquire: (options: AcquireOptions) => Promise<HeldLease>): Observable<Lease> {
  return new Observable((subscriber) => {
    const waiting = new AbortController();
    let held: HeldLease | null = null;
    const hold = async (): Promise<void> => {
      const lease = await acquire({ timeoutMs: Infinity, signal: waiting.signal });
      held = lease;
      // Unsubscribed between the grant and now.
      if (subscriber.closed) return void lease.giveBackQuietly();
      lease.onEnd(() => {
        if (lease.loss) subscriber.error(lease.loss.error);
        else subscriber.complete();
      });
      subscriber.next(lease);
    };
    hold().catch((error: unknown) => subscriber.error(error));
    return () => {
      waiting.abort();
      if (held?.isLiving) void held.giveBackQuietly();
    };
  });
}
