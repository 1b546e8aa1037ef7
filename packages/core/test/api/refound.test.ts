/** What an operator does for a group by count that has lost its majority: it is founded anew, and never beside one that lives. Rule 22. */
import { refound } from '../../src/api/refound.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { first, rejection, useGroup } from './group.ts';
import type { TestGroup } from './group.ts';

const voters = { count: 3 } as const;
const listenMs = 600;

/** As by `kill -9`, without memory. */
async function lose(group: TestGroup, ...lost: readonly Quorate[]): Promise<void> {
  for (const { node } of lost) group.bus.disconnect(node);
  await Promise.all(lost.map((one) => one.close({ timeoutMs: 0 })));
}

describe('founding anew', () => {
  const group = useGroup();
  const order = () => refound({ transport: group().transport, group: 'g', listenMs });

  test('brings back a group of which one voter is left, with tokens above all earlier ones (3 processes, 2 lost, 2 new)', async () => {
    const [a, b, c] = (await group().joinAll(['a', 'b', 'c'], { voters })) as [Quorate, Quorate, Quorate];
    const before = await a.lock('l').acquire();
    const lost = first(a.events$, ({ type }) => type === 'sessionLost');
    await lose(group(), b, c);
    const coming = ['d', 'e'].map((node) => group().join(node, { voters }));
    // Until its lease is over a leader answers as one.
    await first(a.status$, ({ quorum }) => !quorum);
    expect(await order()).toMatchObject({ voters: ['a', 'b', 'c'], heard: ['a'] });
    await lost;
    expect(before.valid).toBe(false);
    const again = await Promise.all(coming);
    await first(a.status$, ({ seat, ready }) => seat === 'held' && ready);
    for (const { status } of again) expect(status.voters).toEqual(['a', 'd', 'e']);
    expect((await a.lock('l').acquire()).token).toBeGreaterThan(before.token);
  });

  test('brings back a group of which nobody is left (3 processes lost, 3 new, and a client that stayed)', async () => {
    const members = await group().joinAll(['a', 'b', 'c'], { voters });
    const client = await group().join('x', { voters, standby: false });
    const { token } = await client.lock('l').acquire();
    await lose(group(), ...members);
    const coming = ['d', 'e', 'f'].map((node) => group().join(node, { voters }));
    expect(await order()).toMatchObject({ voters: ['a', 'b', 'c'], heard: [] });
    await Promise.all(coming);
    await first(client.status$, ({ session, voters: now }) => session === 'healthy' && now.join() === 'd,e,f');
    expect((await client.lock('l').acquire()).token).toBeGreaterThan(token);
  });

  test('keeps the wait for leases of the lost life, also where the first founding had none (3 processes, 3 new)', async () => {
    const members = await group().joinAll(['a', 'b', 'c'], { voters });
    await lose(group(), ...members);
    const coming = ['d', 'e', 'f'].map((node) => group().join(node, { voters, timeoutMs: 1_200 }));
    await order();
    const errors = await Promise.all(coming.map((it) => rejection(it, 'JOIN_TIMEOUT')));
    expect(errors.map(({ details }) => details['stage'])).toEqual(['opening', 'opening', 'opening']);
  });

  test('is refused while the group is led, and while a majority answers (3 processes, then 2)', async () => {
    const [a, b, c] = (await group().joinAll(['a', 'b', 'c'], { voters })) as [Quorate, Quorate, Quorate];
    expect((await rejection(order(), 'GROUP_LIVES')).details['voters']).toEqual(['a', 'b', 'c']);
    await lose(group(), c);
    const { details, message } = await rejection(order(), 'GROUP_LIVES');
    expect(details['voters']).toEqual(['a', 'b', 'c']);
    expect(message).toContain('The group "g" is not lost');
    expect((await a.lock('l').acquire()).valid).toBe(true);
    expect(b.status.session).toBe('healthy');
  });

  test('is refused to whoever cannot read what the voters say, for their silence is none (3 processes with a secret, asked without)', async () => {
    const secrets = ['of this group and of nobody else'];
    const members = await group().joinAll(['a', 'b', 'c'], { voters, secrets });
    expect((await rejection(order(), 'INVALID_OPTIONS')).message).toContain('could not be read');
    await rejection(refound({ transport: group().transport, group: 'g', listenMs, secrets }), 'GROUP_LIVES');
    expect((await members[0]?.lock('l').acquire())?.valid).toBe(true);
  });

  test('has nothing to do where no founding stands, and may be ordered twice (no process)', async () => {
    expect(await order()).toEqual({ ended: null, voters: [], heard: [] });
    await lose(group(), ...(await group().joinAll(['a', 'b', 'c'], { voters })));
    expect((await order()).ended).not.toBeNull();
    expect((await order()).ended).toBeNull();
  });
});
