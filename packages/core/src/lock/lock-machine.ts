/** The lock table by itself, as a machine that counts its own tokens: commands in, answers and events out. */
import { invariant } from '../errors.ts';
import type { LockEvent, LockOp, LockResult, LockState } from './command.ts';
import type { LockTableSnapshot } from './lock-snapshot.ts';
import type { LockLimits } from './lock-table.ts';
import { LockTable } from './lock-table.ts';

/** `wallMs` is only shown, as the time since when a holder holds. */
export type LockCommand =
  | { readonly type: 'use'; readonly session: number; readonly node: string; readonly op: LockOp; readonly wallMs: number }
  | { readonly type: 'endSession'; readonly session: number; readonly expired: boolean; readonly wallMs: number };

export interface LockOutput {
  /** To the session of the command; `null` for the end of one. */
  readonly result: LockResult | null;
  /** To sessions whose turn came with it. */
  readonly grants: readonly LockGrant[];
  readonly events: readonly LockEvent[];
  /** Of every lock that changed. */
  readonly states: readonly LockState[];
}

export interface LockGrant {
  readonly session: number;
  readonly node: string;
  readonly result: LockResult;
}

export interface LockMachineSnapshot {
  readonly step: number;
  readonly token: number;
  readonly locks: LockTableSnapshot;
}

/** Tokens rise by one from 1, versions are the numbers of steps. Commands take effect each time they come: sessions see to "once". */
export class LockMachine {
  readonly #table: LockTable;
  #step = 0;
  #token = 0;
  #grants: LockGrant[] = [];

  constructor(limits?: LockLimits) {
    const host = {
      nextToken: () => this.#nextToken(),
      onGrant: (session: number, node: string, result: LockResult) => void this.#grants.push({ session, node, result }),
    };
    this.#table = new LockTable(host, limits);
  }

  step(command: LockCommand): LockOutput {
    this.#step += 1;
    this.#grants = [];
    this.#table.beginSlot(this.#step, command.wallMs);
    const result = command.type === 'use' ? this.#table.apply(command.session, command.node, command.op) : null;
    if (command.type === 'endSession') this.#table.endSession(command.session, command.expired);
    const { events, changed } = this.#table.takeChanges();
    return { result, grants: this.#grants, events, states: Array.from(changed, (resource) => this.#table.stateOf(resource)) };
  }

  stateOf(resource: string): LockState {
    return this.#table.stateOf(resource);
  }

  snapshot(): LockMachineSnapshot {
    return { step: this.#step, token: this.#token, locks: this.#table.snapshot() };
  }

  restore({ step, token, locks }: LockMachineSnapshot): void {
    this.#step = step;
    this.#token = token;
    this.#table.restore(locks);
    this.#table.beginSlot(step, 0);
  }

  #nextToken(): number {
    this.#token += 1;
    invariant(Number.isSafeInteger(this.#token), 'a token is a safe integer');
    return this.#token;
  }
}
