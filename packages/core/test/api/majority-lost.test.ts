/** A majority comes back without its memory: what callers are told, and what becomes of the group where it is to be founded anew. */
import { first, rejection, useGroup } from './group.ts';

describe('a group whose majority lost its memory (3 voters)', () => {
  const group = useGroup();

  /** As `kill -9` of diskless pods that are started again. */
  async function arrange(whenMajorityIsLost: 'stop' | 'refound') {
    const [survivor, ...others] = await group().joinAll(undefined, { whenMajorityIsLost });
    if (!survivor) throw new Error('nobody joined');
    const { token } = await survivor.lock('x').acquire();
    await Promise.all(others.map((quorate) => quorate.close({ timeoutMs: 0 })));
    const restart = (node: string) => group().join(node, { whenMajorityIsLost, timeoutMs: whenMajorityIsLost === 'stop' ? 4_000 : 30_000 });
    return { survivor, token, again: [restart('b'), restart('c')] };
  }

  test('stops: what waits and what is asked for later end with MAJORITY_LOST, which names the lost, and joins end with it too', async () => {
    const { survivor, again } = await arrange('stop');
    const refused = Promise.all(again.map((joining) => rejection(joining, 'MAJORITY_LOST')));
    const failed = first(survivor.events$, (event) => event.type === 'campaignFailed');
    const campaign = survivor.election('e').campaign();
    const waiting = await rejection(survivor.lock('y').acquire({ timeoutMs: Infinity }), 'MAJORITY_LOST');
    expect(waiting.details).toMatchObject({ lost: ['b', 'c'] });
    expect(survivor.status).toMatchObject({ quorum: false, ready: false, majorityLost: ['b', 'c'] });
    expect(survivor.status.text).toContain('b, c came back without memory');
    await rejection(survivor.lock('y').acquire(), 'MAJORITY_LOST');
    await rejection(survivor.lock('y').tryAcquire(), 'MAJORITY_LOST');
    expect(await failed).toMatchObject({ error: { code: 'MAJORITY_LOST' } });
    for (const error of await refused) expect(error.details).toMatchObject({ told: 'a' });
    await campaign.stop();
  });

  test('is founded anew: all have sessions again, and grants go on under larger tokens', async () => {
    const { survivor, token, again } = await arrange('refound');
    const refounding = first(survivor.events$, (event) => event.type === 'refounding');
    await Promise.all(again);
    expect(await refounding).toMatchObject({ type: 'refounding' });
    expect((await survivor.lock('x').acquire()).token).toBeGreaterThan(token);
  });
});
