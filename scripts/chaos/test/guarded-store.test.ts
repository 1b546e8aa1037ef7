/** The store under the locks: the guarded half refuses what comes late, the other half shows that something does. */
import { GuardedStore, serveStore, StoreClient } from '../guarded-store.ts';

describe('the guarded store', () => {
  test('takes rising and equal tokens and refuses lower ones, by register (2 registers)', () => {
    const store = new GuardedStore();
    expect(store.write({ key: 'x', token: 5, value: 1 })).toBe(true);
    expect(store.write({ key: 'x', token: 5, value: 2 })).toBe(true);
    expect(store.write({ key: 'x', token: 7, value: 3 })).toBe(true);
    expect(store.write({ key: 'x', token: 6, value: 4 })).toBe(false);
    expect(store.write({ key: 'y', token: 6, value: 5 })).toBe(true);
    expect([store.read('x'), store.read('y'), store.read('z')]).toEqual([3, 5, null]);
  });

  test('counts what it refused, and what the store beside it took', () => {
    const store = new GuardedStore();
    for (const token of [5, 7, 6, 5, 7]) store.write({ key: 'x', token, value: token });
    expect([store.staleWritesRefused, store.unguardedStaleWrites]).toEqual([2, 2]);
  });

  test('knows whether somebody newer has written', () => {
    const store = new GuardedStore();
    store.write({ key: 'x', token: 5, value: 1 });
    expect([4, 5].map((token) => store.hasNewer({ key: 'x', token }))).toEqual([true, false]);
    expect(store.hasNewer({ key: 'y', token: 1 })).toBe(false);
  });

  test('serves several processes, and fails what is asked when it is gone (2 connections)', async () => {
    const server = await serveStore(new GuardedStore());
    const [one, other] = [new StoreClient(server.port), new StoreClient(server.port)];
    const answers = await Promise.all([5, 6].map((token) => one.write({ key: 'x', token, value: token })));
    expect(answers).toEqual([true, true]);
    expect(await other.write({ key: 'x', token: 5, value: 9 })).toBe(false);
    expect(await other.read('x')).toBe(6);
    server.close();
    await expect(one.read('x')).rejects.toThrow('the store hung up');
    one.close();
    other.close();
  });
});
