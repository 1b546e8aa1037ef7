/** One founder at a desk: which record it accepts, and when it knows completion. The safety rules 11 to 14. */
import type { Proposer } from '../../src/paxos/ballot.ts';
import { Founder } from '../../src/paxos/founding.ts';
import type { FounderOutput, Inheritance } from '../../src/paxos/founding.ts';
import type { FoundingMessage, FoundingRecord, Greeting } from '../../src/paxos/founding-message.ts';

const voters = ['a', 'b', 'c'];
const seat = (node: string, life = 1): Proposer => ({ node, incarnation: `${node}#${life}`, run: 1 });

function recordOf(founding: string, seats: readonly Proposer[]): FoundingRecord {
  const listed = seats.map(({ node, incarnation }) => ({ node, incarnation }));
  return { configuration: { founding, id: 1, voters: listed }, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: true };
}

class Desk {
  readonly founder: Founder;
  nonce = '';

  constructor(node: string, { inherits, questionsToAll }: { readonly inherits?: Inheritance; readonly questionsToAll?: number } = {}) {
    const memory = { record: null, complete: false, tokenSecond: 0, inherits };
    const options = { self: seat(node), voters, periodMs: 100, maxSessionTtlMs: 1_000, firstFounding: true, memory };
    this.founder = new Founder({ ...options, ...(questionsToAll !== undefined && { questionsToAll }) });
  }

  hear(from: Proposer, message: FoundingMessage): FounderOutput {
    return this.founder.step({ type: 'message', from, message, nowMs: 0, wallMs: 1e12 });
  }

  tick(nowMs: number): FounderOutput {
    const output = this.founder.step({ type: 'tick', nowMs, wallMs: 1e12 });
    for (const { message } of output.send) if (message.type === 'hello') this.nonce = message.nonce;
    return output;
  }

  greeting(more: Partial<Greeting> = {}): Greeting {
    const unfounded = { standing: 'unfounded', record: null, tokenSecond: 0, longestTtlMs: 1_000 } as const;
    return { type: 'greeting', nonce: this.nonce, voters, wallMs: 1e12, ...unfounded, ...more };
  }
}

const types = ({ send }: FounderOutput): string[] => send.map(({ message }) => message.type);
const right = recordOf(
  'a#1',
  voters.map((node) => seat(node)),
);

describe('a founder that inherits', () => {
  const inherits = { founding: 'old', tokenSecond: 2_000_000_000, longestTtlMs: 9_000 };
  const above = { ...right, replaces: 'old', firstFounding: false, tokenSecond: 2_000_000_001, maxSessionTtlMs: 9_000 };

  it('proposes a record above all of it, and nobody is believed that there was no earlier life (3 voters, safety 15)', () => {
    const desk = new Desk('a', { inherits });
    desk.tick(0);
    for (const node of ['b', 'c']) desk.hear(seat(node), desk.greeting());
    expect(desk.founder.acceptedRecord).toMatchObject({ ...above, configuration: { founding: 'a#1' } });
  });

  it('proposes so where another founder inherits (3 voters, safety 15)', () => {
    const desk = new Desk('a');
    desk.tick(0);
    desk.hear(seat('b'), desk.greeting({ replaces: 'old', tokenSecond: 2_000_000_000, longestTtlMs: 9_000 }));
    desk.hear(seat('c'), desk.greeting());
    expect(desk.founder.acceptedRecord).toMatchObject({ ...above, configuration: { founding: 'a#1' } });
  });

  it.each([
    ['names no founding that it replaces', { replaces: undefined }],
    ['skips the wait', { firstFounding: true }],
    ['starts its tokens too low', { tokenSecond: 2_000_000_000 }],
    ['waits too short', { maxSessionTtlMs: 8_999 }],
  ])('accepts no record that %s, and gives up so that its proposer does (3 voters, safety 15)', (_what, less) => {
    const desk = new Desk('b', { inherits });
    const { persist, events } = desk.hear(seat('a'), { type: 'found', record: { ...above, ...less } });
    expect(persist).toEqual([{ type: 'discarded' }]);
    expect(events).toEqual([{ type: 'gaveUp', founding: 'a#1', because: { node: 'a', incarnation: 'a#1', run: 1 } }]);
    expect(desk.founder.inherits).toEqual(inherits);
    const other = new Desk('b', { inherits });
    other.hear(seat('a'), { type: 'found', record: above });
    expect(other.founder.acceptedRecord).toBe(above);
  });

  it('hands on what the record was made of that it accepted, should that come to nothing (3 voters, safety 15)', () => {
    const desk = new Desk('b');
    const { persist } = desk.hear(seat('a'), { type: 'found', record: above });
    const handedOn = { founding: 'old', tokenSecond: 2_000_000_000, longestTtlMs: 9_000 };
    expect(persist).toEqual([
      { type: 'inherited', ...handedOn },
      { type: 'founding', record: above, complete: false },
    ]);
    desk.tick(0);
    desk.hear(seat('c'), desk.greeting());
    expect(types(desk.hear(seat('a', 2), desk.greeting()))).toEqual([]);
    expect(desk.founder.inherits).toEqual(handedOn);
  });

  it('accepts what was made of what it knows, though others tell of it first (3 voters, safety 15)', () => {
    const other = new Desk('c');
    other.hear(seat('a'), { type: 'found', record: above });
    const { tokenSecond = 0, longestTtlMs = 0, founding: replaces } = other.founder.inherits ?? {};
    const desk = new Desk('b');
    desk.tick(0);
    desk.hear(seat('c'), desk.greeting({ standing: 'accepted', record: above, replaces, tokenSecond, longestTtlMs }));
    desk.hear(seat('a'), { type: 'found', record: above });
    expect(desk.founder.acceptedRecord).toBe(above);
  });

  it('keeps all that it is told, and each only once (3 voters, safety 13)', () => {
    const desk = new Desk('b');
    const hear = (said: Partial<Greeting>) => desk.hear(seat('x'), desk.greeting({ replaces: 'old', ...said })).persist;
    const kept = (founding: string, tokenSecond: number, longestTtlMs: number) => [
      { type: 'inherited', founding, tokenSecond, longestTtlMs },
    ];
    desk.tick(0);
    expect(hear({ tokenSecond: 5 })).toEqual(kept('old', 5, 1_000));
    expect(hear({ tokenSecond: 5 })).toEqual([]);
    expect(hear({ tokenSecond: 4, longestTtlMs: 2_000 })).toEqual(kept('old', 5, 2_000));
    expect(hear({ tokenSecond: 3, replaces: 'older' })).toEqual([]);
    expect(hear({ tokenSecond: 7, replaces: 'newer' })).toEqual(kept('newer', 7, 2_000));
  });

  it('takes no seat elsewhere once it accepted a record (3 voters, safety 15)', () => {
    const desk = new Desk('b');
    desk.hear(seat('a'), { type: 'found', record: right });
    expect(() => desk.founder.join()).toThrow('who accepted a record takes no seat');
  });
});

describe('a founder beside a group of which a voter of another name is left', () => {
  const group = recordOf(
    'old',
    ['a', 'x'].map((node) => seat(node, 0)),
  );
  const asked = ({ send }: FounderOutput): string[] => send.flatMap(({ to, message }) => (message.type === 'hello' ? [to.type] : []));

  it('asks everybody for as long as it was told to once all voters answer, and before that and after it now and then (3 voters, safety 15)', () => {
    const desk = new Desk('a', { questionsToAll: 2 });
    let nowMs = -100;
    const ticks = (count: number, isAnswered = true) =>
      Array.from({ length: count }, () => {
        const to = asked(desk.tick((nowMs += 100)));
        for (const node of isAnswered ? ['b', 'c'] : ['b']) desk.founder.step(greetingAt(node));
        return to;
      }).flat();
    const greetingAt = (node: string) => ({ type: 'message', from: seat(node), message: desk.greeting(), nowMs, wallMs: 1e12 }) as const;
    expect(ticks(34, false).flatMap((to, index) => (to === 'all' ? [index] : []))).toEqual([0, 32]);
    expect(ticks(3)).toEqual(['voters', 'all', 'all']);
    expect(desk.founder.acceptedRecord).toBeNull();
    expect(ticks(1)).toEqual(['voters']);
    expect(desk.founder.acceptedRecord).not.toBeNull();
    expect(ticks(32, false).filter((to) => to === 'all')).toHaveLength(1);
  });

  it('begins to ask everybody anew where a voter answered no question of a nonce (3 voters, safety 15)', () => {
    const desk = new Desk('a', { questionsToAll: 5 });
    for (let nowMs = 0; nowMs < 900; nowMs += 100) {
      desk.tick(nowMs);
      const isAway = nowMs >= 400 && nowMs < 800;
      for (const node of isAway ? ['b'] : ['b', 'c'])
        desk.founder.step({ type: 'message', from: seat(node), message: desk.greeting(), nowMs, wallMs: 1e12 });
    }
    expect(desk.founder.acceptedRecord).toBeNull();
    for (let nowMs = 900; nowMs <= 1_400; nowMs += 100) {
      expect(desk.founder.acceptedRecord).toBeNull();
      desk.tick(nowMs);
      for (const node of ['b', 'c'])
        desk.founder.step({ type: 'message', from: seat(node), message: desk.greeting(), nowMs, wallMs: 1e12 });
    }
    expect(desk.founder.acceptedRecord).not.toBeNull();
  });

  it('takes no pause of its own for a time in which it asked (3 voters, safety 15)', () => {
    const desk = new Desk('a', { questionsToAll: 5 });
    let questions = 0;
    for (const nowMs of [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]) {
      expect(desk.founder.acceptedRecord).toBeNull();
      questions += asked(desk.tick(nowMs)).filter((to) => to === 'all').length;
      for (const node of ['b', 'c'])
        desk.founder.step({ type: 'message', from: seat(node), message: desk.greeting(), nowMs, wallMs: 1e12 });
    }
    expect(desk.founder.acceptedRecord).not.toBeNull();
    expect(questions).toBeGreaterThan(5);
  });

  it('founds nothing while one that no list names answers that the group lives (3 voters, safety 11 and 15)', () => {
    const desk = new Desk('a');
    desk.tick(0);
    const { events } = desk.hear(seat('x', 0), desk.greeting({ standing: 'bereft', record: group }));
    expect(events).toEqual([{ type: 'groupExists', record: group, told: 'x' }]);
    for (const node of ['b', 'c']) desk.hear(seat(node), desk.greeting());
    expect(desk.founder.acceptedRecord).toBeNull();
    expect(desk.founder.standing).toBe('live');
  });

  it.each([
    ['knows no group for sure', { standing: 'live', record: group }],
    ['was told of other voters', { standing: 'founded', record: group, voters: ['a', 'x', 'z'] }],
    ['answers another question', { standing: 'founded', record: group, nonce: 'an old one' }],
  ] as const)('takes nobody of another name for a group who %s (3 voters, safety 11)', (_what, said) => {
    const desk = new Desk('a');
    desk.tick(0);
    desk.hear(seat('x', 0), desk.greeting(said));
    expect(desk.founder.standing).toBe('unfounded');
  });

  it('keeps to the group that it knew first while that is heard, unless a leader speaks for another (3 voters, safety 11)', () => {
    const other = recordOf(
      'other',
      ['b', 'x'].map((node) => seat(node, 0)),
    );
    const desk = new Desk('a');
    desk.tick(0);
    const heard = (node: string, said: Partial<Greeting>) => desk.hear(seat(node, 0), desk.greeting(said)).events;
    expect(heard('x', { standing: 'founded', record: group })).toHaveLength(1);
    expect(heard('b', { standing: 'founded', record: other })).toEqual([]);
    expect(heard('b', { standing: 'led', record: other })).toEqual([{ type: 'groupExists', record: other, told: 'b' }]);
  });

  const long = { ...group, maxSessionTtlMs: 60_000, tokenSecond: 2_000_000_000 };
  const after = { firstFounding: false, maxSessionTtlMs: 60_000, tokenSecond: 2_000_000_001 };
  it.each<[string, (desk: Desk) => unknown]>([
    [
      'took part in one itself',
      ({ founder }) => founder.legacy.know({ founding: 'old', tokenSecond: 2_000_000_000, longestTtlMs: 60_000 }),
    ],
    ['was told of other voters', (desk) => desk.hear(seat('z'), desk.greeting({ standing: 'founded', record: long, voters: ['z'] }))],
    ['hears of one from another founder', (desk) => desk.hear(seat('b'), desk.greeting({ record: long }))],
    ['hears of one from a stranger that gives way', (desk) => desk.hear(seat('x'), desk.greeting({ standing: 'live', record: long }))],
    [
      'hears that more was granted than its record says',
      (desk) => desk.hear(seat('x'), desk.greeting({ standing: 'live', record: group, longestTtlMs: 60_000, tokenSecond: 2_000_000_000 })),
    ],
  ])(
    'takes nobody’s word that there was no group before, and begins above it, where it %s (3 voters, safety 12 and 13)',
    (_what, learn) => {
      const desk = new Desk('a');
      desk.tick(0);
      learn(desk);
      for (const node of ['b', 'c']) desk.hear(seat(node), desk.greeting());
      expect(desk.founder.acceptedRecord).toMatchObject(after);
      const other = new Desk('c');
      other.tick(0);
      learn(other);
      expect(other.founder).toMatchObject({
        inherits: { founding: 'old', longestTtlMs: 60_000, tokenSecond: 2_000_000_000 },
      });
    },
  );

  it('takes that word where nobody knew one (3 voters, safety 12)', () => {
    const desk = new Desk('a');
    desk.tick(0);
    desk.hear(seat('b'), desk.greeting({ standing: 'accepted', record: group }));
    for (const node of ['b', 'c']) desk.hear(seat(node), desk.greeting());
    expect(desk.founder.acceptedRecord).toMatchObject({ firstFounding: true });
  });
});

describe('a founder', () => {
  it('gives up where one that its record lists was given a seat by another group (3 voters, safety 11)', () => {
    const desk = new Desk('b');
    desk.hear(seat('a'), { type: 'found', record: right });
    desk.tick(0);
    const other = recordOf('old', [seat('c'), seat('x')]);
    desk.hear(seat('a'), desk.greeting({ standing: 'accepted', record: right }));
    const { persist, events } = desk.hear(seat('c'), desk.greeting({ standing: 'founded', record: other }));
    expect(persist).toEqual([{ type: 'discarded' }]);
    expect(events).toEqual([{ type: 'gaveUp', founding: 'a#1', because: { node: 'c', incarnation: 'c#1' } }]);
  });

  it('accepts one record, ever, durably before it says so (3 voters)', () => {
    const desk = new Desk('b');
    const first = desk.hear(seat('a'), { type: 'found', record: right });
    expect(first.persist).toEqual([{ type: 'founding', record: right, complete: false }]);
    expect(types(first)).toEqual(['foundingAccepted']);
    const other = recordOf('a#2', [seat('a', 2), seat('b'), seat('c')]);
    expect(desk.hear(seat('a', 2), { type: 'found', record: other })).toEqual({ persist: [], arbitrate: null, send: [], events: [] });
    expect(desk.founder.acceptedRecord).toBe(right);
  });

  it.each([
    ['from another than the first voter', 'c', right],
    ['that lists it in another life', 'a', recordOf('a#1', [seat('a'), seat('b', 2), seat('c')])],
    ['that lists another life of its sender', 'a', recordOf('a#1', [seat('a', 2), seat('b'), seat('c')])],
    ['that lists one voter less', 'a', recordOf('a#1', [seat('a'), seat('b')])],
    [
      'that lists one voter more',
      'a',
      recordOf(
        'a#1',
        [...voters, 'd'].map((node) => seat(node)),
      ),
    ],
  ])('accepts no record %s (3 voters)', (_, from, record) => {
    const desk = new Desk('b');
    expect(desk.hear(seat(from), { type: 'found', record })).toEqual({ persist: [], arbitrate: null, send: [], events: [] });
  });

  it('knows completion when all have accepted the same record, each in the life that it lists (3 voters)', () => {
    const desk = new Desk('b');
    desk.hear(seat('a'), { type: 'found', record: right });
    desk.hear(seat('a'), { type: 'foundingAccepted', founding: 'a#1' });
    desk.hear(seat('c', 2), { type: 'foundingAccepted', founding: 'a#1' });
    desk.hear(seat('c'), { type: 'foundingAccepted', founding: 'a#0' });
    expect(desk.founder.founded).toBeNull();
    const { persist, events } = desk.hear(seat('c'), { type: 'foundingAccepted', founding: 'a#1' });
    expect(persist).toEqual([{ type: 'founding', record: right, complete: true }]);
    expect(events).toEqual([{ type: 'founded', record: right }]);
  });

  it('proposes as the first voter only, to all who answered its present nonce (3 voters)', () => {
    const desk = new Desk('a');
    desk.tick(0);
    desk.hear(seat('b'), desk.greeting());
    desk.hear(seat('c'), desk.greeting({ nonce: 'an old one' }));
    expect(desk.founder.acceptedRecord).toBeNull();
    const output = desk.hear(seat('c'), desk.greeting());
    expect(types(output)).toEqual(['foundingAccepted', 'found']);
    expect(desk.founder.acceptedRecord?.configuration.voters).toEqual(right.configuration.voters);
  });

  it('starts its tokens above every second that any founder remembers (3 voters, safety 13)', () => {
    const desk = new Desk('a');
    desk.tick(0);
    desk.hear(seat('b'), desk.greeting({ tokenSecond: 900_000_000 }));
    desk.hear(seat('c'), desk.greeting());
    expect(desk.founder.acceptedRecord?.tokenSecond).toBe(900_000_001);
  });

  describe('with clocks that are further apart than each is from its own', () => {
    const ahead = (desk: Desk): Greeting => desk.greeting({ wallMs: 1e12 + 1_900 });
    const behind = (desk: Desk): Greeting => desk.greeting({ wallMs: 1e12 - 1_900 });
    const named = { type: 'clocksDiffer', node: 'c', byMs: 3_800 };

    it('proposes nothing, and names both ends once (3 voters, safety 13)', () => {
      const desk = new Desk('a');
      desk.tick(0);
      expect(desk.hear(seat('b'), ahead(desk)).events).toEqual([]);
      expect(desk.hear(seat('c'), behind(desk)).events).toEqual([{ ...named, from: 'b' }]);
      expect(desk.hear(seat('b'), ahead(desk)).events).toEqual([]);
      expect(desk.founder.acceptedRecord).toBeNull();
      desk.hear(seat('c'), desk.greeting({ wallMs: 1e12 - 100 }));
      expect(desk.founder.acceptedRecord).not.toBeNull();
    });

    it('accepts no record either (3 voters, safety 13)', () => {
      const desk = new Desk('b');
      desk.tick(0);
      desk.hear(seat('a'), ahead(desk));
      expect(desk.hear(seat('c'), behind(desk)).events).toEqual([{ ...named, from: 'a' }]);
      expect(desk.hear(seat('a'), { type: 'found', record: right }).persist).toEqual([]);
    });

    it('names its own clock alone where that is one of the two (3 voters, safety 13)', () => {
      const desk = new Desk('a');
      desk.tick(0);
      expect(desk.hear(seat('b'), desk.greeting({ wallMs: 1e12 + 2_001 })).events).toEqual([
        { type: 'clocksDiffer', node: 'b', from: 'a', byMs: 2_001 },
      ]);
      expect(desk.hear(seat('c'), behind(desk)).events).toEqual([]);
      expect(desk.founder.acceptedRecord).toBeNull();
    });
  });

  it('never gives up once it knows completion (3 voters)', () => {
    const desk = new Desk('b');
    desk.hear(seat('a'), { type: 'found', record: right });
    for (const node of ['a', 'c']) desk.hear(seat(node), { type: 'foundingAccepted', founding: 'a#1' });
    desk.tick(0);
    for (const node of ['a', 'c']) expect(desk.hear(seat(node, 2), desk.greeting()).events).toEqual([]);
    expect(desk.founder.standing).toBe('founded');
  });

  it('gives up no founding for an answer from before it, nor before all others have answered (3 voters)', () => {
    const desk = new Desk('b');
    desk.tick(0);
    const early = desk.greeting();
    desk.hear(seat('a'), { type: 'found', record: right });
    for (const node of ['a', 'c']) expect(desk.hear(seat(node, 2), early).events).toEqual([]);
    desk.tick(100);
    expect(desk.hear(seat('c', 2), desk.greeting()).events).toEqual([]);
    const { persist, events } = desk.hear(seat('a'), desk.greeting({ standing: 'accepted', record: right }));
    expect(persist).toEqual([{ type: 'discarded' }]);
    expect(events).toMatchObject([{ type: 'gaveUp', because: { incarnation: 'c#2' } }]);
    expect(types(desk.tick(200))).toEqual([]);
  });
});
