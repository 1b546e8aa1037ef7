/**
 * The holder's side of a session against a diary of what was sent and answered: how long the lease lasts, that nothing revives it,
 * and that every request is answered once.
 */
import fc from 'fast-check';
import type { SessionMessage } from '../../src/session/message.ts';
import { SessionHolder } from '../../src/session/session-holder.ts';
import type { Instant } from '../../src/time/clock.ts';
import { elapsedForOwnRightMs, usableLengthMs } from '../../src/time/clock.ts';

/** Sequence, and whether it is final. */
type Result = readonly [seq: number, final: boolean];
type Message = SessionMessage<number, Result, string>;

const ttlMs = 10_000;

interface Beat {
  readonly session: number;
  readonly id: number;
  readonly at: Instant;
}

/** What was said and heard, and what follows from it by the rules in plain words. */
class Diary {
  readonly holder = new SessionHolder<number, Result, string>({
    ttlMs,
    resendMs: 500,
    instance: 'i',
    outstandingMax: 8,
    submitBytesMax: () => 40,
    sizeOfOp: () => 10,
    seqOf: (result) => (result as Result)[0],
    isInterim: (result) => !(result as Result)[1],
    resourceOf: (state) => state,
  });
  now: Instant = { monotonicMs: 0, wallMs: 1e12 };
  nonce = '';
  session = 0;
  sessions = 0;
  beats: Beat[] = [];
  /** The beat that the lease counts from. */
  answered: Beat | null = null;
  requested = new Set<number>();
  applied = new Set<number>();
  readonly finals = new Set<string>();
  readonly lost = new Set<number>();

  give(input: Parameters<typeof this.holder.step>[0]): void {
    const { send, results, events } = this.holder.step(input);
    for (const event of events) if (event.type === 'sessionLost') this.lost.add(event.session);
    for (const [seq, final] of results) {
      const key = `${this.session} ${seq}`;
      expect(this.finals.has(key)).toBe(false);
      expect(this.requested.has(seq)).toBe(true);
      if (final) this.finals.add(key);
    }
    for (const message of send) this.said(message);
  }

  hear(message: Message): void {
    this.give({ type: 'message', message, at: this.now });
  }

  /** By the newest beat that was answered, on the faster of both clocks. */
  get remainingMs(): number {
    if (this.answered === null) return 0;
    const remainingMs = usableLengthMs(ttlMs) - elapsedForOwnRightMs(this.answered.at, this.now);
    if (remainingMs <= 0) this.answered = null;
    return Math.max(0, remainingMs);
  }

  opened(): void {
    if (this.nonce === '') return;
    this.sessions += 1;
    this.session = this.sessions;
    this.answered = null;
    this.requested = new Set();
    this.applied = new Set();
    const nonce = this.nonce;
    this.nonce = '';
    this.hear({ type: 'sessionOpened', nonce, session: this.session, ttlMs });
  }

  keptAlive(chosen: number, resultOf: (seq: number) => Result | null): void {
    const beat = this.beats[chosen % Math.max(1, this.beats.length)];
    if (beat === undefined) return;
    const results = [...this.requested].map(resultOf).filter((result) => result !== null);
    const wasOpen = this.holder.session !== null;
    const isDead = wasOpen && this.remainingMs === 0;
    if (beat.session === this.session && !isDead && !this.lost.has(this.session)) {
      this.answered = beat;
      this.beats = this.beats.filter(({ session, id }) => session !== beat.session || id > beat.id);
    }
    if (this.holder.session === beat.session && !isDead) for (const [seq] of results) this.applied.add(seq);
    this.hear({ type: 'keptAlive', session: beat.session, id: beat.id, results, unknown: [], covered: [], watch: { version: 0, part: 0 } });
  }

  private said(message: Message): void {
    if (message.type === 'openSession') this.nonce = message.nonce;
    if (message.type === 'keepAlive') this.beats.push({ session: message.session, id: message.id, at: this.now });
    if (message.type !== 'keepAlive' && message.type !== 'submit') return;
    // The group forgets what is under the floor: nothing may lie there that is not known to be applied.
    for (let seq = 1; seq <= message.floor; seq += 1) expect(this.applied.has(seq)).toBe(true);
    if (message.type === 'keepAlive') for (const seq of message.pending) expect(this.finals.has(`${message.session} ${seq}`)).toBe(false);
  }
}

const step = fc.record({
  what: fc.constantFrom(
    'wait',
    'wait',
    'wait',
    'opened',
    'opened',
    'alive',
    'alive',
    'alive',
    'request',
    'request',
    'replies',
    'replies',
    'leader',
    'ended',
  ),
  pick: fc.nat(40),
  ms: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 2_000 }) }, { weight: 1, arbitrary: fc.constant(ttlMs) }),
  jumpMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -ttlMs, max: ttlMs }) }),
  final: fc.boolean(),
});

test('a lease lasts as the diary says and never again, and each request is answered once (1 holder)', () => {
  let answers = 0;
  let losses = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), (steps) => {
      const diary = new Diary();
      const { holder } = diary;
      for (const { what, pick, ms, jumpMs, final } of steps) {
        if (holder.isIdle) diary.give({ type: 'open', at: diary.now });
        const some = (seq: number): Result | null => ((seq + pick) % 3 === 0 ? [seq, final] : null);
        if (what === 'wait') {
          diary.now = { monotonicMs: diary.now.monotonicMs + ms, wallMs: diary.now.wallMs + ms + jumpMs };
          diary.give({ type: 'tick', at: diary.now });
        } else if (what === 'opened') diary.opened();
        else if (what === 'alive') diary.keptAlive(diary.beats.length + 40 - pick, some);
        else if (what === 'leader') diary.give({ type: 'leaderChanged', at: diary.now });
        else if (what === 'request') {
          const seq = holder.request((next) => next);
          if (seq !== null) diary.requested.add(seq);
          for (const { ops } of holder.takeSubmissions(diary.now.monotonicMs))
            expect(ops.every((op) => diary.requested.has(op))).toBe(true);
        } else if (what === 'replies') {
          const session = pick % 5 === 0 ? diary.session - 1 : diary.session;
          const results = [...diary.requested].map(some).filter((result) => result !== null);
          if (session === holder.session) for (const [seq] of results) diary.applied.add(seq);
          diary.hear({ type: 'replies', session, results });
        } else if (pick % 8 === 0) diary.hear({ type: 'sessionEnded', session: diary.session - (pick % 2) });
        if (holder.session === null) diary.answered = diary.lost.has(diary.session) ? null : diary.answered;
        expect(holder.remainingMs(diary.now)).toBe(holder.session === null ? 0 : diary.remainingMs);
        expect(holder.session !== null && diary.lost.has(holder.session)).toBe(false);
      }
      answers += diary.finals.size;
      losses += diary.lost.size;
    }),
    { numRuns: 200 },
  );
  expect(answers).toBeGreaterThan(100);
  expect(losses).toBeGreaterThan(50);
});
