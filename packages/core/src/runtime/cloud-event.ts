/** Changes of locks and elections as CloudEvents 1.0 in JSON, for readers in any language. https://github.com/cloudevents/spec */
import type { PublishedChange } from '../group/member.ts';
import { electionEventOf, electionOf } from '../election/term.ts';
import { resourceKind } from '../lock/command.ts';
import { calendarText } from './calendar.ts';

export interface CloudEventContext {
  readonly group: string;
  readonly founding: string;
}

export interface EncodedLockEvent {
  readonly kind: 'lock' | 'election';
  /** The user's name of the lock or election. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a reader finds in `data`. */
export interface LockEventData {
  /** The lock or the election. */
  readonly name: string;
  readonly node: string;
  /** The fencing token; 0 in `waiting`, where none is granted yet. */
  readonly token: number;
  /** What the holder proclaims; null for locks and for leaders that proclaim nothing. */
  readonly value: string | null;
}

const encoder = new TextEncoder();
// Half a surrogate pair has no form in a URI.
const loneSurrogate = /\p{Surrogate}/gu;

/**
 * One change as bytes, or null for those that nobody outside is told of (a waiter that left). The id is made of founding, slot
 * and index, so that an event published twice, by two leaders perhaps, has one id. No two `lock` and `election` types meet.
 */
export function cloudEventsOf({ slot, index, wallMs, change }: PublishedChange, context: CloudEventContext): EncodedLockEvent | null {
  const { resource, node, token, value } = change;
  const election = electionOf(resource);
  const kind = election === null ? 'lock' : 'election';
  const type = election === null ? lockTypeOf(change.type) : leaderTypeOf(change);
  if (type === null) return null;
  const name = election ?? resource.slice(resourceKind.lock.length);
  const data: LockEventData = { name, node, token, value };
  const event = {
    specversion: '1.0',
    id: `${context.founding}/${slot}/${index}`,
    source: `/quorate/${encodeURIComponent(context.group.replace(loneSurrogate, '\ufffd'))}`,
    type,
    subject: name,
    time: calendarText(wallMs),
    datacontenttype: 'application/json',
    data,
  };
  return { kind, name, bytes: encoder.encode(JSON.stringify(event)) };
}

function lockTypeOf(type: PublishedChange['change']['type']): string | null {
  switch (type) {
    case 'granted':
    case 'released':
    case 'expired':
    case 'waiting':
      return `io.quorate.lock.${type}`;
    default:
      return null;
  }
}

function leaderTypeOf(change: PublishedChange['change']): string | null {
  const event = electionEventOf(change);
  return event === null ? null : `io.quorate.leader.${event.type}`;
}
