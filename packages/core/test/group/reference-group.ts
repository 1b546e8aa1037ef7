/**
 * The group's state once more, as plainly as it can be said: lists that are searched from end to end, answers that are never
 * forgotten. Slow and obvious, to compare the real one with.
 */
import type { GroupLimits } from '../../src/group/group-state.ts';
import type { LockEvent, LockOp, LockResult, LockState } from '../../src/lock/command.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { noteBytesMax } from '../../src/note.ts';
import type { Entry, SessionKey } from '../../src/session/command.ts';
import { entryKind } from '../../src/session/command.ts';

export interface ReferenceSession {
  readonly key: SessionKey;
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly ttlMs: number;
  readonly replaces: SessionKey;
  floor: number;
  readonly answers: Map<number, LockResult>;
}

export interface ReferenceClaim {
  readonly session: ReferenceSession;
  readonly seq: number;
  readonly resource: string;
  value: string | null;
  token: number;
  sinceWallMs: number;
}

/** What one slot did, each list in order, sets as sorted lists. */
export interface ReferenceApplied {
  readonly replies: { readonly session: SessionKey; readonly node: string; readonly results: LockResult[] }[];
  readonly unknownSessions: SessionKey[];
  readonly events: LockEvent[];
  readonly changed: Set<string>;
  readonly partitions: Map<string, never>;
  readonly opened: { nonce: string; node: string; instance: string; session: SessionKey; ttlMs: number; retried: boolean }[];
  readonly refused: { nonce: string; node: string; instance: string; reason: string }[];
  readonly ended: { session: SessionKey; node: string; reason: string }[];
  begun: string | null;
  groupOpened: boolean;
  sealed: null;
}

const outstandingMax = 8192;

export class ReferenceGroup {
  slot = 0;
  wallMs = 0;
  stamp = '';
  isOpen = false;
  token = 0;
  sessions: ReferenceSession[] = [];
  /** In the order of arrival: the waiters of a lock are its claims without a token. */
  claims: ReferenceClaim[] = [];
  notes = new Map<string, string>();
  versions = new Map<string, number>();
  private out: ReferenceApplied = emptyApplied();

  constructor(private readonly limits: GroupLimits) {}

  apply(slot: number, wallMs: number, entries: readonly Entry<LockOp>[]): ReferenceApplied {
    this.slot = slot;
    this.wallMs = wallMs;
    this.out = emptyApplied();
    entries.forEach((entry, index) => this.applyEntry(entry, slot * 4096 + index));
    return this.out;
  }

  holder(resource: string): ReferenceClaim | undefined {
    return this.claims.find((claim) => claim.resource === resource && claim.token !== 0);
  }

  queue(resource: string): ReferenceClaim[] {
    return this.claims.filter((claim) => claim.resource === resource && claim.token === 0);
  }

  lockState(resource: string): LockState {
    const holder = this.holder(resource);
    const queue = this.queue(resource);
    const isKept = holder !== undefined || this.notes.has(resource);
    return {
      resource,
      version: isKept ? (this.versions.get(resource) ?? 0) : this.slot,
      holders: holder
        ? [holder].map(({ session, token, sinceWallMs, value }) => ({
            node: session.node,
            session: session.key,
            token,
            sinceWallMs,
            value,
          }))
        : [],
      waiters: queue.slice(0, 16).map((claim) => claim.session.node),
      waiting: queue.length,
      note: this.notes.get(resource) ?? null,
    };
  }

  lookup(key: SessionKey, seq: number): 'unknown' | 'pending' | LockResult {
    const session = this.sessions.find((one) => one.key === key);
    if (!session) return 'unknown';
    const claim = this.claims.find((one) => one.session === session && one.seq === seq);
    if (claim && claim.token === 0) return 'pending';
    if (seq > session.floor) return session.answers.get(seq) ?? 'unknown';
    if (claim) return [seq, resultCode.granted, claim.token, this.notes.get(claim.resource) ?? null];
    return [seq, resultCode.withdrawn, 0, null];
  }

  private applyEntry(entry: Entry<LockOp>, key: SessionKey): void {
    switch (entry[0]) {
      case entryKind.begin:
        this.stamp = entry[1];
        this.out.begun = entry[1];
        return;
      case entryKind.openGroup:
        if (entry[1] !== this.stamp || this.isOpen) return;
        this.isOpen = true;
        this.token = entry[2] * 4_194_304;
        this.out.groupOpened = true;
        return;
      case entryKind.openSession:
        return this.openSession(entry[1], entry[2], entry[3], entry[4], entry[5], key);
      case entryKind.closeSession: {
        const session = this.sessions.find((one) => one.key === entry[1]);
        if (session) this.end(session, 'closed');
        else this.addUnknown(entry[1]);
        return;
      }
      case entryKind.rebalance:
      case entryKind.uncover:
      case entryKind.free:
      case entryKind.raiseLevel:
      case entryKind.stopSign:
        return;
      case entryKind.expire: {
        const session = this.sessions.find((one) => one.key === entry[1]);
        if (session && entry[2] === this.stamp) this.end(session, 'expired');
        return;
      }
      case entryKind.use: {
        const session = this.sessions.find((one) => one.key === entry[1]);
        if (!session) return this.addUnknown(entry[1]);
        session.floor = Math.max(session.floor, entry[2]);
        for (const op of entry[3]) this.applyOp(session, op);
        return;
      }
    }
  }

  private openSession(nonce: string, node: string, instance: string, ttlMs: number, replaces: number, key: SessionKey): void {
    const refuse = (reason: string): void => void this.out.refused.push({ nonce, node, instance, reason });
    const living = this.sessions.find((one) => one.node === node);
    if (!this.isOpen) return refuse('closed');
    if (living && living.instance === instance && living.nonce === nonce) {
      this.out.opened.push({ nonce, node, instance, session: living.key, ttlMs: living.ttlMs, retried: true });
      return;
    }
    if (ttlMs > this.limits.maxSessionTtlMs) return refuse('ttlTooLong');
    if (living && living.instance !== instance) return refuse('nameTaken');
    if (living && replaces <= living.replaces) return refuse('nameTaken');
    if (!living && this.sessions.length === this.limits.sessionsMax) return refuse('limit');
    if (living) this.end(living, 'replaced');
    this.sessions.push({ key, nonce, node, instance, ttlMs, replaces, floor: 0, answers: new Map() });
    this.out.opened.push({ nonce, node, instance, session: key, ttlMs, retried: false });
  }

  private end(session: ReferenceSession, reason: string): void {
    this.sessions = this.sessions.filter((one) => one !== session);
    const own = this.claims.filter((claim) => claim.session === session).sort((a, b) => a.seq - b.seq);
    for (const claim of own.filter((one) => one.token === 0)) this.drop(claim, 'withdrawn');
    for (const claim of own.filter((one) => one.token !== 0)) this.drop(claim, reason === 'closed' ? 'released' : 'expired');
    this.out.ended.push({ session: session.key, node: session.node, reason });
  }

  private applyOp(session: ReferenceSession, op: LockOp): void {
    const seq = op[1];
    if (seq <= session.floor) return;
    const known = session.answers.get(seq);
    if (known) return this.reply(session, known);
    if (seq > session.floor + outstandingMax) return this.reply(session, [seq, resultCode.limit, 0, null]);
    const result = this.execute(session, op);
    session.answers.set(seq, result);
    this.reply(session, result);
  }

  private execute(session: ReferenceSession, op: LockOp): LockResult {
    const seq = op[1];
    const answer = (code: number, a = 0, b: LockResult[3] = null): LockResult => [seq, code, a, b];
    if (op[0] === lockOp.acquire) {
      const [, , resource, want, flags, value] = op;
      if (want !== 0 || flags > 1) return answer(resultCode.unsupported);
      if (value !== null && isTooLong(value)) return answer(resultCode.limit);
      const holder = this.holder(resource);
      if (holder && flags === 1) return answer(resultCode.busy, 0, infoOf(holder));
      if (holder && this.queue(resource).length >= this.limits.waitersMax) return answer(resultCode.queueFull, 0, infoOf(holder));
      const claim: ReferenceClaim = { session, seq, resource, value, token: 0, sinceWallMs: 0 };
      this.claims.push(claim);
      if (!holder) return this.grant(claim);
      this.tell('waiting', claim);
      return answer(resultCode.queued, this.queue(resource).length, infoOf(holder));
    }
    if (op[0] === lockOp.cancel) {
      const target = op[2];
      if (target > session.floor + outstandingMax) return answer(resultCode.limit);
      const claim = this.claims.find((one) => one.session === session && one.seq === target);
      if (!claim) {
        if (!session.answers.has(target)) session.answers.set(target, [target, resultCode.withdrawn, 0, null]);
        return answer(resultCode.done);
      }
      session.answers.set(target, [target, resultCode.withdrawn, 0, null]);
      const holder = this.holder(claim.resource);
      const info = holder ? infoOf(holder) : null;
      const place = claim.token === 0 ? this.queue(claim.resource).indexOf(claim) + 1 : 0;
      this.drop(claim, claim.token === 0 ? 'withdrawn' : 'released');
      return answer(resultCode.done, place, info);
    }
    const [, , resource, token, text] = op;
    const holder = this.holder(resource);
    if (!holder || holder.session !== session || holder.token !== token) return answer(resultCode.notHeld);
    if (text !== null && isTooLong(text)) return answer(resultCode.limit);
    if (op[0] === lockOp.proclaim) {
      holder.value = op[4];
      this.tell('proclaimed', holder);
      return answer(resultCode.done);
    }
    if (text !== null && text !== '' && !this.notes.has(resource) && this.notes.size >= this.limits.notesMax)
      return answer(resultCode.limit);
    if (text === '') this.notes.delete(resource);
    else if (text !== null) this.notes.set(resource, text);
    if (op[0] === lockOp.release) this.drop(holder, 'released');
    else this.touch(resource);
    return answer(resultCode.done);
  }

  private grant(claim: ReferenceClaim): LockResult {
    this.token += 1;
    claim.token = this.token;
    claim.sinceWallMs = this.wallMs;
    this.tell('granted', claim);
    const result: LockResult = [claim.seq, resultCode.granted, claim.token, this.notes.get(claim.resource) ?? null];
    claim.session.answers.set(claim.seq, result);
    return result;
  }

  private drop(claim: ReferenceClaim, how: LockEvent['type']): void {
    this.claims = this.claims.filter((one) => one !== claim);
    this.tell(how, claim);
    const next = this.queue(claim.resource)[0];
    if (!next || this.holder(claim.resource)) return;
    this.reply(next.session, this.grant(next));
  }

  private reply(session: ReferenceSession, result: LockResult): void {
    const reply = this.out.replies.find((one) => one.session === session.key);
    if (reply) reply.results.push(result);
    else this.out.replies.push({ session: session.key, node: session.node, results: [result] });
  }

  private addUnknown(key: SessionKey): void {
    if (!this.out.unknownSessions.includes(key)) this.out.unknownSessions.push(key);
  }

  private tell(type: LockEvent['type'], { resource, session, token, value }: ReferenceClaim): void {
    this.out.events.push({ type, resource, node: session.node, session: session.key, token, value });
    this.touch(resource);
  }

  private touch(resource: string): void {
    this.versions.set(resource, this.slot);
    this.out.changed.add(resource);
  }
}

function emptyApplied(): ReferenceApplied {
  return {
    replies: [],
    unknownSessions: [],
    events: [],
    changed: new Set(),
    partitions: new Map<string, never>(),
    opened: [],
    refused: [],
    ended: [],
    begun: null,
    groupOpened: false,
    sealed: null,
  };
}

function infoOf(claim: ReferenceClaim): readonly [string, number, number] {
  return [claim.session.node, claim.token, claim.sinceWallMs];
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > noteBytesMax;
}
