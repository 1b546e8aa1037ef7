/** Leases and time at the API: a grant that comes too late, and a signal that comes in time. */
import { first, rejection, useGroup } from './group.ts';

describe('a grant (3 voters and two clients)', () => {
  const group = useGroup();

  test('that is held up for longer than the TTL is handed out to nobody, and the lock goes to the next', async () => {
    await group().joinAll();
    const [late, other] = [await group().join('d'), await group().join('e')];
    // Every frame to the one who asks arrives, but later than its lease would have lasted.
    group().bus.filter = ({ to }) => (to === 'd' ? [2_500] : undefined);
    const outcome = rejection(late.lock('x').acquire({ timeoutMs: Infinity }), 'SESSION_LOST');
    const { token, valid } = await outcome.then(() => other.lock('x').acquire());
    expect(valid).toBe(true);
    group().bus.filter = undefined;
    const again = late.lock('x').tryAcquire();
    expect(await again).toBeUndefined();
    expect((await first(other.lock('x').state$, ({ held }) => held)).holders).toMatchObject([{ node: 'e', token }]);
  });

  test('to the next comes after the signal of a holder whose link was cut, and after its lease', async () => {
    await group().joinAll();
    const [holder, next] = [await group().join('d'), await group().join('e')];
    const order: string[] = [];
    const lease = await holder.lock('x').acquire();
    lease.signal.addEventListener('abort', () => order.push(`signal ${lease.valid}`));
    const waiting = next
      .lock('x')
      .acquire({ timeoutMs: Infinity })
      .then((granted) => {
        order.push(`granted ${lease.valid}`);
        return granted;
      });
    for (const node of ['a', 'b', 'c', 'e']) {
      group().bus.cut('d', node);
      group().bus.cut(node, 'd');
    }
    expect((await waiting).token).toBeGreaterThan(lease.token);
    expect(order).toEqual(['signal false', 'granted false']);
  });
});
