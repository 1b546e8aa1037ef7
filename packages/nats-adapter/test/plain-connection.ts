/** A connection without a server: it can be watched and closed, and tells its statuses as the clients' own iterators do. */
import type { NatsConnection } from '../src/connection.ts';

export class PlainConnection implements NatsConnection {
  endsAskedFor = 0;
  readonly #ending = ending();
  #isClosed = false;

  publish(): void {
    // Nobody is there.
  }

  subscribe(): { unsubscribe(): void } {
    return { unsubscribe: () => undefined };
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  status(): AsyncIterable<unknown> & { stop(): void } {
    let stop: () => void = () => undefined;
    const stopped = new Promise<IteratorResult<unknown>>((resolve) => (stop = () => resolve({ done: true, value: undefined })));
    return { stop, [Symbol.asyncIterator]: () => ({ next: () => stopped }) };
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  closed(): Promise<void | Error> {
    this.endsAskedFor += 1;
    return this.#ending.promise;
  }

  /** Resolves when whoever waited for the end has been told. */
  async close(reason?: Error): Promise<void> {
    this.#isClosed = true;
    this.#ending.end(reason);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function ending(): { readonly promise: Promise<void | Error>; end(reason: Error | undefined): void } {
  let end: (reason: Error | undefined) => void = () => undefined;
  const promise = new Promise<void | Error>((resolve) => (end = resolve));
  return { promise, end };
}
