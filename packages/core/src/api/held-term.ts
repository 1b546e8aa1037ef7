/** A term in the hands of this process: a lease with a proclaimed value. */
import { lockOp } from '../lock/command.ts';
import type { LockResult, ProclaimOp } from '../lock/command.ts';
import { checkNote } from './hand-over.ts';
import { HeldLease } from './held-lease.ts';
import type { Resource } from './held-lease.ts';
import type { Instance } from './instance.ts';
import type { ReleaseOptions, Term } from './lease-contract.ts';

export class HeldTerm extends HeldLease implements Term {
  readonly #election: string;

  constructor(instance: Instance, resource: Resource, session: number, granted: LockResult, waitedMs: number) {
    super(instance, resource, session, granted, waitedMs);
    this.#election = resource.resource;
  }

  async proclaim(value: string): Promise<void> {
    checkNote('value', value);
    return this.change(lockOp.proclaim, (seq): ProclaimOp => [lockOp.proclaim, seq, this.#election, this.token, value]);
  }

  resign(options?: ReleaseOptions): Promise<'released' | 'lost'> {
    return this.release(options);
  }
}
