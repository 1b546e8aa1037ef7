/**
 * The sessions of a group: who has one, for how long it lives without a sign, and what it was answered. Part of the
 * replicated state: no clock decides here, expiry arrives as a command. `docs/protocol.md`, "Sessions"; the safety rules 10 and 17.
 */
import { invariant } from '../errors.ts';
import type { Numbered } from './answer-window.ts';
import { AnswerWindow, checkAnswerWindow } from './answer-window.ts';
import type { SessionKey } from './command.ts';

export interface SessionLimits {
  readonly sessionsMax: number;
  /** A constant of the group, from its founding record. */
  readonly maxSessionTtlMs: number;
}

export const sessionsMaxDefault = 10_000;

export interface SessionRequest {
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly ttlMs: number;
  readonly replaces: SessionKey;
}

export interface Session<Answer extends Numbered> extends SessionRequest {
  readonly key: SessionKey;
  readonly answers: AnswerWindow<Answer>;
}

export interface RestoredSession extends SessionRequest {
  readonly key: SessionKey;
  readonly floor: number;
}

/** `nameTaken`: another process start holds the node's name, or a newer open of this one. */
export type OpenRefusal = 'ttlTooLong' | 'nameTaken' | 'limit';

export type OpenOutcome<Answer extends Numbered> =
  /** `retried`: the session is an earlier open's with the same nonce. `replaced` has ended with this. */
  | { readonly type: 'opened'; readonly session: Session<Answer>; readonly retried: boolean; readonly replaced: Session<Answer> | null }
  | { readonly type: 'refused'; readonly reason: OpenRefusal };

/** Rows of sessions by key, each with what it was answered by sequence. */
export type SessionTableSnapshot<Answer extends Numbered> = readonly SessionRow<Answer>[];

type SessionRow<Answer> = readonly [
  key: SessionKey,
  nonce: string,
  node: string,
  instance: string,
  ttlMs: number,
  replaces: SessionKey,
  floor: number,
  answers: readonly Answer[],
];

/**
 * 1. A node has at most one session, and the index by node names it.
 * 2. At most `sessionsMax` sessions, none with a TTL above `maxSessionTtlMs`.
 * 3. Keys rise in the order of opening.
 */
export class SessionTable<Answer extends Numbered> {
  readonly #limits: SessionLimits;
  readonly #byKey = new Map<SessionKey, Session<Answer>>();
  readonly #byNode = new Map<string, Session<Answer>>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get limits(): SessionLimits {
    return this.#limits;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * Opens a session under `key`. One process start has one session: it gives its last up by naming it in `replaces`. As keys
   * rise, so does `replaces` from open to open, and an old open that was delayed can be told from a new one: only a larger
   * `replaces` ends what lives.
   */
  open(key: SessionKey, request: SessionRequest): OpenOutcome<Answer> {
    const living = this.#byNode.get(request.node);
    const isOwn = living !== undefined && living.instance === request.instance;
    if (isOwn && living.nonce === request.nonce) return { type: 'opened', session: living, retried: true, replaced: null };
    if (request.ttlMs > this.#limits.maxSessionTtlMs) return { type: 'refused', reason: 'ttlTooLong' };
    if (living !== undefined && !(isOwn && request.replaces > living.replaces)) return { type: 'refused', reason: 'nameTaken' };
    if (living === undefined && this.#byKey.size >= this.#limits.sessionsMax) return { type: 'refused', reason: 'limit' };
    if (living !== undefined) this.end(living.key);
    const { nonce, node, instance, ttlMs, replaces } = request;
    const session = { key, nonce, node, instance, ttlMs, replaces, answers: new AnswerWindow<Answer>() };
    this.#add(session);
    return { type: 'opened', session, retried: false, replaced: living ?? null };
  }

  /** Takes the session out of the table; `undefined` if it was not in it. Nothing brings it back. */
  end(key: SessionKey): Session<Answer> | undefined {
    const session = this.#byKey.get(key);
    if (session === undefined) return undefined;
    this.#byKey.delete(key);
    this.#byNode.delete(session.node);
    return session;
  }

  get(key: SessionKey): Session<Answer> | undefined {
    return this.#byKey.get(key);
  }

  ofNode(node: string): Session<Answer> | undefined {
    return this.#byNode.get(node);
  }

  /** In the order of opening. */
  sessions(): IterableIterator<Session<Answer>> {
    return this.#byKey.values();
  }

  snapshot(): SessionTableSnapshot<Answer> {
    return Array.from(this.#byKey.values(), rowOf);
  }

  restore(rows: SessionTableSnapshot<Answer>): void {
    this.#byKey.clear();
    this.#byNode.clear();
    for (const [key, nonce, node, instance, ttlMs, replaces, floor, remembered] of rows) {
      const session = this.restoreSession({ key, nonce, node, instance, ttlMs, replaces, floor });
      for (const answer of remembered) session.answers.remember(answer);
    }
  }

  /** Puts one session back, which has yet to be given its answers. */
  restoreSession({ floor, ...rest }: RestoredSession): Session<Answer> {
    const session = { ...rest, answers: new AnswerWindow<Answer>() };
    session.answers.raiseFloor(floor);
    this.#add(session);
    return session;
  }

  #add(session: Session<Answer>): void {
    invariant(!this.#byKey.has(session.key), 'a session key is given once');
    this.#byKey.set(session.key, session);
    this.#byNode.set(session.node, session);
  }
}

function rowOf<Answer extends Numbered>(session: Session<Answer>): SessionRow<Answer> {
  const { key, nonce, node, instance, ttlMs, replaces, answers } = session;
  return [key, nonce, node, instance, ttlMs, replaces, answers.floor, answers.answers()];
}

/** The rules of `SessionTable` and of its answer windows that do not hold, as sentences. */
export function checkSessionTable<Answer extends Numbered>(table: SessionTable<Answer>): string[] {
  const broken: string[] = [];
  let last = -1;
  for (const session of table.sessions()) {
    const { key, node, answers } = session;
    if (table.ofNode(node) !== session) broken.push(`sessions 1: the index by node does not name session ${key} of ${node}`);
    if (session.ttlMs > table.limits.maxSessionTtlMs) broken.push(`sessions 2: session ${key} has a TTL above the group's longest`);
    if (key <= last) broken.push(`sessions 3: session ${key} stands after ${last}`);
    for (const rule of checkAnswerWindow(answers)) broken.push(`${rule} (session ${key})`);
    last = key;
  }
  if (table.size > table.limits.sessionsMax) broken.push(`sessions 2: ${table.size} sessions`);
  return broken;
}
