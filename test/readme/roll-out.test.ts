/** What README.md and docs/operations.md say of restarts of voters, on a group in memory. */
import { join, memoryTransport } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { filter, firstValueFrom, interval } from 'rxjs';
import { livenessOf } from './liveness.ts';

const voters = ['a', 'b', 'c'];
const settings = { session: { ttlMs: 1_500 }, timing: { heartbeatMs: 25, electionTimeoutMs: 100, maxSessionTtlMs: 1_500 } };

const joined: Quorate[] = [];

/** Starts processes of one group; whatever a test makes of them, they end with it. */
function group() {
  const transport = memoryTransport();
  return async (node: string, firstFounding = false): Promise<Quorate> => {
    const quorate = await join({ group: 'g', node, voters, transport, firstFounding, ...settings });
    joined.push(quorate);
    return quorate;
  };
}

afterEach(async () => {
  await Promise.all(joined.splice(0).map((quorate) => quorate.close({ timeoutMs: 300 })));
});

function until(quorate: Quorate, isIt: (status: Quorate['status']) => boolean): Promise<unknown> {
  return firstValueFrom(quorate.status$.pipe(filter(isIt)));
}

test('a voter that restarts stands by, the group goes on, and it is a voter again (3 voters)', async () => {
  const start = group();
  const [, , c] = await Promise.all([start('a', true), start('b', true), start('c', true)]);
  await c.close();
  const again = await start('c');
  await expect(again.lock('x').run(() => 'done')).resolves.toBe('done');
  await until(again, ({ ready, seat }) => ready && seat === 'held');
  expect(again.status.notReady).toBeUndefined();
});

test('three voters restarted one after the other, each when the one before is ready, keep what was decided (3 voters, 1 client)', async () => {
  const start = group();
  const [a, b, c, client] = await Promise.all([start('a', true), start('b', true), start('c', true), start('client', true)]);
  await client.lock('x').run((lease) => lease.note('kept with the group'));
  for (const voter of [c, b, a]) {
    await voter.close();
    const again = await start(voter.node);
    await until(again, ({ ready, seat }) => ready && seat === 'held');
  }
  await client.lock('x').run(({ previous }) => expect(previous).toBe('kept with the group'));
});

test('two restarted voters leave no majority; when the third has restarted they found anew, and a client goes on (3 voters, 1 client)', async () => {
  const start = group();
  const [a, b, c, client] = await Promise.all([start('a', true), start('b', true), start('c', true), start('client', true)]);
  const isLive = livenessOf(a, 300);
  expect(isLive()).toBe(true);
  const tokens: number[] = [];
  await client.lock('x').run(({ token }) => void tokens.push(token));
  await client.lock('x').run((lease) => lease.note('kept with the group'));

  await c.close();
  const c2 = await start('c');
  await b.close();
  const b2 = start('b');
  await until(a, ({ quorum }) => !quorum);
  await expect(client.lock('x').acquire({ timeoutMs: 500 })).rejects.toMatchObject({ code: 'NO_QUORUM' });
  await firstValueFrom(interval(20).pipe(filter(() => !isLive())));

  await a.close({ timeoutMs: 100 });
  await Promise.all([start('a'), b2, until(c2, ({ seat }) => seat === 'held')]);
  await client.lock('x').run(({ token, previous }) => {
    expect(token).toBeGreaterThan(tokens[0] ?? Infinity);
    expect(previous).toBeUndefined();
  });
});
