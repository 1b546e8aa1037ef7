/** What a connection that lives on keeps of those who were told of its changes for a while: nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { settledOrClosed, whenClosed } from '../src/connection-end.ts';
import { watchConnection } from '../src/connection-changes.ts';
import { PlainConnection } from './plain-connection.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Who is still held by somebody, in a turn in which nothing of the test's own is on the way. */
async function kept(watchers: readonly WeakRef<object>[]): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  return watchers.filter((watcher) => watcher.deref() !== undefined).length;
}

function watchFor(connection: PlainConnection): WeakRef<object> {
  const changes: string[] = [];
  watchConnection(connection, ({ type }) => changes.push(type))();
  return new WeakRef(changes);
}

async function waitFor(connection: PlainConnection): Promise<WeakRef<object>> {
  const outcome = {};
  await settledOrClosed(connection, Promise.resolve(outcome));
  return new WeakRef(outcome);
}

describe('a connection that lives on', () => {
  test('keeps no watcher that has stopped watching (20 watchers)', async () => {
    const connection = new PlainConnection();
    const watchers = Array.from({ length: 20 }, () => watchFor(connection));
    expect(await kept(watchers)).toBe(0);
    expect(connection.isClosed()).toBe(false);
  });

  test('keeps nothing of work that has settled, and is asked for its end once (20 pieces of work)', async () => {
    const connection = new PlainConnection();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => waitFor(connection)));
    expect(await kept(outcomes)).toBe(0);
    expect(connection.endsAskedFor).toBe(1);
  });
});

describe('a connection that is closed', () => {
  test('tells everyone who still watches, with what it was closed for', async () => {
    const connection = new PlainConnection();
    const told: unknown[] = [];
    whenClosed(connection, () => told.push('forgotten'))();
    whenClosed(connection, (cause) => told.push(cause));
    watchConnection(connection, (change) => told.push(change));
    const reason = new Error('gone');
    await connection.close(reason);
    expect(told).toEqual([reason, { type: 'closed', error: reason }]);
  });

  test('tells whoever asks later, too', async () => {
    const connection = new PlainConnection();
    whenClosed(connection, () => undefined);
    await connection.close();
    expect(await new Promise((resolve) => whenClosed(connection, () => resolve('told')))).toBe('told');
  });

  test('ends the wait for work that never settles', async () => {
    const connection = new PlainConnection();
    const waiting = settledOrClosed(connection, new Promise(() => undefined));
    await connection.close();
    await waiting;
  });
});
