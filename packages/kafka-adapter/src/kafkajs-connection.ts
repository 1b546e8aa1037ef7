/**
 * What kafkajs offers no option for, done to the connections of our own handle: TCP_NODELAY, an idle timer, and cutting a
 * connection at once. Each step looks before it touches; on a kafkajs with other insides it does nothing.
 */
import type { KafkajsBroker } from './kafkajs-cluster.ts';

interface Connection {
  isConnected(): boolean;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  readonly socket?: Partial<Socket>;
  readonly requestQueue?: Partial<RequestQueue>;
}

interface Socket {
  setNoDelay(on: boolean): unknown;
  destroy(): unknown;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
  rejectAll(error: Error): void;
}

/** The connection for everything but fetches; undefined where the broker is built otherwise. */
export function requestConnectionOf(broker: KafkajsBroker): Connection | undefined {
  return connectionsOf(broker)[0];
}

export function isThrottled(broker: KafkajsBroker): boolean {
  return connectionsOf(broker).some(({ requestQueue }) => (requestQueue?.throttledUntil ?? 0) > Date.now());
}

/** To be called after each connect: sockets are replaced. */
export function tune(broker: KafkajsBroker): void {
  for (const connection of connectionsOf(broker)) {
    connection.socket?.setNoDelay?.(true);
    stopIdleTimer(connection.requestQueue);
  }
}

/**
 * kafkajs 2.2.4 arms a timer of 1 ms again and again on every connection, which costs 1 % of a core each while nothing happens.
 * The check that it runs is needed only while requests are held back.
 */
function stopIdleTimer(queue: Partial<RequestQueue> | undefined): void {
  if (queue?.scheduleCheckPendingRequests === undefined || !Array.isArray(queue.pending)) return;
  if (Object.hasOwn(queue, 'scheduleCheckPendingRequests')) return;
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleIfPending(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/**
 * `disconnect` alone waits for the answers under way, a long poll's for one. A connection cut in the middle of an answer keeps
 * what it read and would take the next one for its rest, so that is cleared as well.
 */
export async function cut(broker: KafkajsBroker, error: Error): Promise<void> {
  await Promise.all(
    connectionsOf(broker).map(async (connection) => {
      connection.requestQueue?.rejectAll?.(error);
      const socket = connection.socket;
      await connection.disconnect().catch(() => undefined);
      socket?.destroy?.();
      if ('chunks' in connection && 'bytesBuffered' in connection && 'bytesNeeded' in connection) {
        Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: 4 });
      }
    }),
  );
}

function connectionsOf(broker: KafkajsBroker): readonly Connection[] {
  const pool: unknown = 'connectionPool' in broker ? broker.connectionPool : undefined;
  if (typeof pool !== 'object' || pool === null || !('pool' in pool) || !Array.isArray(pool.pool)) return [];
  return pool.pool.filter(isConnection);
}

function isConnection(given: unknown): given is Connection {
  if (typeof given !== 'object' || given === null) return false;
  return ['isConnected', 'connect', 'disconnect'].every((name) => typeof Reflect.get(given, name) === 'function');
}
