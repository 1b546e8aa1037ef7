/** A set of partitions as a consumer gets it from Quorate, with a witness of each grant: what is owned, since when, and until when. */
import type { OwnedPartition, Partitions } from '@quorate/core';
import { machineTimeNs } from '../history.ts';
import type { TenureLog } from './tenure-log.ts';

export class OwnedNow {
  /** By token. */
  private readonly owned = new Map<number, OwnedPartition>();

  constructor(private readonly log: TenureLog) {}

  get count(): number {
    return this.owned.size;
  }

  find(token: number): OwnedPartition | undefined {
    return this.owned.get(token);
  }

  add(owned: OwnedPartition): void {
    this.owned.set(owned.token, owned);
    this.log.write({ type: 'granted', at: machineTimeNs(), partition: owned.partition, token: owned.token });
    this.look([owned]);
  }

  remove({ partition, token }: OwnedPartition): void {
    this.owned.delete(token);
    this.log.write({ type: 'settled', at: machineTimeNs(), partition, token });
  }

  /** Notes down what is relied on now. */
  look(which: Iterable<OwnedPartition> = this.owned.values()): void {
    const at = machineTimeNs();
    const owned = [...which].flatMap((one) => {
      const { partition, token, remainingMs } = one;
      return remainingMs > 0 && one.valid ? [[partition, token, Math.floor(at + remainingMs * 1e6)] as const] : [];
    });
    if (owned.length > 0) this.log.write({ type: 'looked', at, owned });
  }
}

/** The same set; only `own` is watched. */
export function spied(partitions: Partitions, now: OwnedNow, open: (owned: OwnedPartition) => Promise<void>): Partitions {
  const own: Partitions['own'] = (handler, options) =>
    partitions.own(async (owned) => {
      now.add(owned);
      try {
        await open(owned);
        await handler(owned);
      } finally {
        // One that fails before its signal owns the partition still, and is started again.
        if (owned.signal.aborted) now.remove(owned);
      }
    }, options);
  return new Proxy(partitions, {
    get(target, name) {
      if (name === 'own') return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
