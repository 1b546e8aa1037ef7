/** Elections over whole groups in one process. */
import type { Candidacy } from '../../src/api/campaign.ts';
import type { Term } from '../../src/api/lease-contract.ts';
import type { Leader } from '../../src/api/leader-watch.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { soloQuorate } from '../../src/api/solo.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { arrange } from './arranged.ts';
import { first, gate, rejection, until, useGroup } from './group.ts';

describe('elections (one voter alone)', () => {
  let quorate: Quorate;
  beforeEach(async () => {
    quorate = await soloQuorate();
  });
  afterEach(() => quorate.close({ timeoutMs: 100 }));

  test('lead is one term: elected with its value, resigned when the callback returns', async () => {
    const election = quorate.election('e');
    const seen = await election.lead(
      async (term) => {
        await first(election.leader$, ({ leader }) => leader === 'solo');
        return { token: term.token, current: election.current };
      },
      { value: 'http://solo' },
    );
    expect(seen.current).toEqual({ leader: 'solo', token: seen.token, value: 'http://solo' });
    await first(election.leader$, ({ leader }) => leader === undefined);
    expect(election.current).toBeUndefined();
  });

  test('a term proclaims a new value, seen with the same token', async () => {
    const election = quorate.election('e');
    await election.lead(async (term) => {
      await term.proclaim('two');
      expect(await first(election.leader$, ({ value }) => value === 'two')).toMatchObject({ token: term.token });
      await rejection(term.proclaim('x'.repeat(1_025)), 'NOTE_TOO_LARGE');
      expect(await term.resign()).toBe('released');
      await rejection(term.proclaim('three'), 'NOT_HELD');
    });
  });

  test('campaign returns at once, leads, and after resigning leads again under a larger token', async () => {
    const candidacy = quorate.election('e').campaign('v');
    expect(candidacy.current).toBeUndefined();
    const term = await first(candidacy.current$, (it) => it !== undefined);
    expect(candidacy.current).toBe(term);
    await candidacy.resign();
    const next = await first(candidacy.current$, (it) => it !== undefined && it !== term);
    expect(next?.token).toBeGreaterThan(term?.token ?? Infinity);
    await candidacy.stop();
    expect(candidacy.current).toBeUndefined();
    await first(quorate.election('e').leader$, ({ leader }) => leader === undefined);
  });

  test('a campaign whose term is released by the user takes part again', async () => {
    await using candidacy = quorate.election('e').campaign();
    const term = await first(candidacy.current$, (it) => it !== undefined);
    await term?.release();
    expect(await first(candidacy.current$, (it) => it !== undefined && it !== term)).toBeDefined();
  });

  test('a value proclaimed while waiting is the value of the term to come', async () => {
    const election = quorate.election('e');
    const finish = gate();
    const leading = election.lead(() => finish.promise);
    const candidacy = election.campaign('old');
    await first(quorate.election('e').leader$, ({ leader }) => leader !== undefined);
    await candidacy.proclaim('new');
    finish.open();
    await leading;
    await first(election.leader$, ({ value }) => value === 'new');
    await candidacy.stop();
  });

  test('stopping a campaign that waits leaves the queue', async () => {
    const election = quorate.election('e');
    const finish = gate();
    const leading = election.lead(() => finish.promise);
    const candidacy = election.campaign();
    await candidacy.stop();
    finish.open();
    await leading;
    await first(election.leader$, ({ leader }) => leader === undefined);
    await election.lead((term) => expect(term.valid).toBe(true), { timeoutMs: 5_000 });
  });

  test('a value over 1 KiB is refused before anything is asked', async () => {
    expect(() => quorate.election('e').campaign('x'.repeat(1_025))).toThrow(expect.objectContaining({ code: 'NOTE_TOO_LARGE' }));
    await rejection(
      quorate.election('e').lead(() => 1, { value: 'x'.repeat(1_025) }),
      'NOTE_TOO_LARGE',
    );
  });

  test('one election, one object', () => {
    expect(quorate.election('e')).toBe(quorate.election('e'));
  });
});

describe('a campaign whose value was changed while it was in the queue (engine double)', () => {
  function arrangeElected(onElected: (candidacy: Candidacy, term: Term) => void) {
    const { engine, quorate } = arrange();
    const candidacy = quorate.election('e').campaign('one');
    const proclaimed = () => engine.ops.filter(([kind]) => kind === lockOp.proclaim).map((op) => op.at(-1));
    candidacy.current$.subscribe((term) => term && onElected(candidacy, term));
    const elect = async (): Promise<void> => {
      await until(() => engine.ops.length === 1);
      await candidacy.proclaim('two');
      engine.answer([1, resultCode.granted, 7, null]);
      await until(() => proclaimed().length > 0 && candidacy.current !== undefined);
      await new Promise(setImmediate);
    };
    return { engine, candidacy, elect, proclaimed };
  }

  test('proclaims the next one only once that is answered, for a request that is lost is made again after it', async () => {
    const { engine, candidacy, elect, proclaimed } = arrangeElected(() => undefined);
    await elect();
    const proclaiming = candidacy.proclaim('three');
    await new Promise(setImmediate);
    expect(proclaimed()).toEqual(['two']);
    engine.answer([2, resultCode.done, 0, null]);
    await until(() => proclaimed().length === 2);
    expect(proclaimed()).toEqual(['two', 'three']);
    engine.answer([3, resultCode.done, 0, null]);
    await proclaiming;
  });

  test('takes what is proclaimed before a resignation, made in the same turn, in that order', async () => {
    const { engine, quorate } = arrange();
    const candidacy = quorate.election('e').campaign('one');
    await until(() => engine.ops.length === 1);
    engine.answer([1, resultCode.granted, 7, null]);
    await until(() => candidacy.current !== undefined);
    const term = candidacy.current;
    const calls = Promise.all([term?.proclaim('two'), term?.proclaim('three'), term?.resign()]);
    expect(term?.valid).toBe(false);
    for (const [seq, kind] of [lockOp.proclaim, lockOp.proclaim, lockOp.release].entries()) {
      await until(() => engine.ops.length === seq + 2);
      expect(engine.ops.at(-1)?.[0]).toBe(kind);
      engine.answer([seq + 2, resultCode.done, 7, null]);
    }
    expect(await calls).toEqual([undefined, undefined, 'released']);
  });

  test('proclaims what is said at the news of the term after it, and though it is refused', async () => {
    const { engine, elect, proclaimed } = arrangeElected((_candidacy, term) => void term.proclaim('three'));
    await elect();
    expect(proclaimed()).toEqual(['two']);
    engine.answer([2, resultCode.limit, 0, null]);
    await until(() => proclaimed().length === 2);
    expect(proclaimed()).toEqual(['two', 'three']);
  });

  test('says of one that waits for another that the term is over, where that ends first', async () => {
    const { engine, candidacy, elect, proclaimed } = arrangeElected(() => undefined);
    await elect();
    const refused = rejection(candidacy.proclaim('three'), 'NOT_HELD');
    engine.loseSession();
    await refused;
    expect(proclaimed()).toEqual(['two']);
  });
});

describe('elections (3 voters)', () => {
  const group = useGroup();

  test('between two leaders every watcher sees a moment without one', async () => {
    const members = await group().joinAll();
    const seen: Leader[][] = members.map(() => []);
    members.forEach((member, index) => member.election('e').leader$.subscribe((leader) => seen[index]?.push(leader)));
    const terms: Term[] = [];
    for (let round = 0; round < 2; round += 1) {
      for (const member of members) await member.election('e').lead((term) => void terms.push(term), { value: `${member.node}${round}` });
    }
    const last = terms.at(-1)?.token;
    const [a] = members;
    await a?.election('e').lead(() => undefined);
    await Promise.all(members.map((it) => first(it.election('e').leader$, ({ leader }) => leader === undefined)));
    expect(last).toBeDefined();
    for (const leaders of seen) {
      const tokens = leaders.map(({ token }) => token);
      leaders.forEach((leader, index) => {
        const before = leaders[index - 1];
        const isSuccession = before?.leader !== undefined && leader.leader !== undefined && before.token !== leader.token;
        expect(isSuccession).toBe(false);
      });
      const led = tokens.filter((token) => token !== undefined);
      expect(led).toEqual([...led].sort((x, y) => x - y));
    }
  });

  test('of several campaigns one leads, and the next one does when its process closes', async () => {
    const members = await group().joinAll();
    const candidacies = members.map((member) => member.election('e').campaign(member.node));
    const [watcher] = members;
    const { leader, token } = await first(watcher?.election('e').leader$ ?? fail(), (it) => it.leader !== undefined);
    await Promise.race(candidacies.map(({ current$ }) => first(current$, (it) => it !== undefined)));
    expect(candidacies.filter(({ current }) => current !== undefined)).toHaveLength(1);
    const other = members.find(({ node }) => node !== leader);
    await members.find(({ node }) => node === leader)?.close();
    const next = await first(other?.election('e').leader$ ?? fail(), (it) => it.leader !== undefined && it.leader !== leader);
    expect(next.token).toBeGreaterThan(token ?? Infinity);
  });
});

function fail(): never {
  throw new Error('not joined');
}
