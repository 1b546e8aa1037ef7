/** Who votes, who stands by, and the calls that change it, over the in-memory bus. */
import type { Members, Quorate } from '../../src/index.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import { arrange } from './arranged.ts';
import { first, only, rejection, until, useGroup } from './group.ts';

const group = useGroup();

async function withStandby(): Promise<{ readonly voters: Quorate[]; readonly standby: Quorate }> {
  const voters = await group().joinAll();
  return { voters, standby: await group().join('d', { standby: true }) };
}

function namesOf({ voters }: Members): string {
  return voters.map(({ node }) => node).join('');
}

const has = (names: string) => (members: Members) => namesOf(members) === names;

describe('the calls of an operator', () => {
  it('take a group from three voters to four and back, and every process sees who votes (3 voters, 1 standby)', async () => {
    const { voters, standby } = await withStandby();
    await only(voters).addVoter('d');
    for (const quorate of [...voters, standby]) await first(quorate.members$, has('abcd'));
    expect(standby.status).toMatchObject({ seat: 'held', voters: ['a', 'b', 'c', 'd'] });
    await first(standby.status$, ({ ready }) => ready);
    await standby.removeVoter('a');
    for (const quorate of [...voters, standby]) await first(quorate.members$, has('bcd'));
    await first(only(voters).status$, ({ role, seat, ready }) => role === 'standby' && seat === 'lost' && ready);
    await only(voters)
      .lock('l')
      .run(() => undefined);
  });

  it('name the standby that is missing, and what was asked (3 voters)', async () => {
    const [a] = await group().joinAll();
    const error = await rejection(a?.addVoter('d', { timeoutMs: 300 }) ?? Promise.resolve(), 'NOT_HEARD');
    expect(error.details).toEqual({ type: 'add', node: 'd', standing: 'notHeard' });
    expect(error.message).toContain('To give d a vote was not done within 300 ms');
  });

  it.each<[string, (quorate: Quorate) => Promise<void>, Parameters<typeof rejection>[1]]>([
    ['a seat that lives is not swapped', (quorate) => quorate.replaceVoter('b', 'b'), 'SEAT_IN_USE'],
    ['a client is no voter', (quorate) => quorate.transferLeadership('x'), 'NOT_A_VOTER'],
    ['a name must be one', (quorate) => quorate.addVoter(''), 'INVALID_NAME'],
    ['a deadline must be one', (quorate) => quorate.addVoter('d', { timeoutMs: -1 }), 'INVALID_OPTIONS'],
  ])('say at once that %s (3 voters)', async (_what, call, code) => {
    const [a] = await group().joinAll();
    if (a) await rejection(call(a), code);
  });

  it('hand leadership over, and resolve once the other leads (3 voters)', async () => {
    const voters = await group().joinAll();
    const to = voters.find(({ node, status }) => status.leader !== node)?.node ?? '';
    await only(voters).transferLeadership(to);
    for (const { status$ } of voters) await first(status$, ({ leader }) => leader === to);
  });

  it('replace the very process that asks, which then stands by (3 voters, 1 standby)', async () => {
    const { voters } = await withStandby();
    const leader = voters.find(({ node, status }) => status.leader === node) ?? only(voters);
    const events: QuorateEvent[] = [];
    leader.events$.subscribe((event) => events.push(event));
    await leader.replaceVoter(leader.node, 'd');
    await first(leader.status$, ({ role }) => role === 'standby');
    const types = events.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['voterOrder', 'votersChanging', 'votersChanged', 'seatGiven']));
    expect(leader.status.session).toBe('healthy');
  });

  it('give up with the instance, and take their order back (engine double)', async () => {
    const { engine, quorate } = arrange();
    const asked = rejection(quorate.addVoter('d'), 'CLOSED');
    expect(engine.orders.map(({ order }) => order)).toEqual([{ type: 'add', node: 'd' }]);
    await quorate.close({ timeoutMs: 0 });
    await asked;
    expect(engine.orders.at(-1)).toEqual({ id: engine.orders[0]?.id, order: null });
  });
});

describe('the members of a group', () => {
  it('are seen by voters, standbys and clients, and a silent voter is seen to be silent (3 voters, 1 standby, 1 client)', async () => {
    const { voters, standby } = await withStandby();
    const client = await group().join('x');
    await first(client.members$, ({ standbys }) => standbys.some(({ node, lacking }) => node === 'd' && lacking === 0));
    expect(client.members.clients).toBeUndefined();
    await until(() => standby.members.clients?.join() === 'x');
    const silent = voters.find(({ node, status }) => status.leader !== node)?.node ?? '';
    group().bus.disconnect(silent);
    await first(client.members$, (members) => members.voters.some(({ node, heard }) => node === silent && !heard));
    expect(client.members.voters.filter(({ leads }) => leads)).toHaveLength(1);
  });
});
