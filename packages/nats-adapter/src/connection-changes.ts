/** The changes of a connection, told alike for both generations of the client. */
import { whenClosed } from './connection-end.ts';
import type { NatsConnection } from './connection.ts';

export type ConnectionChange =
  /** `server`: words that follow "connection", empty where the client names none. */
  | { readonly type: 'disconnected'; readonly server: string }
  | { readonly type: 'connecting'; readonly server: string }
  | { readonly type: 'connected' }
  | { readonly type: 'closed'; readonly error: Error | undefined }
  /** The server refused a subject to this user. `operation` is the server's word: `publish` or `subscription`. */
  | { readonly type: 'denied'; readonly operation: string; readonly subject: string; readonly cause: unknown }
  | { readonly type: 'failed'; readonly message: string; readonly cause: unknown };

/** Tells of every change until the returned function is called. */
export function watchConnection(connection: NatsConnection, onChange: (change: ConnectionChange) => void): () => void {
  const statuses = connection.status();
  let isWatching = true;
  const tell = (change: ConnectionChange) => {
    if (isWatching) onChange(change);
  };
  void readStatuses(statuses, tell);
  const forget = whenClosed(connection, (cause) => tell({ type: 'closed', error: cause instanceof Error ? cause : undefined }));
  return () => {
    isWatching = false;
    forget();
    // Leaving the loop would have to wait for one more status; the clients' own iterators can be stopped at once.
    if ('stop' in statuses && typeof statuses.stop === 'function') statuses.stop();
  };
}

async function readStatuses(statuses: AsyncIterable<unknown>, tell: (change: ConnectionChange) => void): Promise<void> {
  try {
    for await (const status of statuses) {
      const change = changeOf(status);
      if (change !== undefined) tell(change);
    }
  } catch (cause) {
    tell({ type: 'failed', message: 'The status of the NATS connection cannot be read any more.', cause });
  }
}

/**
 * `nats` 2 says `{ type: 'error', data: code, permissionContext: { operation, subject } }`, `@nats-io` 3 `{ type: 'error', error }`
 * where a refusal has `operation` and `subject`.
 */
function changeOf(status: unknown): ConnectionChange | undefined {
  switch (property(status, 'type')) {
    case 'disconnect':
      return { type: 'disconnected', server: serverOf(status) };
    case 'reconnecting':
      return { type: 'connecting', server: serverOf(status) };
    case 'reconnect':
      return { type: 'connected' };
    case 'error':
      return errorOf(status);
    default:
      return undefined;
  }
}

/** `@nats-io` 3 does not say which server it tries. */
function serverOf(status: unknown): string {
  const server = property(status, 'server') ?? property(status, 'data');
  return typeof server === 'string' && server !== '' ? ` to ${server}` : '';
}

function errorOf(status: unknown): ConnectionChange {
  const error = property(status, 'error');
  const refusal = property(status, 'permissionContext') ?? error;
  const operation = property(refusal, 'operation');
  const subject = property(refusal, 'subject');
  if (typeof operation === 'string' && typeof subject === 'string') {
    return { type: 'denied', operation, subject, cause: error ?? property(status, 'data') };
  }
  const reason = error instanceof Error ? error.message : String(property(status, 'data'));
  return { type: 'failed', message: `The NATS server answered with an error: ${reason}.`, cause: error };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
