/** Single-decree Paxos by itself. "Paxos Made Simple" §2. */
import type { SynodMessage, SynodOutput, SynodRecord } from '../../src/paxos/synod.ts';
import { foldSynodRecords, Synod } from '../../src/paxos/synod.ts';
import { seededRandom } from '../../src/time/random.ts';
import { ballotOf, configurationOf, proposer } from './desk.ts';

interface Parcel {
  readonly atMs: number;
  readonly from: ReturnType<typeof proposer>;
  readonly to: string;
  readonly message: SynodMessage<string | null>;
}

/** A few synods on a bad network, from one seed. */
class Assembly {
  readonly random;
  nowMs = 0;
  readonly decisions = new Set<string | null>();
  loss = 0;
  duplication = 0;
  private readonly runs = new Map<string, number>();
  private readonly disks = new Map<string, SynodRecord<string | null>[]>();
  private readonly synods = new Map<string, Synod<string | null>>();
  private parcels: Parcel[] = [];

  constructor(
    seed: number,
    readonly nodes: readonly string[],
    private readonly voters: readonly string[],
  ) {
    this.random = seededRandom(seed);
    for (const node of nodes) this.start(node);
  }

  start(node: string): void {
    const run = (this.runs.get(node) ?? 0) + 1;
    this.runs.set(node, run);
    const random = seededRandom(run + node.charCodeAt(0));
    const options = { self: proposer(node, run), configuration: configurationOf(...this.voters), random, roundMs: 50 };
    this.synods.set(node, new Synod(options, foldSynodRecords(this.disks.get(node) ?? [])));
  }

  get(node: string): Synod<string | null> {
    const synod = this.synods.get(node);
    if (!synod) throw new Error(`no ${node}`);
    return synod;
  }

  propose(node: string, value: string | null): void {
    this.carryOut(node, this.get(node).step({ type: 'propose', value, nowMs: this.nowMs }));
  }

  ask(node: string): void {
    this.carryOut(node, this.get(node).step({ type: 'ask', nowMs: this.nowMs }));
  }

  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (; this.nowMs < endMs; this.nowMs += 1) {
      const due = this.parcels.filter(({ atMs }) => atMs <= this.nowMs);
      this.parcels = this.parcels.filter(({ atMs }) => atMs > this.nowMs);
      for (const { from, to, message } of due) {
        this.carryOut(to, this.get(to).step({ type: 'message', from, message, nowMs: this.nowMs }));
      }
      for (const node of this.nodes) this.carryOut(node, this.get(node).step({ type: 'tick', nowMs: this.nowMs }));
    }
  }

  private carryOut(node: string, { persist, send, decided }: SynodOutput<string | null>): void {
    this.disks.set(node, [...(this.disks.get(node) ?? []), ...persist]);
    if (decided) this.decisions.add(decided.value);
    if (this.decisions.size > 1) throw new Error(`two decisions: ${[...this.decisions].join(' and ')}`);
    const from = proposer(node, this.runs.get(node));
    for (const { to, message } of send) {
      for (const target of to.type === 'voters' ? this.voters : [to.node]) {
        if (target === node) continue;
        const copies = this.random.next() < this.duplication ? 2 : 1;
        for (let copy = 0; copy < copies; copy += 1) {
          if (this.random.next() < this.loss) continue;
          this.parcels.push({
            atMs: this.nowMs + 1 + this.random.below(this.random.below(10) === 0 ? 200 : 10),
            from,
            to: target,
            message,
          });
        }
      }
    }
  }
}

const abc = ['a', 'b', 'c'];

describe('a synod', () => {
  it('settles on the one value that is proposed, and every voter learns it (3 voters)', () => {
    const assembly = new Assembly(1, abc, abc);
    assembly.propose('a', 'blue');
    assembly.run(1_000);
    expect(abc.map((node) => assembly.get(node).decided)).toEqual(abc.map(() => ({ value: 'blue' })));
  });

  it('tells a later proposer the decision instead of taking its value (3 voters, 1 proposer that does not vote)', () => {
    const assembly = new Assembly(2, [...abc, 'x'], abc);
    assembly.propose('a', 'blue');
    assembly.run(1_000);
    assembly.propose('x', 'red');
    assembly.run(1_000);
    expect(assembly.get('x').decided).toEqual({ value: 'blue' });
  });

  it('is settled by a proposer that does not vote (3 voters, 1 proposer)', () => {
    const assembly = new Assembly(3, [...abc, 'x'], abc);
    assembly.propose('x', 'red');
    assembly.run(1_000);
    expect(abc.map((node) => assembly.get(node).decided)).toEqual(abc.map(() => ({ value: 'red' })));
  });

  it('tells whoever only asks, once there is something to tell (3 voters, 1 learner)', () => {
    const assembly = new Assembly(4, [...abc, 'x'], abc);
    assembly.ask('x');
    assembly.run(500);
    expect(assembly.get('x').decided).toBeNull();
    assembly.propose('b', 'green');
    assembly.run(1_000);
    expect(assembly.get('x').decided).toEqual({ value: 'green' });
  });

  it('can settle on null (3 voters)', () => {
    const assembly = new Assembly(5, abc, abc);
    assembly.propose('a', null);
    assembly.run(10);
    assembly.propose('b', 'late');
    assembly.run(1_000);
    expect(assembly.get('b').decided).toEqual({ value: null });
  });

  it('decides nothing without a majority (3 voters, 2 of them gone)', () => {
    const assembly = new Assembly(6, ['a'], ['a']);
    const alone = new Synod<string>({ self: proposer('a'), configuration: configurationOf(...abc), random: seededRandom(1), roundMs: 50 });
    alone.step({ type: 'propose', value: 'mine', nowMs: 0 });
    for (let nowMs = 0; nowMs < 5_000; nowMs += 10) expect(alone.step({ type: 'tick', nowMs }).decided).toBeNull();
    assembly.propose('a', 'of one');
    expect(assembly.get('a').decided).toEqual({ value: 'of one' });
  });

  it('adopts the vote of the highest ballot among the promises, not its own value (5 voters, "Paxos Made Simple" §2.2, P2c)', () => {
    const options = { self: proposer('a'), configuration: configurationOf('a', 'b', 'c', 'd', 'e'), random: seededRandom(1), roundMs: 50 };
    const synod = new Synod<string>(options);
    synod.step({ type: 'propose', value: 'mine', nowMs: 0 });
    const ballot = ballotOf('a', 1);
    const hear = (node: string, vote: { ballot: ReturnType<typeof ballotOf>; value: string } | null): SynodOutput<string> =>
      synod.step({ type: 'message', from: proposer(node), message: { type: 'synodPromise', ballot, vote }, nowMs: 1 });
    hear('b', { ballot: ballotOf('d', 0), value: 'high' });
    const { send } = hear('c', { ballot: ballotOf('c', 0), value: 'low' });
    expect(send[0]?.message).toEqual({ type: 'synodAccept', ballot, value: 'high' });
  });

  it('counts no vote of a stranger, of another incarnation or for another ballot (3 voters)', () => {
    const synod = new Synod<string>({ self: proposer('a'), configuration: configurationOf(...abc), random: seededRandom(1), roundMs: 50 });
    synod.step({ type: 'propose', value: 'mine', nowMs: 0 });
    const ballot = ballotOf('a', 1);
    synod.step({ type: 'message', from: proposer('b'), message: { type: 'synodPromise', ballot, vote: null }, nowMs: 1 });
    const strangers = [proposer('x'), { node: 'c', incarnation: 'c#2', run: 1 }];
    for (const from of strangers) synod.step({ type: 'message', from, message: { type: 'synodAccepted', ballot }, nowMs: 2 });
    synod.step({ type: 'message', from: proposer('b'), message: { type: 'synodAccepted', ballot: ballotOf('a', 0) }, nowMs: 2 });
    expect(synod.decided).toBeNull();
    const { decided } = synod.step({ type: 'message', from: proposer('b'), message: { type: 'synodAccepted', ballot }, nowMs: 3 });
    expect(decided).toEqual({ value: 'mine' });
  });

  it('keeps its promise and its vote across a crash with memory (3 voters)', () => {
    const options = { self: proposer('b'), configuration: configurationOf(...abc), random: seededRandom(1), roundMs: 50 };
    const synod = new Synod<string>(options);
    const { persist } = synod.step({
      type: 'message',
      from: proposer('a'),
      message: { type: 'synodAccept', ballot: ballotOf('a', 5), value: 'kept' },
      nowMs: 0,
    });
    const again = new Synod<string>({ ...options, self: proposer('b', 2) }, foldSynodRecords(persist));
    const refused = again.step({
      type: 'message',
      from: proposer('c'),
      message: { type: 'synodPrepare', ballot: ballotOf('c', 4) },
      nowMs: 1,
    });
    expect(refused.send[0]?.message).toMatchObject({ type: 'synodReject', promised: ballotOf('a', 5) });
    const promised = again.step({
      type: 'message',
      from: proposer('c'),
      message: { type: 'synodPrepare', ballot: ballotOf('c', 6) },
      nowMs: 1,
    });
    expect(promised.send[0]?.message).toMatchObject({ type: 'synodPromise', vote: { value: 'kept', ballot: ballotOf('a', 5) } });
  });

  it('says the same after snapshot and restore, and never uses a ballot twice (1 proposer that does not vote)', () => {
    const options = { self: proposer('x'), configuration: configurationOf(...abc), random: seededRandom(1), roundMs: 50 };
    const synod = new Synod<string>(options);
    synod.step({ type: 'propose', value: 'one', nowMs: 0 });
    const restored = new Synod<string>(options, synod.snapshot());
    const { send } = restored.step({ type: 'propose', value: 'two', nowMs: 0 });
    expect(send[0]?.message).toMatchObject({ type: 'synodPrepare', ballot: { round: 2 } });
  });

  it('agrees under duelling proposers, loss, duplication and crashes with memory (3 or 5 voters, 2 more proposers, 300 seeds)', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const voters = seed % 2 ? abc : [...abc, 'd', 'e'];
      const assembly = new Assembly(seed, [...voters, 'x', 'y'], voters);
      assembly.loss = 0.3;
      assembly.duplication = 0.3;
      for (const node of assembly.nodes) if (assembly.random.below(2) === 0) assembly.propose(node, `of ${node}`);
      assembly.propose('x', 'of x');
      for (let crash = 0; crash < 3; crash += 1) {
        assembly.run(assembly.random.below(150));
        const node = voters[assembly.random.below(voters.length)] ?? 'a';
        assembly.start(node);
        assembly.propose(node, `again of ${node}`);
      }
      assembly.loss = 0;
      assembly.run(2_000);
      expect(assembly.decisions.size).toBe(1);
    }
  });
});
