/**
 * Commands on locks and what they answer, as flat tuples: they cross the wire, the log and the tables in one form, and an
 * object for each would cost more than applying it. `docs/protocol.md`, "Commands"; `docs/decisions/0003-flat-commands.md`.
 */

export const lockOp = { acquire: 1, release: 2, cancel: 3, note: 4, proclaim: 5 } as const;

/** `want`: 0 for exclusive. Shared (−1) and permits (n ≥ 1) are reserved and refused with `unsupported` today. */
export const want = { exclusive: 0 } as const;

/** `flags`, a bit set: with `dontQueue` a lock that is held answers `busy`. */
export const acquireFlag = { dontQueue: 1 } as const;

/** `value` is what the holder proclaims from the moment of the grant (elections), or null. */
export type AcquireOp = readonly [
  op: typeof lockOp.acquire,
  seq: number,
  resource: string,
  want: number,
  flags: number,
  value: string | null,
];
/** `note`: null leaves the hand-over note as it is, the empty text removes it. */
export type ReleaseOp = readonly [op: typeof lockOp.release, seq: number, resource: string, token: number, note: string | null];
/** Withdraws the acquire `target` of the same session, granted or not, arrived or not. */
export type CancelOp = readonly [op: typeof lockOp.cancel, seq: number, target: number];
export type NoteOp = readonly [op: typeof lockOp.note, seq: number, resource: string, token: number, note: string];
export type ProclaimOp = readonly [op: typeof lockOp.proclaim, seq: number, resource: string, token: number, value: string];

export type LockOp = AcquireOp | ReleaseOp | CancelOp | NoteOp | ProclaimOp;

/**
 * Results by code:
 * - `granted`  a = token, b = the previous holder's note or null
 * - `queued`   a = place in the queue (1 is next), b = holder
 * - `busy`     a = 0, b = holder
 * - `done`     released, noted, proclaimed, or withdrawn (then a = the place it had, 0 if it held the lock or was unknown; b = holder,
 *              which is the caller itself if it held the lock, and null if the acquire was unknown or over)
 * - `notHeld`  release, note or proclaim under a token that holds no more
 * - `queueFull` (b = holder), `limit`, `unsupported`  refusals that changed nothing
 * - `withdrawn` answers an acquire that a cancel overtook
 */
export const resultCode = {
  granted: 1,
  queued: 2,
  busy: 3,
  done: 4,
  notHeld: 5,
  queueFull: 6,
  limit: 7,
  unsupported: 8,
  withdrawn: 9,
} as const;

/** Who holds a lock, as refusals and states show it. */
export type HolderInfo = readonly [node: string, token: number, sinceWallMs: number];

export type LockResult = readonly [seq: number, code: number, a: number, b: string | HolderInfo | null];

export function seqOfResult(result: LockResult): number {
  return result[0];
}

/** True where a final answer is still to come. */
export function isInterimResult(result: LockResult): boolean {
  return result[1] === resultCode.queued;
}

/** What watchers see of one lock. `version` is the slot that last changed it, or, of a lock that is free and forgotten, the last applied slot. */
export interface LockState {
  readonly resource: string;
  readonly version: number;
  /** Empty when free; one while only exclusive locks exist. */
  readonly holders: readonly {
    readonly node: string;
    readonly session: number;
    readonly token: number;
    readonly sinceWallMs: number;
    readonly value: string | null;
  }[];
  /** The first waiters in order (at most 16) … */
  readonly waiters: readonly string[];
  /** … and how many there are in all. */
  readonly waiting: number;
  readonly note: string | null;
}

/**
 * A change that watchers and the lock-event feed are told of, in the order of application. `released`: by the holder, or with its
 * session when that was closed. `expired`: the session was lost, whoever noticed first.
 */
export interface LockEvent {
  readonly type: 'granted' | 'released' | 'expired' | 'waiting' | 'withdrawn' | 'proclaimed';
  readonly resource: string;
  readonly node: string;
  readonly session: number;
  /** 0 where none was granted. */
  readonly token: number;
  readonly value: string | null;
}

/** Resources are named by kind: `l/` and the lock's name, `e/` and the election's. */
export const resourceKind = { lock: 'l/', election: 'e/' } as const;
