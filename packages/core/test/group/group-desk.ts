/** A group's state with short words for what tests put into its log. */
import type { Applied, GroupLimits } from '../../src/group/group-state.ts';
import { GroupState } from '../../src/group/group-state.ts';
import type { LockOp, LockResult } from '../../src/lock/command.ts';
import { lockOp } from '../../src/lock/command.ts';
import type { Entry, SessionKey } from '../../src/session/command.ts';
import { entryKind } from '../../src/session/command.ts';

export const tokenBase = 2 ** 22;

/** Begun under the stamp `b1` and open with tokens above `tokenBase`, unless told otherwise. */
export class GroupDesk {
  readonly state: GroupState;

  constructor(limits: Partial<GroupLimits> = {}, isOpen = true) {
    this.state = new GroupState({ maxSessionTtlMs: 30_000, ...limits });
    if (isOpen) this.slot([entryKind.begin, 'b1'], [entryKind.openGroup, 'b1', 1]);
  }

  /** Entries of the next slot, written at slot × 1000 ms. */
  slot(...entries: readonly Entry<LockOp>[]): Applied {
    const slot = this.state.appliedIndex + 1;
    return this.state.apply(slot, [slot * 1000, entries]);
  }

  /** A session of the node's first instance. */
  open(node: string): SessionKey {
    const [opened] = this.slot([entryKind.openSession, `nonce of ${node}`, node, `${node}.1`, 10_000, 0]).opened;
    if (opened === undefined) throw new Error(`no session for ${node}`);
    return opened.session;
  }

  use(session: SessionKey, floor: number, ...ops: readonly LockOp[]): Applied {
    return this.slot([entryKind.use, session, floor, ops]);
  }

  /** The results that a `use` of one session gave it. */
  results(session: SessionKey, floor: number, ...ops: readonly LockOp[]): readonly LockResult[] {
    return this.use(session, floor, ...ops).replies.find((reply) => reply.session === session)?.results ?? [];
  }
}

export function acquire(seq: number, resource = 'l/x'): LockOp {
  return [lockOp.acquire, seq, resource, 0, 0, null];
}

export function release(seq: number, token: number, resource = 'l/x'): LockOp {
  return [lockOp.release, seq, resource, token, null];
}

export function cancel(seq: number, target: number): LockOp {
  return [lockOp.cancel, seq, target];
}
