/** Shipped `SessionHolder`s as the values they keep between two steps, under one set of options. */
import { isInterimResult, seqOfResult } from '../../../packages/core/src/lock/command.ts';
import type { Operation, OperationResult, WatchedState } from '../../../packages/core/src/operation.ts';
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import { SessionHolder } from '../../../packages/core/src/session/session-holder.ts';
import type { HolderInput, HolderSnapshot } from '../../../packages/core/src/session/session-holder.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';

export type Holder = HolderSnapshot<Operation>;
export type Input = HolderInput<Operation, OperationResult, WatchedState>;

export interface HolderTurn {
  readonly holder: Holder;
  readonly send: readonly GroupSessionMessage[];
  readonly results: readonly OperationResult[];
}

export interface HolderDesk {
  readonly instance: string;
  readonly ttlMs: number;
  readonly resendMs: number;
}

export class Holders {
  constructor(private readonly desk: HolderDesk) {}

  idle(): Holder {
    return this.machine().snapshot();
  }

  step(holder: Holder, input: Input): HolderTurn {
    const machine = this.restored(holder);
    const { send, results } = machine.step(input);
    return { holder: machine.snapshot(), send, results };
  }

  /** A request of the process, and the end of its turn. Nothing is sent where no session is open. */
  request(holder: Holder, build: (seq: number) => Operation, nowMs: number): HolderTurn {
    const machine = this.restored(holder);
    machine.request(build);
    const send = machine.takeSubmissions(nowMs);
    return { holder: machine.snapshot(), send, results: [] };
  }

  /** The process asks how long it may rely on its session; what it finds over is over. */
  asked(holder: Holder, at: Instant): { readonly holder: Holder; readonly remainingMs: number } {
    const machine = this.restored(holder);
    const remainingMs = machine.remainingMs(at);
    return { holder: machine.snapshot(), remainingMs };
  }

  /** As an observer sees it, who changes nothing. */
  isValid(holder: Holder, at: Instant): boolean {
    return this.restored(holder).peekRemainingMs(at) > 0;
  }

  /** How long the lease on what has this token lasts, as an observer sees it. */
  coverMs(holder: Holder, token: number, at: Instant): number {
    return this.restored(holder).coverMs(token, at);
  }

  nextDeadlineMs(holder: Holder): number {
    return this.restored(holder).nextDeadlineMs;
  }

  private restored(holder: Holder): SessionHolder<Operation, OperationResult, WatchedState> {
    const machine = this.machine();
    machine.restore(holder);
    return machine;
  }

  private machine(): SessionHolder<Operation, OperationResult, WatchedState> {
    return new SessionHolder<Operation, OperationResult, WatchedState>({
      ...this.desk,
      outstandingMax: 100,
      submitBytesMax: () => 10_000,
      sizeOfOp: () => 1,
      seqOf: seqOfResult,
      isInterim: isInterimResult,
      resourceOf: ({ resource }) => resource,
    });
  }
}
