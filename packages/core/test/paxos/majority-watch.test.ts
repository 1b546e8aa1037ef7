/** A survivor that asks who is left: what counts as a loss, and what does not. The safety rule 15; `docs/protocol.md`, "Refounding on request". */
import type { Proposer } from '../../src/paxos/ballot.ts';
import type { Configuration } from '../../src/paxos/configuration.ts';
import type { Greeting, Standing } from '../../src/paxos/founding-message.ts';
import { MajorityWatch } from '../../src/paxos/majority-watch.ts';
import type { MajorityWatchOutput } from '../../src/paxos/majority-watch.ts';

const periodMs = 100;
const leaderlessMs = 1_000;
const roundMs = 4 * periodMs;
const seat = (node: string, life = 1): Proposer => ({ node, incarnation: `${node}#${life}`, run: 1 });
const three = [seat('a'), seat('b'), seat('c')];

function configurationOf(id: number, seats: readonly Proposer[]): Configuration {
  return { founding: 'f', id, voters: seats.map(({ node, incarnation }) => ({ node, incarnation })) };
}

class Desk {
  readonly watch: MajorityWatch;
  nonce = '';
  asked: readonly string[] = [];
  nowMs = 0;

  constructor(configuration = configurationOf(1, three)) {
    this.watch = new MajorityWatch({ self: seat('a'), periodMs, leaderlessMs }, configuration);
    this.tick(true);
  }

  tick(hasLeader = false): MajorityWatchOutput {
    const output = this.watch.step({ type: 'tick', hasLeader, nowMs: this.nowMs });
    if (output.ask) ({ nonce: this.nonce, nodes: this.asked } = output.ask);
    return output;
  }

  /** Until the first question, or through the round under way; the verdicts on the way. */
  run(forMs: number): readonly string[] {
    const verdicts: string[] = [];
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs;) {
      this.nowMs += periodMs;
      const { verdict } = this.tick();
      if (verdict) verdicts.push(verdict);
    }
    return verdicts;
  }

  hear(from: Proposer, more: Partial<Greeting> = {}): MajorityWatchOutput {
    const greeting = { type: 'greeting', nonce: this.nonce, voters: ['a', 'b', 'c'], wallMs: 0, tokenSecond: 0, longestTtlMs: 1 } as const;
    return this.watch.step({ type: 'greeting', from, greeting: { ...greeting, standing: 'unfounded', record: null, ...more } });
  }
}

const asking = (configuration?: Configuration): Desk => {
  const desk = new Desk(configuration);
  desk.run(leaderlessMs);
  return desk;
};

const laterRecord = (id: number, seats: readonly Proposer[], standing: Standing = 'founded'): Partial<Greeting> => ({
  standing,
  record: { configuration: configurationOf(id, seats), tokenSecond: 1, maxSessionTtlMs: 1, firstFounding: false },
});

describe('a survivor', () => {
  it('asks nobody while a leader is heard, and every other seat once none was for a while (3 voters)', () => {
    const desk = new Desk();
    desk.run(leaderlessMs - periodMs);
    expect(desk.asked).toEqual([]);
    desk.run(periodMs);
    expect(desk.asked).toEqual(['b', 'c']);
  });

  it('finds its majority lost once two of three names answered in other lives (3 voters, safety 15)', () => {
    const desk = asking();
    desk.hear(seat('b', 2));
    desk.hear(seat('c', 3));
    expect(desk.watch.loss).toBeNull();
    expect(desk.run(roundMs)).toEqual(['lost']);
    expect(desk.watch.loss).toEqual({
      configuration: configurationOf(1, three),
      lost: [
        { node: 'b', incarnation: 'b#1', now: 'b#2' },
        { node: 'c', incarnation: 'c#1', now: 'c#3' },
      ],
    });
  });

  it('takes silence for nothing (3 voters, safety 15)', () => {
    const desk = asking();
    desk.hear(seat('b', 2));
    expect(desk.run(10 * roundMs)).toEqual([]);
  });

  it('takes an answer to an earlier question for nothing (3 voters, safety 15)', () => {
    const desk = asking();
    const { nonce } = desk;
    desk.hear(seat('b', 2));
    desk.run(roundMs);
    desk.hear(seat('b', 2), { nonce });
    desk.hear(seat('c', 2));
    expect(desk.run(roundMs)).toEqual([]);
  });

  it('counts a seat as living that answered beside its next life (3 voters, safety 15)', () => {
    const desk = asking();
    for (const from of [seat('b'), seat('b', 2), seat('c', 2)]) desk.hear(from);
    expect(desk.run(roundMs)).toEqual([]);
  });

  it('counts itself as living: two of five do not do without a third (5 voters)', () => {
    const desk = asking(configurationOf(1, [...three, seat('d'), seat('e')]));
    for (const node of ['d', 'e']) desk.hear(seat(node, 2));
    expect(desk.run(roundMs)).toEqual([]);
    for (const node of ['c', 'd', 'e']) desk.hear(seat(node, 2));
    expect(desk.run(roundMs)).toEqual(['lost']);
  });

  it('counts a voter that the group was not founded with (2 voters, 1 outsider, safety 15)', () => {
    const desk = asking(configurationOf(2, [seat('a'), seat('b'), seat('x')]));
    expect(desk.asked).toEqual(['b', 'x']);
    desk.hear(seat('b', 2));
    expect(desk.run(roundMs)).toEqual([]);
  });

  it('judges by a later configuration that it hears of, and asks again first (3 voters, 1 outsider, safety 15)', () => {
    const desk = asking();
    desk.hear(seat('b', 2));
    desk.hear(seat('c', 2), laterRecord(2, [seat('a'), seat('c', 2), seat('x')]));
    expect(desk.run(roundMs)).toEqual([]);
    expect(desk.asked).toEqual(['c', 'x']);
    desk.hear(seat('c', 2));
    expect(desk.run(roundMs)).toEqual([]);
  });

  it('concludes nothing where a later configuration gave its seat to others (3 voters, 1 outsider, safety 15)', () => {
    const desk = asking();
    desk.watch.step({ type: 'configuration', configuration: configurationOf(2, [seat('b'), seat('c'), seat('x')]) });
    desk.run(periodMs);
    for (const node of ['b', 'c', 'x']) desk.hear(seat(node, 2));
    expect(desk.run(roundMs)).toEqual([]);
  });

  it.each<[string, (desk: Desk) => MajorityWatchOutput]>([
    ['a seat answers after all', (desk) => desk.hear(seat('c'))],
    ['a leader is heard', (desk) => desk.tick(true)],
    [
      'it comes to a later configuration',
      (desk) => desk.watch.step({ type: 'configuration', configuration: configurationOf(2, [seat('a'), seat('b', 2), seat('c')]) }),
    ],
  ])('takes its verdict back when %s, and not for silence (3 voters)', (_what, act) => {
    const desk = asking();
    for (const node of ['b', 'c']) desk.hear(seat(node, 2));
    expect(desk.run(3 * roundMs)).toEqual(['lost']);
    expect(act(desk).verdict).toBe('taken back');
    expect(desk.watch.loss).toBeNull();
  });
});
