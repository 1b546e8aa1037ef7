/** What a caller whose deadline passed is told: who holds the lock, since when, who waits before it, or who is missing. */
import { QuorateError } from '../errors.ts';
import type { HolderInfo, LockResult } from '../lock/command.ts';
import { calendarText } from '../runtime/calendar.ts';
import type { Resource } from './held-lease.ts';
import type { Instance } from './instance.ts';
import { majorityLostError } from './majority-lost.ts';
import { brokenText, hasQuorum, statusOf, transportFacts } from './status.ts';

export interface TimedOut {
  readonly resource: Resource;
  readonly timeoutMs: number;
  /** The answer that put the request into the queue, if it came. */
  readonly queued: LockResult | null;
  /** The answer to its cancellation, if it came. */
  readonly answer: LockResult | null;
}

/** `MAJORITY_LOST` or `NO_QUORUM` where the group cannot decide anything, else `LOCK_TIMEOUT`. */
export function timeoutError(instance: Instance, { resource, timeoutMs, queued, answer }: TimedOut): QuorateError {
  const { engine, options } = instance;
  const { kind, name } = resource;
  const happened = `The ${kind} "${name}" was not granted within ${timeoutMs} ms`;
  const known = answer ?? queued;
  const lost = answer === null ? majorityLostError(engine.status, happened) : null;
  if (lost) return lost;
  if (answer === null && !hasQuorum(engine.status)) {
    const { missing, leader } = statusOf(engine.status, options);
    const details = { kind, name, timeoutMs, missing, leader, ...transportFacts(engine.status) };
    const who = missing.length > 0 ? `not heard: ${missing.join(', ')}` : 'no leader is elected';
    const why = brokenText(engine.status) ?? who;
    return new QuorateError('NO_QUORUM', `${happened}: ${why}.`, { details, cause: engine.status.connectionError ?? undefined });
  }
  const holder = known && holderOf(known);
  if (known === null || holder === null) {
    const why = brokenText(engine.status) ?? (engine.session === null ? 'no session is open' : 'the leader did not answer');
    return new QuorateError('LOCK_TIMEOUT', `${happened}: ${known === null ? why : 'it became free too late'}.`, {
      details: { kind, name, timeoutMs, ...transportFacts(engine.status) },
    });
  }
  return heldError(instance, happened, { kind, name, timeoutMs }, holder, known[2]);
}

function heldError(
  instance: Instance,
  happened: string,
  facts: Readonly<Record<string, unknown>>,
  [node, token, sinceWallMs]: HolderInfo,
  place: number,
): QuorateError {
  const isOwn = node === instance.node;
  const heldByThisProcess = isOwn && instance.leases.has(token);
  const since = calendarText(sinceWallMs);
  const details = { ...facts, holder: node, token, since, place, heldByThisProcess };
  if (isOwn && !heldByThisProcess && place === 0) {
    return new QuorateError('LOCK_TIMEOUT', `${happened}: the grant came at the deadline and was given back.`, { details });
  }
  const own = heldByThisProcess
    ? ' It is held by this process, and locks are not re-entrant: whoever waits for itself waits for ever.'
    : '';
  const happenedFully = `${happened}: it is held by ${node} since ${since} (token ${token}); the place in the queue was ${place}.${own}`;
  return new QuorateError('LOCK_TIMEOUT', happenedFully, { details });
}

/** `QUEUE_FULL`, with who is in front of it all. */
export function queueFullError({ kind, name }: Resource, result: LockResult): QuorateError {
  const holder = holderOf(result);
  const happened = `The queue of the ${kind} "${name}" is full`;
  if (holder === null) return new QuorateError('QUEUE_FULL', `${happened}.`, { details: { kind, name } });
  const [node, token, sinceWallMs] = holder;
  const since = calendarText(sinceWallMs);
  return new QuorateError('QUEUE_FULL', `${happened}; it is held by ${node} since ${since} (token ${token}).`, {
    details: { kind, name, holder: node, token, since },
  });
}

function holderOf([, , , extra]: LockResult): HolderInfo | null {
  return extra !== null && typeof extra !== 'string' ? extra : null;
}
