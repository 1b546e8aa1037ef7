/** Calls that run user code under a lease: they wait until it has settled, whatever happens to the lease meanwhile. */
import { QuorateError } from '../errors.ts';
import { kindOf } from '../shown.ts';
import type { HeldLease } from './held-lease.ts';
import type { Instance } from './instance.ts';

/**
 * 1. The lease is given back after the callback has settled, never before.
 * 2. The callback's own error wins.
 * 3. A lease that ended first makes it `LEASE_LOST`, even where the callback resolved; its value is then in `cause`.
 */
export async function runUnder<L extends HeldLease, T>(instance: Instance, lease: L, callback: (lease: L) => Promise<T> | T): Promise<T> {
  const call = callAndRelease(instance, lease, callback);
  instance.scopedCalls.set(lease, call);
  try {
    return await call;
  } finally {
    instance.scopedCalls.delete(lease);
  }
}

async function callAndRelease<L extends HeldLease, T>(instance: Instance, lease: L, callback: (lease: L) => Promise<T> | T): Promise<T> {
  let value: T;
  try {
    // Closed between the grant and now.
    if (instance.refusal) throw instance.refusal;
    value = await callback(lease);
  } catch (error) {
    await lease.giveBackQuietly();
    throw error;
  }
  const { loss } = lease;
  // The release may be the first to tell that the group had given the lock to somebody else.
  const outcome = await lease.giveBackQuietly();
  if (loss !== null || outcome === 'ended') throw leaseLost(lease, value);
  return value;
}

export function checkCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new QuorateError('INVALID_OPTIONS', `The callback is ${kindOf(callback)}, not a function.`);
}

function leaseLost(lease: HeldLease, cause: unknown): QuorateError {
  const { kind, name, token, loss } = lease;
  const happened = `The lease on the ${kind} "${name}" (token ${token}) ended before the callback did.`;
  return new QuorateError('LEASE_LOST', happened, { cause, details: { kind, name, token, loss: loss?.code } });
}
