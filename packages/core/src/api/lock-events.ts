/** Lock events as a typed stream, for programs that are no members of the group. */
import { Observable } from 'rxjs';
import { isQuorateError, QuorateError } from '../errors.ts';
import type { Transport } from '../transport/transport.ts';
import { systemHost } from '../runtime/system-host.ts';
import { checkName } from './names.ts';
import { endAfterPause } from './refusal.ts';

/**
 * A CloudEvent, version 1.0. Published by whoever leads, at most once for each process that leads, in no promised order: an event
 * may be lost, and `data.token` tells which of two is newer.
 */
export interface LockEventMessage {
  /** Of one kind within the group: made of founding, slot and index. */
  readonly id: string;
  /** `/quorate/` and the group. */
  readonly source: string;
  readonly type: LockEventType;
  /** The name of the lock or the election. */
  readonly subject: string;
  /** By the clock of the node that led, as RFC 3339. */
  readonly time: string;
  readonly data: {
    readonly name: string;
    readonly node: string;
    /** The fencing token; 0 in `waiting`. */
    readonly token: number;
    /** What the leader proclaims, or null. */
    readonly value: string | null;
  };
}

export const lockEventTypes = [
  'io.quorate.lock.granted',
  'io.quorate.lock.released',
  'io.quorate.lock.expired',
  'io.quorate.lock.waiting',
  'io.quorate.leader.elected',
  'io.quorate.leader.resigned',
  'io.quorate.leader.lost',
  'io.quorate.leader.proclaimed',
] as const;

export type LockEventType = (typeof lockEventTypes)[number];

export interface LockEventsOptions {
  readonly transport: Transport;
  readonly group: string;
}

/** Repeats come from leaders that follow one another within seconds; more ids than this are not remembered. */
const rememberedIdsMax = 10_000;

/**
 * Cold: subscribing opens the reader, unsubscribing closes it. Repeats of an id are dropped, and so is what is no lock event. Errors
 * as `Transport.readEvents` rejects, a second later, and with `TRANSPORT_CLOSED` when the client is closed. Throws `INVALID_NAME` at once.
 *
 * Events are published as `join({ events })` of the leader says: of elections by default, of locks with `all`.
 */
export function lockEvents$({ transport, group }: LockEventsOptions): Observable<LockEventMessage> {
  checkName('group', group);
  return new Observable((subscriber) => {
    const opening = new AbortController();
    const isNew = memoryOfIds();
    let isOpen = false;
    const fail = (error: unknown): void => {
      if (isOpen) subscriber.error(error);
      else endAfterPause(systemHost, subscriber, () => subscriber.error(error));
    };
    const onEvent = (bytes: Uint8Array): void => {
      const message = parseLockEvent(bytes);
      if (message !== null && isNew(message.id)) subscriber.next(message);
    };
    const onStatus = (status: string, cause?: Error): void => {
      if (status === 'closed') fail(new QuorateError('TRANSPORT_CLOSED', 'The client of this reader is closed.', { cause }));
    };
    const reader = transport.readEvents({ group, onEvent, onStatus, signal: opening.signal });
    const onOpen = (): void => void (isOpen = true);
    reader.then(onOpen, (error: unknown) => {
      if (!isQuorateError(error, 'ABORTED') || !opening.signal.aborted) fail(error);
    });
    return () => {
      opening.abort();
      reader.then((stop) => stop()).catch(() => undefined);
    };
  });
}

/** Remembers the newest; true for an id that is not among them. */
function memoryOfIds(): (id: string) => boolean {
  const ids = new Set<string>();
  return (id) => {
    if (ids.has(id)) return false;
    ids.add(id);
    if (ids.size > rememberedIdsMax) for (const oldest of ids) return ids.delete(oldest);
    return true;
  };
}

/** `null` for whatever is not a lock event of a version known here. */
export function parseLockEvent(bytes: Uint8Array): LockEventMessage | null {
  const event = parseObject(bytes);
  const data = fieldsOf(event?.data);
  if (event?.specversion !== '1.0' || data === null) return null;
  const { id, source, type, subject, time } = event;
  const { name, node, token, value } = data;
  if (!isText(id) || !isText(source) || !isType(type) || !isText(subject) || !isText(time)) return null;
  if (!isText(name) || !isText(node) || !Number.isSafeInteger(token) || (value !== null && !isText(value))) return null;
  return { id, source, type, subject, time, data: { name, node, token: Number(token), value } };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    return fieldsOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isType(value: unknown): value is LockEventType {
  return lockEventTypes.some((type) => type === value);
}
