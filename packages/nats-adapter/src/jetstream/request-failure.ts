/** Why a request to the server or to JetStream failed, as one of Quorate's errors, whichever generation of the client tells it. */
import { QuorateError } from '@quorate/core/adapter';
import type { NatsConnection } from '../connection.ts';

/** What JetStream answers a request that it refuses with. */
export interface ApiRefusal {
  /** As in HTTP. */
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Codes of the JetStream API, by their names in the server's `errors.json`. */
export const apiCode = {
  insufficientResources: 10_023,
  consumerNotFound: 10_014,
  consumerNameInUse: 10_013,
  consumerExists: 10_148,
  streamNotFound: 10_059,
  streamNameInUse: 10_058,
  messageNotFound: 10_037,
  wrongLastSequence: 10_071,
  wrongLastSequenceUnsaid: 10_164,
  replicasNotSupported: 10_074,
  workQueueUnfiltered: 10_099,
  workQueueOverlap: 10_100,
} as const;

// Account resources, resources of the server, consumers per stream or account, memory, storage, pending acknowledgements.
const limitCodes: readonly (number | undefined)[] = [10_002, apiCode.insufficientResources, 10_026, 10_028, 10_047, 10_121];
const overlapCodes: readonly (number | undefined)[] = [apiCode.workQueueUnfiltered, apiCode.workQueueOverlap];

export function refusedByApi(subject: string, refusal: ApiRefusal, stream: string): QuorateError {
  const said = `JetStream refused ${JSON.stringify(subject)}: ${refusal.description ?? 'no reason given'} (${refusal.err_code ?? refusal.code}).`;
  const details = { subject, stream, code: refusal.code, errorCode: refusal.err_code };
  if (refusal.err_code === apiCode.streamNotFound) {
    const happened = `\`stream\` is ${JSON.stringify(stream)}, which this account does not have. ${said}`;
    return new QuorateError('INVALID_OPTIONS', happened, { details });
  }
  if (limitCodes.includes(refusal.err_code)) return new QuorateError('LIMIT_REACHED', said, { details });
  if (overlapCodes.includes(refusal.err_code)) return new QuorateError('GROUP_HAS_MEMBERS', said, { details });
  const isForGood = refusal.code < 500 || refusal.err_code === apiCode.replicasNotSupported;
  return new QuorateError(!isForGood ? 'TRANSPORT_FAILED' : 'INVALID_OPTIONS', said, { details });
}

export function requestFailed(connection: NatsConnection, subject: string, cause: unknown): QuorateError {
  if (connection.isClosed()) return new QuorateError('TRANSPORT_CLOSED', 'The NATS connection is closed.', { cause });
  if (isDenied(cause)) return denied('publish', subject, cause);
  const happened = isNoResponders(cause)
    ? `Nobody answers ${JSON.stringify(subject)}: JetStream is not enabled for this account, or has no leader now.`
    : `The request ${JSON.stringify(subject)} failed: ${cause instanceof Error ? cause.message : String(cause)}.`;
  return new QuorateError('TRANSPORT_FAILED', happened, { cause, details: { subject } });
}

export function denied(operation: string, subject: string, cause: unknown): QuorateError {
  const doing = operation === 'subscription' ? 'subscribe to' : 'publish on';
  const happened = `The NATS server does not let this user ${doing} ${JSON.stringify(subject)}, which owning partitions of a stream needs.`;
  return new QuorateError('TRANSPORT_DENIED', happened, { cause, details: { operation, subject } });
}

/** `nats` 2 says it by the code `503`, `@nats-io` 3 by the name of the error or of its cause. */
export function isNoResponders(error: unknown): boolean {
  return chainOf(error).some((one) => property(one, 'code') === '503' || property(one, 'name') === 'NoRespondersError');
}

function isDenied(error: unknown): boolean {
  return chainOf(error).some(
    (one) => property(one, 'code') === 'PERMISSIONS_VIOLATION' || property(one, 'name') === 'PermissionViolationError',
  );
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < 8; one = property(one, 'cause')) chain.push(one);
  return chain;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
