/** The end of a user's connection, for whoever waits for it or for something that a closed connection never settles. */
import type { NatsConnection } from './connection.ts';

/** `cause`: what the client says the connection was closed for, if anything. */
export type OnClosed = (cause: unknown) => void;

/** The client's promise keeps every reaction, and what that holds, for as long as the connection lives: it is given one for all of ours. */
const listenersOf = new WeakMap<NatsConnection, Set<OnClosed>>();

/** Tells once, when the connection is closed for good, unless the returned function is called before. */
export function whenClosed(connection: NatsConnection, onClosed: OnClosed): () => void {
  const listeners = listenersOf.get(connection) ?? listenTo(connection);
  listeners.add(onClosed);
  return () => listeners.delete(onClosed);
}

/** Resolves when `work` has settled, or the connection is closed. */
export function settledOrClosed(connection: NatsConnection, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const forget = whenClosed(connection, () => resolve());
    const settle = () => {
      forget();
      resolve();
    };
    work.then(settle, settle);
  });
}

function listenTo(connection: NatsConnection): Set<OnClosed> {
  const listeners = new Set<OnClosed>();
  listenersOf.set(connection, listeners);
  const tell = (cause: unknown) => {
    // Whoever asks from now on asks anew: the client's promise has settled and keeps nothing.
    listenersOf.delete(connection);
    for (const onClosed of listeners) onClosed(cause);
  };
  void connection.closed().then(tell, tell);
  return listeners;
}
