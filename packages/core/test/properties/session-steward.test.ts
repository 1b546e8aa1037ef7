/** The leader's side of sessions against the plain rule: a session ends when nothing was heard of it for its TTL, and not before. */
import fc from 'fast-check';
import { entryKind } from '../../src/session/command.ts';
import type { SessionView } from '../../src/session/session-steward.ts';
import { SessionSteward } from '../../src/session/session-steward.ts';

interface Plain {
  readonly key: number;
  readonly node: string;
  readonly ttlMs: number;
  /** From when its TTL counts. */
  heardMs: number;
  ending: boolean;
}

const lapsedAfterMs = 500;
const step = fc.record({
  what: fc.constantFrom('wait', 'wait', 'wait', 'beat', 'beat', 'beat', 'strange', 'end', 'open', 'ended', 'lapse', 'watch', 'change'),
  session: fc.nat(20),
  ms: fc.integer({ min: 1, max: 400 }),
  resources: fc.uniqueArray(fc.constantFrom('l/x', 'l/y', 'e/z'), { maxLength: 3 }),
  asks: fc.boolean(),
});

test('sessions end, last and are told of their locks as a list of when they were heard says (up to 6 sessions)', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
      let nowMs = 1_000;
      let ledBefore = true;
      let next = 1;
      let plain: Plain[] = [];
      const watches = new Map<string, { readonly version: number; readonly resources: readonly string[]; told: number }>();
      const open = (): Plain => {
        const opened = { key: next, node: `n${next}`, ttlMs: 600 + 100 * (next % 5), heardMs: nowMs, ending: false };
        next += 1;
        plain.push(opened);
        return opened;
      };
      open();
      open();
      const view: SessionView<readonly [number], string> = {
        sessions: () => plain,
        session: (key) => plain.find((one) => one.key === key),
        isEnded: (key) => key < next && !plain.some((one) => one.key === key),
        lookup: (_key, seq) => (seq % 3 === 0 ? [seq] : seq % 3 === 1 ? 'pending' : 'unknown'),
        statesOf: (resource) => [`state of ${resource}`],
        coveredTokens: (key) => [key, key + 1],
      };
      const steward = new SessionSteward<string, readonly [number], string>(
        view,
        's',
        nowMs,
        lapsedAfterMs,
        (states) => [states],
        (token) => token % 2 === 0,
      );
      for (const { what, session, ms, resources, asks } of steps) {
        const one = plain[session % Math.max(1, plain.length)];
        switch (what) {
          case 'wait':
          case 'lapse': {
            nowMs += what === 'wait' ? ms : 5 * ms;
            const authorityMs = what === 'wait' ? nowMs : nowMs - 2 * ms;
            const ledUntilNow = authorityMs >= nowMs - lapsedAfterMs;
            if (ledUntilNow && !ledBefore) for (const living of plain) living.heardMs = nowMs;
            ledBefore = ledUntilNow;
            const silent = plain.filter(({ ending, heardMs, ttlMs }) => !ending && authorityMs >= heardMs + ttlMs);
            const ends = steward.expire(nowMs, authorityMs);
            expect(new Set(ends.map(([, key]) => key))).toEqual(new Set(silent.map(({ key }) => key)));
            for (const entry of ends) expect([entry[0], entry[2]]).toEqual([entryKind.expire, 's']);
            for (const living of silent) living.ending = true;
            if (silent.length > 0) seen.add('expired');
            break;
          }
          case 'beat':
          case 'strange': {
            const key = one?.key ?? next + 5;
            const from = what === 'strange' ? 'stranger' : (one?.node ?? 'stranger');
            const arrivedMs = nowMs - (asks ? 0 : Math.min(ms, 100));
            const list = watches.get(from);
            const watched = { watchVersion: asks ? (list?.version ?? 7) : 0, watchedIndex: list?.told ?? 0, watchHeard: 0 };
            const answer = steward.onKeepAlive(
              from,
              { type: 'keepAlive', session: key, id: 4, floor: 0, pending: [1, 2, 3], ...watched },
              arrivedMs,
            );
            const isHeard = one !== undefined && from === one.node && !one.ending;
            expect(answer).toEqual(
              isHeard
                ? {
                    type: 'keptAlive',
                    session: key,
                    id: 4,
                    results: [[3]],
                    unknown: [2],
                    covered: [key + (key % 2)],
                    watch: { version: list?.version ?? 0, part: list ? 1 : 0 },
                  }
                : null,
            );
            if (isHeard) one.heardMs = Math.max(one.heardMs, arrivedMs);
            seen.add(isHeard ? 'answered' : 'unanswered');
            break;
          }
          case 'end':
            if (one) [one.ending] = [true, steward.beginEnding(one.key)];
            break;
          case 'open': {
            if (plain.length >= 6) break;
            const opened = open();
            steward.opened(opened.key, opened.ttlMs, nowMs);
            break;
          }
          case 'ended':
            if (!one) break;
            plain = plain.filter((living) => living !== one);
            watches.delete(one.node);
            steward.ended(one.key, one.node);
            expect(steward.onKeepAlive(one.node, { type: 'keepAlive', session: one.key, id: 1, floor: 0, pending: [], watchVersion: 0, watchedIndex: 0, watchHeard: 0 }, nowMs)).toEqual({ type: 'sessionEnded', session: one.key }); // prettier-ignore
            break;
          case 'watch': {
            if (!one) break;
            const states = resources.map((resource) => `state of ${resource}`);
            const told = Math.sign(resources.length);
            const known = watches.get(one.node);
            const part = { type: 'watch', session: one.key, version: ms, since: 0, part: 1, added: resources, removed: [] } as const;
            const isNews = known === undefined || ms > known.version;
            expect(steward.onWatch(one.node, part)).toEqual(
              isNews && told > 0
                ? [{ node: one.node, message: { type: 'watched', version: ms, part: 1, since: 0, index: 1, states } }]
                : [],
            );
            if (!isNews) seen.add('old list');
            if (!isNews) break;
            watches.set(one.node, { version: ms, resources, told });
            break;
          }
          case 'change': {
            const told = new Map(steward.changed(new Set(resources), view.statesOf).map(({ node, message }) => [node, message]));
            for (const [node, list] of watches) {
              const states = resources.filter((resource) => list.resources.includes(resource)).map((resource) => `state of ${resource}`);
              if (states.length > 0) list.told += 1;
              expect(told.get(node)).toEqual(
                states.length === 0
                  ? undefined
                  : { type: 'watched', version: list.version, part: 1, since: list.told - 1, index: list.told, states },
              );
              if (states.length > 0) seen.add('told');
            }
            expect([...told.keys()].every((node) => watches.has(node))).toBe(true);
            break;
          }
        }
        for (const { key, heardMs, ttlMs, ending } of plain)
          expect(steward.remainingMs(key, nowMs)).toBe(ending ? 0 : Math.max(0, heardMs + ttlMs - nowMs));
      }
    }),
    { numRuns: 200 },
  );
  expect([...seen].sort()).toEqual(['answered', 'expired', 'old list', 'told', 'unanswered']);
});
