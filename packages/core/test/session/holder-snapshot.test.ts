/** A holder between two steps is its snapshot: one restored from it goes on as the first does, whatever comes. */
import fc from 'fast-check';
import { SessionHolder } from '../../src/session/session-holder.ts';
import type { HolderInput, HolderSnapshot } from '../../src/session/session-holder.ts';
import type { SessionMessage } from '../../src/session/message.ts';

type Result = readonly [seq: number, final: boolean];
type Message = SessionMessage<string, Result, string>;
type Holder = SessionHolder<string, Result, string>;

const ttlMs = 1_000;

function freshHolder(outstandingMax = 6): Holder {
  return new SessionHolder<string, Result, string>({
    ttlMs,
    resendMs: 200,
    instance: 'i',
    outstandingMax,
    submitBytesMax: () => 25,
    resourceOf: (state) => state,
    sizeOfOp: () => 10,
    seqOf: ([seq]) => seq,
    isInterim: ([, final]) => !final,
  });
}

/** What a test does next. `back` says how far behind the newest keep-alive, nonce, sequence or watch list an answer is. */
type Act =
  | { readonly type: 'open' | 'close' | 'leaderChanged' | 'foundingReplaced' | 'ended' }
  | { readonly type: 'flush' }
  | { readonly type: 'pass'; readonly ms: number; readonly wallMs: number }
  | { readonly type: 'request'; readonly count: number }
  | { readonly type: 'watch'; readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly type: 'opened'; readonly back: number }
  | { readonly type: 'refused'; readonly back: number; readonly reason: 'limit' | 'closed'; readonly waitMs: number }
  | {
      readonly type: 'keptAlive';
      readonly back: number;
      readonly seqs: readonly Result[];
      readonly unknown: boolean;
      readonly lacks: number;
    }
  | { readonly type: 'replies'; readonly seqs: readonly Result[] }
  | { readonly type: 'watched'; readonly back: number; readonly index: number };

const back = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
const seqs = fc.array(fc.tuple(fc.nat(7), fc.boolean()), { maxLength: 4 });
const names = fc.subarray(['a', 'b', 'c']);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Act>({ type: 'open' }, { type: 'flush' }, { type: 'leaderChanged' }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ type: 'close' }, { type: 'foundingReplaced' }, { type: 'ended' }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('pass'), ms: fc.nat(300), wallMs: fc.nat(300) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('request'), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('watch'), added: names, removed: names }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('opened'), back }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('refused'),
      back,
      reason: fc.constantFrom('limit', 'closed'),
      waitMs: fc.constantFrom(0, 5),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('keptAlive'), back, seqs, unknown: fc.boolean(), lacks: fc.nat(2) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('replies'), seqs }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('watched'), back, index: fc.nat(3) }) },
);

/** A group of one test: it knows what a holder said last, and answers to the point often enough to get everywhere. */
class Talk {
  nowMs = 0;
  wallMs = 1e12;
  private opens = 0;
  private session = 0;
  private beat = 0;
  private version = 0;
  private part = 0;
  private asked = { version: 0, part: 0 };

  /** Everything that the holder says and shows after one act, as text. */
  do(holder: Holder, next: Act): string {
    const at = { monotonicMs: this.nowMs, wallMs: this.wallMs };
    const shown: unknown[] = [];
    if (next.type === 'request') for (let n = 0; n < next.count; n += 1) shown.push(holder.request((seq) => `op ${seq}`));
    else if (next.type === 'flush') shown.push(holder.takeSubmissions(this.nowMs));
    else {
      const input = this.inputOf(next);
      const out = holder.step(input);
      for (const message of out.send) this.note(message);
      // The first finds a leader, the next none, and so on.
      if (this.opens % 2 === 1 && out.send.some(({ type }) => type === 'openSession')) holder.openLeft();
      shown.push(out);
    }
    shown.push(holder.session, holder.isIdle, holder.inJeopardy, holder.outstanding, holder.nextDeadlineMs, holder.remainingMs(at));
    return JSON.stringify(shown);
  }

  pass(ms: number, wallMs: number): void {
    this.nowMs += ms;
    this.wallMs += wallMs;
  }

  private note(message: Message): void {
    if (message.type === 'openSession') this.opens = Number(message.nonce.slice(2));
    if (message.type === 'keepAlive') this.beat = message.id;
    if (message.type === 'watch') ({ version: this.version, part: this.part } = message);
    if (message.type === 'keepAlive') this.asked = { version: message.watchVersion, part: this.part };
  }

  private inputOf(next: Exclude<Act, { type: 'request' | 'flush' }>): HolderInput<string, Result, string> {
    const at = { monotonicMs: this.nowMs, wallMs: this.wallMs };
    const hear = (message: Message): HolderInput<string, Result, string> => ({ type: 'message', message, at });
    switch (next.type) {
      case 'open':
      case 'close':
      case 'leaderChanged':
      case 'foundingReplaced':
        return { type: next.type, at };
      case 'watch':
        return { ...next, at };
      case 'pass':
        return { type: 'tick', at };
      case 'opened':
        if (next.back === 0) this.session = this.opens * 10;
        return hear({ type: 'sessionOpened', nonce: `i.${this.opens - next.back}`, session: this.opens * 10, ttlMs });
      case 'refused':
        return hear({ type: 'openRefused', nonce: `i.${this.opens - next.back}`, reason: next.reason, waitMs: next.waitMs });
      case 'keptAlive': {
        const results = next.seqs.filter(([, final]) => final);
        const unknown = next.unknown ? next.seqs.filter(([, final]) => !final).map(([seq]) => seq) : [];
        const covered = next.seqs.map(([seq]) => seq + 100).sort((a, b) => a - b);
        return hear({
          type: 'keptAlive',
          session: this.session,
          id: this.beat - next.back,
          results,
          unknown,
          covered,
          watch: next.lacks > 1 ? { version: 0, part: 0 } : { ...this.asked, part: Math.max(0, this.asked.part - next.lacks) },
        });
      }
      case 'replies':
        return hear({ type: 'replies', session: this.session, results: next.seqs });
      case 'watched':
        return hear({
          type: 'watched',
          version: this.version - next.back,
          part: this.part,
          since: next.index - 1,
          index: next.index,
          states: ['a', 'b'],
        });
      case 'ended':
        return hear({ type: 'sessionEnded', session: this.session });
    }
  }
}

function copyOf(holder: Holder): Holder {
  const copy = freshHolder();
  copy.restore(JSON.parse(JSON.stringify(holder.snapshot())) as HolderSnapshot<string>);
  return copy;
}

const opening: readonly Act[] = [{ type: 'watch', added: ['a'], removed: [] }, { type: 'open' }];
const opened: readonly Act[] = [
  ...opening,
  { type: 'opened', back: 0 },
  { type: 'keptAlive', back: 0, seqs: [], unknown: false, lacks: 0 },
];
/** How a life begins, so that most acts mean something and no phase is rare. */
const closedEarly: readonly Act[] = [...opening, { type: 'close' }];
const toldToWait: readonly Act[] = [...opening, { type: 'refused', back: 0, reason: 'closed', waitMs: 5 }];
const beginning = fc.constantFrom<readonly Act[]>([], toldToWait, closedEarly, opened, opened, opened);

test('a holder restored from its snapshot does and says the same under whatever comes later', () => {
  const reached = new Set<string>();
  const acts = fc.array(act, { maxLength: 40 });
  fc.assert(
    fc.property(beginning, acts, acts, (first, before, after) => {
      const talk = new Talk();
      const holder = freshHolder();
      let restored: Holder | null = null;
      for (const next of [...first, ...before, null, ...after]) {
        if (next === null) {
          restored = copyOf(holder);
          const { phase } = holder.snapshot();
          reached.add(phase.type);
          if (phase.type === 'opening' && phase.isClosing) reached.add('opening to close');
          if (phase.type === 'opening' && phase.waits) reached.add('opening once told');
          continue;
        }
        if (next.type === 'pass') talk.pass(next.ms, next.wallMs);
        const said = talk.do(holder, next);
        if (restored === null) continue;
        expect(talk.do(restored, next)).toBe(said);
        expect(restored.snapshot()).toEqual(holder.snapshot());
      }
    }),
    { numRuns: 1_000, seed: 4 },
  );
  expect([...reached].sort()).toEqual(['closing', 'confirming', 'idle', 'open', 'opening', 'opening once told', 'opening to close']);
});

test('a restored holder asks after what waits from where the first one left off (2,500 requests)', () => {
  const talk = new Talk();
  const holder = freshHolder(2_500);
  for (const next of opened) talk.do(holder, next);
  for (let n = 0; n < 2_500; n += 1) holder.request((seq) => `op ${seq}`);
  talk.do(holder, { type: 'flush' });
  talk.do(holder, { type: 'leaderChanged' });
  const restored = freshHolder(2_500);
  restored.restore(holder.snapshot());
  expect(talk.do(restored, { type: 'leaderChanged' })).toBe(talk.do(holder, { type: 'leaderChanged' }));
});

test('a snapshot stays as it was taken while its holder goes on', () => {
  for (const first of [opening, opened]) {
    const talk = new Talk();
    const holder = freshHolder();
    for (const next of first) talk.do(holder, next);
    talk.do(holder, { type: 'request', count: 2 });
    talk.do(holder, { type: 'flush' });
    const snapshot = holder.snapshot();
    const text = JSON.stringify(snapshot);
    talk.pass(300, 300);
    talk.do(holder, { type: 'pass', ms: 0, wallMs: 0 });
    talk.do(holder, { type: 'close' });
    expect(JSON.stringify(snapshot)).toBe(text);
  }
});
