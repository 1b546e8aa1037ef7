/** The holder's side of a session at a desk. The safety rules 7, 10 and 17. */
import type { SessionMessage } from '../../src/session/message.ts';
import { keepAlivePeriodMs, SessionHolder } from '../../src/session/session-holder.ts';
import type { HolderInput, HolderOutput } from '../../src/session/session-holder.ts';
import type { Instant } from '../../src/time/clock.ts';

/** Sequence, and whether it is final. */
type Result = readonly [seq: number, final: boolean];
type Message = SessionMessage<string, Result, string>;

const ttlMs = 10_000;
const usableMs = ttlMs * 0.98;

class Desk {
  readonly holder = new SessionHolder<string, Result, string>({
    ttlMs,
    resendMs: 500,
    instance: 'i',
    outstandingMax: 3,
    submitBytesMax: () => 1_000,
    sizeOfOp: () => 10,
    seqOf: (result) => (result as Result)[0],
    isInterim: (result) => !(result as Result)[1],
    resourceOf: () => 'l/x',
  });
  out: HolderOutput<string, Result, string> = { send: [], results: [], states: [], covered: [], events: [] };

  at(nowMs: number): Instant {
    return { monotonicMs: nowMs, wallMs: 1e12 + nowMs };
  }

  give(input: HolderInput<string, Result, string>): readonly Message[] {
    this.out = this.holder.step(input);
    return this.out.send;
  }

  hear(message: Message, nowMs: number): readonly Message[] {
    return this.give({ type: 'message', message, at: this.at(nowMs) });
  }

  tick(nowMs: number): readonly Message[] {
    return this.give({ type: 'tick', at: this.at(nowMs) });
  }

  answer(id: number, nowMs: number, more: Partial<Extract<Message, { type: 'keptAlive' }>> = {}): readonly Message[] {
    return this.hear(
      { type: 'keptAlive', session: 7, id, results: [], unknown: [], covered: [], watch: { version: 0, part: 0 }, ...more },
      nowMs,
    );
  }

  /** Opened at 0, confirmed by the keep-alive of 0, answered at 10. */
  opened(): this {
    this.give({ type: 'open', at: this.at(0) });
    this.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 0);
    this.answer(1, 10);
    return this;
  }

  events(): string[] {
    return this.out.events.map(({ type }) => type);
  }
}

const types = (messages: readonly Message[]): string[] => messages.map(({ type }) => type);

describe('a lease', () => {
  it('runs from the sending of the keep-alive that was answered, not from the answer', () => {
    const { holder, ...desk } = new Desk().opened();
    expect(desk.out.events).toEqual([{ type: 'sessionOpened', session: 7, ttlMs }]);
    expect(holder.remainingMs({ monotonicMs: 10, wallMs: 1e12 + 10 })).toBe(usableMs - 10);
  });

  it('ends by the faster of both clocks, and found over once it is over for good', () => {
    const desk = new Desk().opened();
    expect(desk.holder.remainingMs({ monotonicMs: 20, wallMs: 1e12 + usableMs - 1 })).toBeCloseTo(1);
    expect(desk.holder.remainingMs({ monotonicMs: 20, wallMs: 1e12 + usableMs })).toBe(0);
    expect(desk.holder.remainingMs(desk.at(20))).toBe(0);
    desk.tick(30);
    expect(desk.out.events).toContainEqual({ type: 'sessionLost', session: 7, reason: 'expired here' });
  });

  it('is not revived by an answer that comes too late', () => {
    const desk = new Desk().opened();
    const [beat] = desk.tick(5_000);
    desk.answer(beat?.type === 'keepAlive' ? beat.id : 0, usableMs + 1);
    expect(desk.holder.session).toBeNull();
    expect(desk.out.events).toContainEqual({ type: 'sessionLost', session: 7, reason: 'expired here' });
  });

  it('does not begin where its first answer comes after its end', () => {
    const desk = new Desk();
    desk.give({ type: 'open', at: desk.at(0) });
    desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 0);
    desk.answer(1, usableMs);
    expect(desk.holder.session).toBeNull();
    expect(desk.events()).not.toContain('sessionOpened');
  });

  it('is announced in jeopardy once less than half is left, and healthy when answered', () => {
    const desk = new Desk().opened();
    desk.tick(usableMs / 2);
    expect(desk.events()).toEqual(['sessionJeopardy']);
    const beat = desk.holder.inJeopardy;
    desk.answer(2, usableMs / 2 + 5);
    expect([beat, desk.holder.inJeopardy, desk.events()]).toEqual([true, false, ['sessionHealthy']]);
  });
});

describe('keep-alives', () => {
  it('leave five times a TTL when answered, and four times as often when not', () => {
    const desk = new Desk().opened();
    const period = keepAlivePeriodMs(ttlMs);
    expect(desk.holder.nextDeadlineMs).toBe(period);
    expect(types(desk.tick(period - 1))).toEqual([]);
    expect(types(desk.tick(period))).toEqual(['keepAlive']);
    expect(desk.holder.nextDeadlineMs).toBe(period + period / 4);
  });

  it('list what still waits for an answer, and what is unknown to the leader is sent again', () => {
    const desk = new Desk().opened();
    for (const op of ['one', 'two']) desk.holder.request(() => op);
    expect(desk.holder.takeSubmissions(20)).toEqual([{ type: 'submit', session: 7, floor: 0, ops: ['one', 'two'] }]);
    desk.hear({ type: 'replies', session: 7, results: [[1, false]] }, 30);
    const [beat] = desk.tick(2_000).filter(({ type }) => type === 'keepAlive');
    expect(beat).toMatchObject({ pending: [2, 1], floor: 1 });
    const again = desk.answer(2, 2_010, { unknown: [2], results: [[1, true]] });
    expect(again).toEqual([{ type: 'submit', session: 7, floor: 1, ops: ['two'] }]);
    expect(desk.out.results).toEqual([[1, true]]);
  });
});

describe('requests', () => {
  it('are refused beyond the window, those of the same turn counted in', () => {
    const desk = new Desk().opened();
    expect(['a', 'b', 'c', 'd'].map((op) => desk.holder.request(() => op))).toEqual([1, 2, 3, null]);
    desk.holder.takeSubmissions(20);
    expect(desk.holder.request(() => 'e')).toBeNull();
    desk.hear({ type: 'replies', session: 7, results: [[1, true]] }, 30);
    expect(desk.holder.request(() => 'e')).toBe(4);
  });

  it('are answered once, whatever comes twice or in the wrong order', () => {
    const desk = new Desk().opened();
    desk.holder.request(() => 'one');
    desk.holder.takeSubmissions(20);
    const seen: Result[] = [];
    for (const result of [
      [1, true],
      [1, false],
      [1, true],
      [9, true],
    ] as const) {
      desk.hear({ type: 'replies', session: 7, results: [result] }, 30);
      seen.push(...desk.out.results);
    }
    expect(seen).toEqual([[1, true]]);
  });

  it('unanswered are sent again after a while, and at once to a new leader', () => {
    const desk = new Desk().opened();
    desk.holder.request(() => 'one');
    desk.holder.takeSubmissions(20);
    expect(types(desk.tick(519))).not.toContain('submit');
    expect(types(desk.tick(520))).toContain('submit');
    expect(types(desk.give({ type: 'leaderChanged', at: desk.at(530) }))).toEqual(['keepAlive', 'submit']);
  });

  it('die with their session', () => {
    const desk = new Desk().opened();
    desk.holder.request(() => 'one');
    desk.holder.takeSubmissions(20);
    desk.hear({ type: 'sessionEnded', session: 7 }, 30);
    expect(desk.out.events).toEqual([{ type: 'sessionLost', session: 7, reason: 'ended by the group' }]);
    expect([desk.holder.outstanding, desk.holder.isIdle]).toEqual([0, true]);
  });

  it('that the group has ended while its holder stood still is announced as in jeopardy before it is lost', () => {
    const desk = new Desk().opened();
    desk.hear({ type: 'sessionEnded', session: 7 }, 2 * ttlMs);
    expect(desk.out.events).toEqual([
      { type: 'sessionJeopardy', session: 7, remainingMs: 0 },
      { type: 'sessionLost', session: 7, reason: 'ended by the group' },
    ]);
  });
});

describe('opening and closing', () => {
  it('is repeated under one nonce until answered; a lost session is named in the next open', () => {
    const desk = new Desk();
    expect(desk.give({ type: 'open', at: desk.at(0) })).toEqual([{ type: 'openSession', nonce: 'i.1', ttlMs, replaces: 0 }]);
    expect(desk.tick(500)).toEqual([{ type: 'openSession', nonce: 'i.1', ttlMs, replaces: 0 }]);
    desk.hear({ type: 'sessionOpened', nonce: 'i.0', session: 6, ttlMs }, 510);
    expect(desk.holder.nextDeadlineMs).toBe(1_000);
    desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 520);
    desk.answer(1, 530);
    desk.hear({ type: 'sessionEnded', session: 7 }, 540);
    expect(desk.give({ type: 'open', at: desk.at(550) })).toEqual([{ type: 'openSession', nonce: 'i.2', ttlMs, replaces: 7 }]);
  });

  it('a close is repeated until the group says that the session is over', () => {
    const desk = new Desk().opened();
    expect(desk.give({ type: 'close', at: desk.at(100) })).toEqual([{ type: 'closeSession', session: 7 }]);
    expect(desk.holder.request(() => 'late')).toBeNull();
    expect(desk.tick(600)).toEqual([{ type: 'closeSession', session: 7 }]);
    desk.hear({ type: 'sessionEnded', session: 7 }, 610);
    expect(desk.out.events).toEqual([{ type: 'sessionLost', session: 7, reason: 'closed' }]);
    expect(desk.holder.nextDeadlineMs).toBe(Infinity);
  });
});

describe('closing while a session opens', () => {
  const open = { type: 'openSession', nonce: 'i.1', ttlMs, replaces: 0 };

  function opening(): Desk {
    const desk = new Desk();
    desk.give({ type: 'open', at: desk.at(0) });
    return desk;
  }

  it('ends the session that the open may have made, once that is known', () => {
    const desk = opening();
    desk.holder.openLeft();
    expect(desk.give({ type: 'close', at: desk.at(10) })).toEqual([]);
    expect(desk.holder.isIdle).toBe(false);
    expect(desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 20)).toEqual([{ type: 'closeSession', session: 7 }]);
    expect(desk.events()).toEqual([]);
    desk.hear({ type: 'sessionEnded', session: 7 }, 30);
    expect(desk.out.events).toEqual([{ type: 'sessionLost', session: 7, reason: 'closed' }]);
    expect(desk.holder.isIdle).toBe(true);
  });

  it('asks again under the same nonce while nobody answers, and another leader too', () => {
    const desk = opening();
    desk.holder.openLeft();
    desk.give({ type: 'close', at: desk.at(10) });
    expect(desk.holder.nextDeadlineMs).toBe(500);
    expect(desk.tick(500)).toEqual([open]);
    expect(desk.give({ type: 'leaderChanged', at: desk.at(510) })).toEqual([open]);
    expect(desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 520)).toEqual([{ type: 'closeSession', session: 7 }]);
    expect(desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 530)).toEqual([]);
  });

  it.each<[string, (desk: Desk) => void]>([
    ['no leader was asked', () => undefined],
    [
      'the open was refused',
      (desk) => {
        desk.holder.openLeft();
        desk.hear({ type: 'openRefused', nonce: 'i.1', reason: 'nameTaken', waitMs: 9 }, 5);
      },
    ],
  ])('is over at once where %s', (_what, before) => {
    const desk = opening();
    before(desk);
    expect(desk.give({ type: 'close', at: desk.at(10) })).toEqual([]);
    expect(desk.holder.isIdle).toBe(true);
  });

  it('is over once the open is refused', () => {
    const desk = opening();
    desk.holder.openLeft();
    desk.give({ type: 'close', at: desk.at(10) });
    desk.hear({ type: 'openRefused', nonce: 'i.1', reason: 'nameTaken', waitMs: 9 }, 20);
    expect(desk.holder.isIdle).toBe(true);
  });
});

describe('opening while the group is closed', () => {
  const open = { type: 'openSession', nonce: 'i.1', ttlMs, replaces: 0 };
  const refused = (waitMs: number): Message => ({ type: 'openRefused', nonce: 'i.1', reason: 'closed', waitMs });

  it('asks again at once when it is told that the group has opened, and once only', () => {
    const desk = new Desk();
    desk.give({ type: 'open', at: desk.at(0) });
    expect(desk.hear(refused(0), 1)).toEqual([]);
    expect(desk.hear(refused(9), 10)).toEqual([]);
    expect(desk.hear(refused(0), 20)).toEqual([open]);
    expect(desk.hear(refused(0), 30)).toEqual([]);
    expect(desk.holder.nextDeadlineMs).toBe(520);
  });

  it('asks no more once it was closed', () => {
    const desk = new Desk();
    desk.give({ type: 'open', at: desk.at(0) });
    desk.holder.openLeft();
    desk.hear(refused(9), 10);
    desk.give({ type: 'close', at: desk.at(11) });
    expect([desk.holder.isIdle, desk.hear(refused(0), 20)]).toEqual([true, []]);
  });
});

describe('watching', () => {
  it('takes updates in the order of their count, and shows what is missed in the next keep-alive', () => {
    const desk = new Desk().opened();
    expect(desk.give({ type: 'watch', added: ['l/x'], removed: [], at: desk.at(20) })).toMatchObject([{ type: 'watch', added: ['l/x'] }]);
    const watch = desk.out.send[0];
    const version = watch?.type === 'watch' ? watch.version : 0;
    const seen: string[] = [];
    for (const [index, state] of [
      [1, 'full'],
      [3, 'skipped'],
      [2, 'second'],
    ] as const) {
      desk.hear({ type: 'watched', version, part: 1, since: index - 1, index, states: [state] }, 30);
      seen.push(...desk.out.states);
    }
    desk.hear({ type: 'watched', version: version - 1, part: 1, since: 2, index: 3, states: ['old list'] }, 30);
    expect([...seen, ...desk.out.states]).toEqual(['full', 'second']);
    const [beat] = desk.tick(2_000);
    expect(beat).toMatchObject({ type: 'keepAlive', watchVersion: version, watchedIndex: 2 });
    expect(types(desk.answer(2, 2_010, { watch: { version, part: 1 } }))).toEqual([]);
    desk.tick(4_100);
    expect(types(desk.answer(3, 4_110, { watch: { version: 0, part: 0 } }))).toEqual(['watch']);
  });
});

describe('a holder whose group was founded anew', () => {
  it('names no session of the last founding when it opens one in the next, even if it had none at the time (1 holder)', () => {
    const desk = new Desk().opened();
    desk.hear({ type: 'sessionEnded', session: 7 }, 100);
    desk.give({ type: 'open', at: desk.at(200) });
    desk.give({ type: 'foundingReplaced', at: desk.at(300) });
    expect(desk.give({ type: 'open', at: desk.at(400) })).toMatchObject([{ type: 'openSession', replaces: 0 }]);
  });

  it('names one that was confirmed too late, and tells of no end of what it never told to have begun (1 holder)', () => {
    const desk = new Desk();
    desk.give({ type: 'open', at: desk.at(0) });
    desk.hear({ type: 'sessionOpened', nonce: 'i.1', session: 7, ttlMs }, 0);
    desk.answer(1, usableMs + 1_000);
    expect(desk.events()).toEqual([]);
    expect(desk.give({ type: 'open', at: desk.at(usableMs + 1_001) })).toMatchObject([{ type: 'openSession', replaces: 7 }]);
  });

  it('names a session that it never confirmed in place of the last one that it had (1 holder)', () => {
    const desk = new Desk();
    const [open] = desk.give({ type: 'open', at: desk.at(0) });
    const nonce = open?.type === 'openSession' ? open.nonce : '';
    desk.hear({ type: 'sessionOpened', nonce, session: 9, ttlMs }, 10);
    desk.hear({ type: 'sessionEnded', session: 9 }, 20);
    expect(desk.give({ type: 'open', at: desk.at(30) })).toMatchObject([{ type: 'openSession', replaces: 9 }]);
  });
});
