/** One process of a group that is founded by count, at a desk with a log: when it writes a record, joins one, and trusts none. Rule 22. */
import type { Proposer } from '../../src/paxos/ballot.ts';
import { CountFounder } from '../../src/paxos/founding-by-count.ts';
import type { CountFounderOptions } from '../../src/paxos/founding-by-count.ts';
import { secondOf } from '../../src/paxos/founding.ts';
import type { FounderInput, FounderOutput } from '../../src/paxos/founding.ts';
import { FoundingLog } from '../../src/paxos/founding-log.ts';
import type { FoundingEntry } from '../../src/paxos/founding-log.ts';
import type { FoundingRecord, Greeting } from '../../src/paxos/founding-message.ts';

const wallMs = 1.7e12;
const periodMs = 100;
const seat = (node: string, life = 1): Proposer => ({ node, incarnation: `${node}#${life}`, run: 1 });

function recordOf(founding: string, seats: readonly Proposer[], more: Partial<FoundingRecord> = {}): FoundingRecord {
  const voters = seats.map(({ node, incarnation }) => ({ node, incarnation }));
  return { configuration: { founding, id: 1, voters }, tokenSecond: 5, maxSessionTtlMs: 1_000, firstFounding: true, ...more };
}

const written = (record: FoundingRecord): FoundingEntry => ({ type: 'record', record });
const joined = (founding: string, { node, incarnation }: Proposer): FoundingEntry => ({ type: 'joined', founding, seat: { node, incarnation } }); // prettier-ignore
const ended = (founding: string, tokenSecond = 0): FoundingEntry => ({ type: 'ended', founding, tokenSecond });
const three = [seat('a'), seat('b'), seat('c')];
const complete = (founding: string, seats = three): FoundingEntry[] => [
  written(recordOf(founding, seats)),
  ...seats.map((one) => joined(founding, one)),
];

type Untimed<Input> = Input extends unknown ? Omit<Input, 'nowMs' | 'wallMs'> : never;

class Desk {
  readonly founder: CountFounder;
  /** What stands in the broker. */
  log: FoundingEntry[] = [];
  nonce = '';
  nowMs = 0;

  constructor(self: Proposer, more: Partial<CountFounderOptions> = {}) {
    this.founder = new CountFounder({ self, count: 3, isCandidate: true, periodMs, maxSessionTtlMs: 1_000, firstFounding: false, ...more });
  }

  step(input: Untimed<FounderInput>): FounderOutput {
    const output = this.founder.step({ ...input, nowMs: this.nowMs, wallMs });
    for (const { message } of output.send) if (message.type === 'hello') this.nonce = message.nonce;
    return output;
  }

  tick(afterMs = periodMs): FounderOutput {
    this.nowMs += afterMs;
    return this.step({ type: 'tick' });
  }

  /** The log answers with what stands there. */
  answer(): FounderOutput {
    return this.step({ type: 'arbiter', answer: { type: 'log', entries: [...this.log] } });
  }

  /** It has read the log and asks who is there. */
  begin(): this {
    this.tick();
    this.answer();
    this.tick();
    return this;
  }

  greet(from: Proposer, more: Partial<Greeting> = {}): FounderOutput {
    const usual = { voters: { count: 3 }, wallMs, tokenSecond: 0, longestTtlMs: 1_000, standing: 'unfounded', record: null } as const;
    return this.step({ type: 'message', from, message: { type: 'greeting', nonce: this.nonce, ...usual, ...more } });
  }
}

describe('the log of foundings', () => {
  const first = recordOf('f', three);
  const second = recordOf('g', [seat('b'), seat('c'), seat('d')]);

  it('counts the first record, and no later one once it is complete (3 members)', () => {
    const log = new FoundingLog([
      ...complete('f'),
      written(second),
      ...second.configuration.voters.map((one) => joined('g', { ...one, run: 1 })),
    ]);
    expect(log.current).toBe(log.current);
    expect(log.current?.configuration.founding).toBe('f');
    expect(log.isComplete).toBe(true);
    expect(log.knows('g')).toBe(false);
  });

  it('is complete when all members joined, each under the incarnation that is listed (3 members)', () => {
    const entries = [
      written(first),
      joined('f', seat('a')),
      joined('f', seat('b')),
      joined('f', seat('c', 2)),
      joined('g', seat('c')),
      joined('f', seat('d')),
    ];
    expect(new FoundingLog(entries).isComplete).toBe(false);
    expect(new FoundingLog(entries).missing).toEqual([{ node: 'c', incarnation: 'c#1' }]);
    expect(new FoundingLog([...entries, joined('f', seat('c'))]).isComplete).toBe(true);
  });

  it('lets a record be replaced for good while it is not complete (3 members, one too late)', () => {
    const log = new FoundingLog([written(first), joined('f', seat('a')), written(second), joined('f', seat('b')), joined('f', seat('c'))]);
    expect(log.current).toBe(second);
    expect(log.isComplete).toBe(false);
    expect(log.missing).toHaveLength(3);
    expect(log.knows('f')).toBe(true);
  });
});

describe('the end of a founding', () => {
  const next = [seat('a', 2), seat('b', 2), seat('d')];

  it('counts for the complete record that counts, and for no other (3 members)', () => {
    const [record] = complete('f');
    expect(new FoundingLog([record!, ended('f')]).hasEnded('f')).toBe(false);
    expect(new FoundingLog([...complete('f'), ended('g')]).isComplete).toBe(true);
    const log = new FoundingLog([...complete('f'), ended('f', 70), ended('f', 90)]);
    expect(log.current).toBeNull();
    expect(log.isComplete).toBe(false);
    expect(log.hasEnded('f')).toBe(true);
    expect(log.knows('f')).toBe(true);
    expect(log.tokenSecond).toBe(70);
  });

  it('makes room for the next founding, which what comes late to the last one does not touch (3 members, then 3)', () => {
    const log = new FoundingLog([...complete('f'), ended('f'), joined('f', seat('a')), ...complete('g', next), ended('f')]);
    expect(log.current?.configuration.founding).toBe('g');
    expect(log.isComplete).toBe(true);
  });

  it.each([
    ['founded it', { memory: { record: recordOf('f', three), complete: true, tokenSecond: 0 } }],
    ['accepted it and never learned that it was complete', { memory: { record: recordOf('f', three), complete: false, tokenSecond: 0 } }],
    ['was given a seat in it', {}],
    ['was given a seat in it, after it had accepted a record that was replaced', { memory: { record: recordOf('z', three), complete: false, tokenSecond: 0 } }], // prettier-ignore
  ])('is the end of an incarnation that %s, also where another has begun (1 of 3 members)', (how, more) => {
    for (const rest of [[], complete('g', next)]) {
      const desk = new Desk(seat('a'), more);
      if (how.startsWith('was given a seat')) desk.founder.join('f');
      desk.log = [written(recordOf('z', three)), ...complete('f'), ended('f'), ...rest];
      expect(desk.tick().arbitrate).toEqual({ type: 'read' });
      expect(desk.answer()).toMatchObject({ persist: [{ type: 'discarded' }], events: [{ type: 'foundingEnded', founding: 'f' }] });
      expect(desk.tick(100_000)).toEqual({ persist: [], arbitrate: null, send: [], events: [] });
    }
  });

  it('is learned by whoever looks again while nobody leads, a standby among them, and by nobody else (2 processes)', () => {
    for (const self of [seat('a'), seat('x')]) {
      const desk = new Desk(self);
      desk.log = complete('f');
      desk.tick();
      desk.answer();
      desk.log.push(ended('f'));
      expect(desk.tick(10_000).arbitrate).toBeNull();
      desk.founder.lookAgain();
      expect(desk.tick().arbitrate).toEqual({ type: 'read' });
      expect(desk.answer().events).toEqual([{ type: 'foundingEnded', founding: 'f' }]);
    }
  });

  it('is not looked for at every turn (1 member)', () => {
    const desk = new Desk(seat('a'));
    desk.log = complete('f');
    desk.tick();
    desk.answer();
    desk.founder.lookAgain();
    expect(desk.tick(19 * periodMs).arbitrate).toBeNull();
    desk.founder.lookAgain();
    expect(desk.tick(2 * periodMs).arbitrate).toBeNull();
    desk.founder.lookAgain();
    expect(desk.tick().arbitrate).toEqual({ type: 'read' });
  });

  it('is no end of a client, which goes on to the next founding (1 client)', () => {
    const desk = new Desk(seat('x'), { isCandidate: false });
    desk.log = complete('f');
    desk.tick();
    desk.answer();
    desk.log.push(ended('f'), ...complete('g', next));
    desk.nowMs += 10_000;
    desk.founder.lookAgain();
    desk.tick();
    expect(desk.answer()).toMatchObject({ persist: [], events: [{ type: 'groupExists', record: { configuration: { founding: 'g' } } }] });
  });

  it('is waited for by the others as long as its leader has yet to learn of it, and not where only voters of it are left (3 candidates)', () => {
    for (const standing of ['led', 'founded'] as const) {
      const desk = new Desk(seat('x'));
      desk.log = [...complete('f'), ended('f')];
      desk.begin();
      desk.greet(seat('a'), { standing, record: recordOf('f', three) });
      desk.greet(seat('y'));
      expect(desk.greet(seat('z')).arbitrate?.type).toBe(standing === 'led' ? undefined : 'append');
    }
  });

  it('has the next one start its tokens above what anybody of the last one remembered (3 candidates)', () => {
    const far = secondOf(wallMs) + 1_000;
    const desk = new Desk(seat('a', 2));
    desk.log = [...complete('f'), ended('f', far)];
    desk.begin();
    desk.greet(seat('b', 2));
    expect(desk.greet(seat('d')).arbitrate).toMatchObject({ position: 5, entry: { record: { tokenSecond: far + 1 } } });
  });
});

describe('a founder by count', () => {
  it('asks nobody and founds nothing before it has read the log (3 candidates)', () => {
    const desk = new Desk(seat('a'));
    expect(desk.tick().arbitrate).toEqual({ type: 'read' });
    expect(desk.founder.standing).toBe('live');
    expect(desk.tick().send).toEqual([]);
    expect(desk.answer().arbitrate).toBeNull();
    expect(desk.tick().send).toMatchObject([{ to: { type: 'all' }, message: { type: 'hello', voters: { count: 3 } } }]);
    expect(desk.founder.standing).toBe('unfounded');
  });

  it('writes a record of itself and the first others at the end of the log, once enough answered its nonce (4 candidates)', () => {
    const desk = new Desk(seat('a')).begin();
    expect(desk.founder.candidates).toBe(1);
    expect(desk.greet(seat('d')).arbitrate).toBeNull();
    expect(desk.greet(seat('c'), { nonce: 'an old one' }).arbitrate).toBeNull();
    expect(desk.founder.candidates).toBe(2);
    const { arbitrate } = desk.greet(seat('c'), { tokenSecond: secondOf(wallMs) + 50, longestTtlMs: 9_000 });
    expect(arbitrate).toMatchObject({ type: 'append', position: 0 });
    expect(arbitrate).toMatchObject({
      entry: {
        record: {
          configuration: {
            founding: 'a#1.1.1',
            id: 1,
            voters: [seat('a'), seat('c'), seat('d')].map(({ node, incarnation }) => ({ node, incarnation })),
          },
          tokenSecond: secondOf(wallMs) + 51,
          maxSessionTtlMs: 9_000,
          firstFounding: false,
        },
      },
    });
  });

  it('leaves time to those before it, and writes by itself where they do not (3 candidates)', () => {
    const desk = new Desk(seat('c')).begin();
    desk.greet(seat('a'));
    expect(desk.greet(seat('b')).arbitrate).toBeNull();
    expect(desk.tick().arbitrate).toBeNull();
    const later = Array.from({ length: 8 }, () => {
      const asked = [desk.tick(), desk.greet(seat('a')), desk.greet(seat('b'))].flatMap(({ arbitrate }) => arbitrate?.type ?? []);
      if (asked.includes('read')) desk.answer();
      return asked;
    }).flat();
    expect(later).toContain('append');
  });

  it.each<[string, Partial<Greeting>]>([
    ['want another number', { voters: { count: 5 } }],
    ['name their voters', { voters: ['a', 'b', 'c'] }],
    ['take part without a vote', { standing: 'live' }],
    ['have clocks that are 3 s ahead', { wallMs: wallMs + 3_000 }],
  ])('does not count those that %s (3 processes)', (_, more) => {
    const desk = new Desk(seat('a')).begin();
    desk.greet(seat('b'), more);
    expect(desk.greet(seat('c'), more).arbitrate).toBeNull();
    expect(desk.tick().arbitrate?.type).not.toBe('append');
  });

  it('does not put two together whose clocks are further apart than each is from its own (3 candidates)', () => {
    const desk = new Desk(seat('a')).begin();
    desk.greet(seat('b'), { wallMs: wallMs + 1_500 });
    expect(desk.greet(seat('c'), { wallMs: wallMs - 1_500 })).toMatchObject({ arbitrate: null, events: [{ from: 'b', byMs: 3_000 }] });
    expect(desk.greet(seat('d'), { wallMs: wallMs + 500 }).arbitrate?.type).toBe('append');
  });

  it('joins a record that lists it, with its own store first, and knows completion from the log alone (3 members)', () => {
    const desk = new Desk(seat('b')).begin();
    const record = recordOf('f', three);
    desk.log = [written(record), joined('f', seat('a')), joined('f', seat('c'))];
    desk.tick(400);
    const { persist, arbitrate } = desk.answer();
    expect(persist).toEqual([{ type: 'founding', record, complete: false }]);
    expect(arbitrate).toEqual({ type: 'append', position: 3, entry: joined('f', seat('b')) });
    for (const from of [seat('a'), seat('c')]) desk.step({ type: 'message', from, message: { type: 'foundingAccepted', founding: 'f' } });
    desk.step({ type: 'message', from: seat('a'), message: { type: 'foundingConfirmed', founding: 'f' } });
    expect(desk.founder.founded).toBeNull();
    desk.log.push(joined('f', seat('b')));
    const { persist: last, events, send } = desk.answer();
    expect(last).toEqual([{ type: 'founding', record, complete: true, confirmed: true }]);
    expect(events.map(({ type }) => type)).toEqual(['founded', 'foundingConfirmed']);
    expect(send).toEqual([{ to: { type: 'all' }, message: { type: 'foundingConfirmed', founding: 'f' } }]);
  });

  it('follows a complete record that does not list it, and asks the log no more (3 members and another)', () => {
    const desk = new Desk(seat('d')).begin();
    desk.log = complete('f');
    desk.tick(400);
    expect(desk.answer().events).toMatchObject([{ type: 'groupExists' }]);
    expect(desk.founder.isIdle).toBe(true);
    expect(desk.founder.standing).toBe('live');
    expect(desk.tick(10_000).arbitrate).toBeNull();
    expect(desk.founder.nextDeadlineMs).toBe(Infinity);
  });

  it('takes a record under its name and another incarnation for none of its own (3 members, one wiped)', () => {
    const desk = new Desk(seat('b', 2));
    desk.log = complete('f');
    desk.tick();
    expect(desk.answer()).toMatchObject({ persist: [], events: [{ type: 'groupExists' }] });
  });

  it('replaces a record at once where one of its members came back as a stranger (3 candidates)', () => {
    const desk = new Desk(seat('a'));
    desk.log = [written(recordOf('f', three, { tokenSecond: 2 ** 30, maxSessionTtlMs: 77_000 })), joined('f', seat('a'))];
    desk.begin();
    desk.greet(seat('c'));
    const { arbitrate } = desk.greet(seat('b', 2));
    expect(arbitrate).toMatchObject({
      type: 'append',
      position: 2,
      entry: { record: { tokenSecond: 2 ** 30 + 1, maxSessionTtlMs: 77_000 } },
    });
  });

  it('lets a record be whose members may still come, and replaces it when they do not (4 candidates)', () => {
    const desk = new Desk(seat('a'));
    desk.log = [written(recordOf('f', three)), joined('f', seat('a'))];
    desk.begin();
    let waited = 0;
    for (; waited < 100; waited += 1) {
      const asked = [desk.tick(), desk.greet(seat('c')), desk.greet(seat('d'))].flatMap(({ arbitrate }) => arbitrate ?? []);
      if (asked.some(({ type }) => type === 'append')) break;
      if (asked.length > 0) desk.answer();
    }
    expect(waited).toBeGreaterThan(15);
    expect(waited).toBeLessThan(40);
  });

  it('never replaces a record that waits for itself: it joins (3 members)', () => {
    const desk = new Desk(seat('a'));
    desk.log = [written(recordOf('f', [seat('a'), seat('b', 1), seat('c')]))];
    desk.tick();
    expect(desk.answer().arbitrate).toMatchObject({ entry: { type: 'joined' } });
    desk.step({ type: 'arbiter', answer: { type: 'failed' } });
    desk.tick();
    desk.greet(seat('b', 2));
    expect(desk.greet(seat('c')).arbitrate).toBeNull();
  });

  it('is no candidate where it is told not to be (3 processes)', () => {
    const desk = new Desk(seat('a'), { isCandidate: false }).begin();
    expect(desk.nonce).toBe('');
    expect(desk.founder.standing).toBe('live');
    expect(desk.founder.candidates).toBe(0);
  });

  it('tries again after a failure of the log, and founds nothing on what it read before it (3 candidates)', () => {
    const desk = new Desk(seat('a')).begin();
    desk.greet(seat('b'));
    expect(desk.greet(seat('c')).arbitrate?.type).toBe('append');
    // It landed, but the answer was lost.
    desk.log = [written(recordOf('a#1.1.1', three))];
    desk.step({ type: 'arbiter', answer: { type: 'failed' } });
    for (let periods = 0; periods < 12; periods += 1) if (desk.tick().arbitrate?.type === 'read') break;
    expect(desk.answer().arbitrate).toMatchObject({ position: 1, entry: { type: 'joined', founding: 'a#1.1.1' } });
  });

  it.each<[string, FoundingEntry[]]>([
    ['empty', []],
    ['another one', complete('g', [seat('x'), seat('y'), seat('z')])],
  ])('does not take a log for its own that held its founding and is %s now (3 members)', (_, now) => {
    const desk = new Desk(seat('a'), { memory: { record: recordOf('f', three), complete: true, tokenSecond: 0 } });
    desk.log = now;
    desk.tick();
    expect(desk.answer().events).toEqual([{ type: 'foundingNotKept', founding: 'f', told: null }]);
    expect(desk.founder.founded?.configuration.founding).toBe('f');
    expect(desk.tick(10_000)).toMatchObject({ arbitrate: null, send: [] });
  });

  it('founds nothing on a log that does not name the group that lives (3 candidates)', () => {
    const desk = new Desk(seat('a')).begin();
    desk.greet(seat('b'));
    desk.greet(seat('x'), { standing: 'led', record: recordOf('f', [seat('x'), seat('y'), seat('z')]) });
    desk.answer();
    expect(desk.greet(seat('c')).arbitrate).toBeNull();
    const events = Array.from({ length: 20 }, () => {
      const { arbitrate } = desk.tick();
      expect(arbitrate?.type).not.toBe('append');
      return arbitrate ? desk.answer().events : [];
    }).flat();
    expect(events).toEqual([{ type: 'foundingNotKept', founding: 'f', told: 'x' }]);
  });

  it('goes on where the log names the group by then (1 process, which read too early)', () => {
    const desk = new Desk(seat('d')).begin();
    desk.log = complete('f');
    desk.nowMs += 50;
    expect(desk.greet(seat('a'), { standing: 'led', record: recordOf('f', three) }).arbitrate).toEqual({ type: 'read' });
    expect(desk.answer().events).toMatchObject([{ type: 'groupExists' }]);
  });
});
