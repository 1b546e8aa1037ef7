/** Wrong lines put into shipped classes for one run, and taken out again: each is one hazard that a rule of sessions or locks forbids. */
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import { VoterSeat } from '../../../packages/core/src/group/voter-seat.ts';
import { LeaderService } from '../../../packages/core/src/group/leader-service.ts';
import type { GroupBatch, GroupEntry } from '../../../packages/core/src/group/member-message.ts';
import { lockOp, resultCode } from '../../../packages/core/src/lock/command.ts';
import type { LockResult } from '../../../packages/core/src/lock/command.ts';
import type { Operation } from '../../../packages/core/src/operation.ts';
import { LockTable } from '../../../packages/core/src/lock/lock-table.ts';
import { WaitQueue } from '../../../packages/core/src/lock/wait-queue.ts';
import type { Queued } from '../../../packages/core/src/lock/wait-queue.ts';
import type { HeldLease } from '../../../packages/core/src/paxos/lease.ts';
import { AnswerWindow } from '../../../packages/core/src/session/answer-window.ts';
import type { Numbered } from '../../../packages/core/src/session/answer-window.ts';
import { entryKind } from '../../../packages/core/src/session/command.ts';
import { HolderLease } from '../../../packages/core/src/session/holder-lease.ts';
import { SessionHolder } from '../../../packages/core/src/session/session-holder.ts';
import { SessionSteward } from '../../../packages/core/src/session/session-steward.ts';
import { SessionTable } from '../../../packages/core/src/session/session-table.ts';
import { driftBound } from '../../../packages/core/src/time/clock.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';

type Method = (this: never, ...inputs: never[]) => unknown;
export type Install = () => () => void;

/** Puts `wrap(method)` in the method's place; the answer takes it out. Methods that only the compiler hides count too. */
function replaced(owner: { readonly prototype: object }, name: string, wrap: (method: Method) => Method): () => void {
  const own = Object.getOwnPropertyDescriptor(owner.prototype, name);
  if (typeof own?.value !== 'function') throw new Error(`there is no method ${name} to replace`);
  Object.defineProperty(owner.prototype, name, { ...own, value: wrap(own.value as Method) });
  return () => void Object.defineProperty(owner.prototype, name, own);
}

/** The type of `this` inside a replaced method, as far as the wrong line needs it. */
interface ServiceInside {
  readonly steward: object | null;
  readonly term: { readonly lease: HeldLease };
  begin(nowMs: number): void;
}

export const expireWithoutItsBallot: Install = () =>
  replaced(
    GroupState,
    'apply',
    (apply) =>
      function (this: GroupState, slot: number, batch: GroupBatch | null) {
        let { stamp } = this;
        const entries = batch?.[1].map((entry): GroupEntry => {
          if (entry[0] === entryKind.begin) stamp = entry[1];
          return entry[0] === entryKind.expire ? [entryKind.expire, entry[1], stamp] : entry;
        });
        return apply.call(this as never, slot as never, (batch && entries ? [batch[0], entries] : null) as never);
      } as Method,
  );

export const servesBeforeItsBegin: Install = () =>
  replaced(
    LeaderService,
    'take',
    (take) =>
      function (this: ServiceInside, parked: unknown, nowMs: number) {
        if (this.steward === null) this.begin(nowMs);
        return take.call(this as never, parked as never, nowMs as never);
      } as Method,
  );

/** Answers as if nothing that it knows of itself could be old. */
export const answersWithoutTheLease: Install = () => replaced(LeaderService, 'mayAnswer', () => () => true);

export const countsAnEarlierRound: Install = () =>
  replaced(
    LeaderService,
    'mayAnswer',
    () =>
      function (this: ServiceInside, arrivedMs: number) {
        return this.term.lease.majorityAnsweredMs() >= arrivedMs - 1_000;
      } as Method,
  );

export const extendsWhatItEnds: Install = () =>
  replaced(
    SessionSteward,
    'beginEnding',
    () =>
      function (this: { readonly deadlines: Map<number, number> }, session: number) {
        this.deadlines.delete(session);
      } as Method,
  );

export const keepsOldTimers: Install = () =>
  replaced(
    SessionSteward,
    'renewAll',
    () =>
      function (this: { readonly deadlines: Map<number, number>; readonly view: GroupState }) {
        for (const { key, ttlMs } of this.view.sessions()) this.deadlines.set(key, ttlMs);
      } as Method,
  );

interface SeatInside {
  service: ServiceInside | null;
  readonly replica: VoterSeat['replica'];
  readonly out: { readonly followedBy: unknown };
}

/** The service goes on although the configuration may end at any moment. */
export const answersAfterItsStopSign: Install = () =>
  replaced(
    VoterSeat,
    'changeVoters',
    (changeVoters) =>
      function (this: SeatInside, ...inputs: never[]) {
        const { service } = this;
        changeVoters.apply(this as never, inputs);
        if (!this.out.followedBy) this.service = service;
      } as Method,
  );

/** Nor is a read held until what had been proposed when it came is applied, as which the stop-sign counts too. */
export const readsAfterItsStopSign: Install = () => {
  const undo = [answersAfterItsStopSign(), readsBeforeApplying()];
  return () => undo.forEach((one) => one());
};

/** A leader whose begin is held back by a stop-sign serves as if it were applied. */
export const answersAfterAdoptingOne: Install = () =>
  replaced(
    VoterSeat,
    'startService',
    (startService) =>
      function (this: SeatInside, ...inputs: never[]) {
        startService.apply(this as never, inputs);
        const { leading } = this.replica;
        if (leading?.beginSlot === 0) this.service?.begin(leading.sinceMs);
      } as Method,
  );

export const readsBeforeApplying: Install = () =>
  replaced(
    LeaderService,
    'take',
    (take) =>
      function (this: never, parked: object, nowMs: number) {
        return take.call(this, { ...parked, afterSlot: 0 } as never, nowMs as never);
      } as Method,
  );

interface LeaseInside {
  answered: Instant | null;
}

/** Where a lease is asked about, the wrong line answers, whether or not the asking ends it. */
function leaseMs(
  wrong: (lease: LeaseInside, ttlMs: number, at: Instant, right: (ttlMs: number, at: Instant) => number) => number,
): () => void {
  const undo = ['remainingMs', 'peekMs'].map((name) =>
    replaced(
      HolderLease,
      name,
      (method) =>
        function (this: LeaseInside, ttlMs: number, at: Instant) {
          return wrong(this, ttlMs, at, (length, instant) => method.call(this as never, length as never, instant as never) as number);
        } as Method,
    ),
  );
  return () => undo.forEach((one) => one());
}

export const onlyTheMonotonicClock: Install = () =>
  leaseMs((_, ttlMs, { monotonicMs }, right) => right(ttlMs, { monotonicMs, wallMs: -Infinity }));

export const onlyTheCalendarClock: Install = () =>
  leaseMs((_, ttlMs, { wallMs }, right) => right(ttlMs, { monotonicMs: -Infinity, wallMs }));

export const noAllowanceForDrift: Install = () => leaseMs((_, ttlMs, at, right) => right(ttlMs / (1 - 2 * driftBound), at));

/** A keep-alive's answer is taken whatever became of the lease before it, which is never forgotten. */
export const revivesALostRight: Install = () => {
  const undo = [
    leaseMs((lease, ttlMs, at, right) => {
      const { answered } = lease;
      const remainingMs = right(ttlMs, at);
      lease.answered = answered;
      return remainingMs;
    }),
    replaced(
      SessionHolder,
      'onKeptAlive',
      (onKeptAlive) =>
        function (this: object, message: unknown, at: Instant) {
          Object.defineProperty(this, 'remainingMs', { value: () => 1, configurable: true });
          try {
            return onKeptAlive.call(this as never, message as never, at as never);
          } finally {
            Reflect.deleteProperty(this, 'remainingMs');
          }
        } as Method,
    ),
  ];
  return () => undo.forEach((one) => one());
};

export const countsFromReceiving: Install = () =>
  replaced(
    SessionHolder,
    'onKeptAlive',
    (onKeptAlive) =>
      function (this: { readonly lease: LeaseInside }, message: unknown, at: Instant) {
        const before = this.lease.answered;
        const result = onKeptAlive.call(this as never, message as never, at as never);
        if (this.lease.answered !== before && this.lease.answered !== null) this.lease.answered = at;
        return result;
      } as Method,
  );

/** Frees whatever the session, or anybody, holds there now. */
export const releasesAnyToken: Install = () =>
  replaced(
    LockTable,
    'apply',
    (apply) =>
      function (this: LockTable, session: number, node: string, op: readonly unknown[]) {
        const [code, seq, resource, , note] = op;
        const token =
          code === lockOp.release ? this.stateOf(String(resource)).holders.find((holder) => holder.session === session)?.token : undefined;
        const named = token === undefined ? op : [code, seq, resource, token, note];
        return apply.call(this as never, session as never, node as never, named as never);
      } as Method,
  );

export const cancelWithoutTombstone: Install = () =>
  replaced(
    AnswerWindow,
    'remember',
    (remember) =>
      function (this: AnswerWindow<Numbered>, answer: LockResult) {
        if (answer[1] === resultCode.withdrawn && this.recall(answer[0]) === undefined) return;
        remember.call(this as never, answer as never);
      } as Method,
  );

export const cancelLeavesAGrant: Install = () =>
  replaced(
    LockTable,
    'apply',
    (apply) =>
      function (this: LockTable, session: number, node: string, op: readonly [code: number, seq: number, target: number]) {
        const isGranted = op[0] === lockOp.cancel && (this.claimOf(session, op[2])?.token ?? 0) !== 0;
        return isGranted ? [op[1], resultCode.done, 0, null] : apply.call(this as never, session as never, node as never, op as never);
      } as Method,
  );

export const grantsTheLast: Install = () =>
  replaced(
    WaitQueue,
    'first',
    () =>
      function (this: WaitQueue<Queued>) {
        return [...this].at(-1) ?? null;
      } as Method,
  );

export const deadWaiterStays: Install = () => replaced(LockTable, 'endSession', () => () => undefined);

/** The steward of a leader trusts what a keep-alive says of its sender. */
export const keepAliveMovesTheFloor: Install = () =>
  replaced(
    SessionSteward,
    'onKeepAlive',
    (onKeepAlive) =>
      function (
        this: { readonly view: GroupState },
        node: string,
        message: { readonly session: number; readonly floor: number },
        nowMs: number,
      ) {
        this.view.tables.sessions.get(message.session)?.answers.raiseFloor(message.floor);
        return onKeepAlive.call(this as never, node as never, message as never, nowMs as never);
      } as Method,
  );

/** What was answered is forgotten when it comes again. */
export const remembersNothing: Install = () =>
  replaced(
    GroupState,
    'apply',
    (apply) =>
      function (this: GroupState, slot: number, batch: GroupBatch | null) {
        for (const entry of batch?.[1] ?? []) if (entry[0] === entryKind.use) forget(this, entry[1], entry[3]);
        return apply.call(this as never, slot as never, batch as never);
      } as Method,
  );

function forget(group: GroupState, session: number, ops: readonly (readonly [op: number, seq: number, ...rest: unknown[]])[]): void {
  const snapshot = group.snapshot();
  const sessions = snapshot.sessions.map((row) => {
    const [key, nonce, node, instance, ttlMs, replaces, floor, answers] = row;
    const kept = answers.filter(([answered]) => !ops.some(([, seq]) => seq === answered));
    return key === session ? ([key, nonce, node, instance, ttlMs, replaces, floor, kept] as const) : row;
  });
  group.restore({ ...snapshot, sessions });
}

/** The floor's holder drops what is under it; this one only forgets it. */
export const floorDropsNothing: Install = () =>
  replaced(
    GroupState,
    'apply',
    (apply) =>
      function (this: GroupState, slot: number, batch: GroupBatch | null) {
        const entries = batch?.[1].map((entry) => (entry[0] === entryKind.use ? forgetting(this, entry) : entry));
        return apply.call(this as never, slot as never, (batch && entries ? [batch[0], entries] : null) as never);
      } as Method,
  );

/** Renumbers what would be dropped, so that it takes effect once more. */
function forgetting(group: GroupState, entry: Extract<GroupEntry, readonly [typeof entryKind.use, ...unknown[]]>): GroupEntry {
  const [kind, session, floor, ops] = entry;
  const answers = group.tables.sessions.get(session)?.answers;
  const isUnder = answers !== undefined && ops.some(([, seq]) => seq <= answers.floor);
  if (!isUnder) return entry;
  return [
    kind,
    session,
    floor,
    ops.map((op): Operation => (op[0] === lockOp.acquire ? [op[0], op[1] + 100, op[2], op[3], op[4], op[5]] : op)),
  ];
}

/** A command of a session that is no more opens it again. */
export const recreatesAnEndedSession: Install = () =>
  replaced(
    GroupState,
    'apply',
    (apply) =>
      function (this: GroupState, slot: number, batch: GroupBatch | null) {
        for (const entry of batch?.[1] ?? []) if (entry[0] === entryKind.use && this.isEnded(entry[1])) recreate(this, entry[1]);
        return apply.call(this as never, slot as never, batch as never);
      } as Method,
  );

function recreate(group: GroupState, session: number): void {
  const snapshot = group.snapshot();
  const row = [session, 'again', 'x', 'x.1', 90_000, 0, 0, []] as const;
  group.restore({ ...snapshot, sessions: [...snapshot.sessions, row] });
}

/** Whoever asks for a name gets it, whether or not another process lives under it. */
export const takesATakenName: Install = () =>
  replaced(
    SessionTable,
    'open',
    (open) =>
      function (this: SessionTable<Numbered>, key: number, request: { readonly node: string; readonly instance: string }) {
        const living = this.ofNode(request.node);
        if (living && living.instance !== request.instance) this.end(living.key);
        return open.call(this as never, key as never, request as never);
      } as Method,
  );

/** An open that comes late ends what its process opened since: keys rise, and no earlier open replaces a higher one. */
export const anyOpenReplaces: Install = () =>
  replaced(
    SessionTable,
    'open',
    (open) =>
      function (this: never, key: number, request: object) {
        return open.call(this, key as never, { ...request, replaces: key } as never);
      } as Method,
  );
