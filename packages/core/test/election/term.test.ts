/** Who leads, read out of states and events of locks. `docs/protocol.md`, "Elections". */
import fc from 'fast-check';
import { TermHistory } from '../../src/election/term-history.ts';
import type { HeldEvent, HeldState, Term } from '../../src/election/term.ts';
import { electionEventOf, electionOf, electionPrefix, termOf } from '../../src/election/term.ts';
import { resourceKind } from '../../src/lock/command.ts';

function held(version: number, token: number, node = 'a', value: string | null = null): HeldState {
  return { resource: 'e/nightly', version, holders: [{ node, token, value }] };
}

function free(version: number): HeldState {
  return { resource: 'e/nightly', version, holders: [] };
}

function shown(...states: readonly HeldState[]): (Term | null)[] {
  const history = new TermHistory();
  return states.flatMap((state) => history.next(state));
}

test('elections are the locks whose names begin as the commands say', () => {
  expect(electionPrefix).toBe(resourceKind.election);
  expect(electionOf('e/nightly')).toBe('nightly');
  expect(electionOf('e/')).toBe('');
  expect(electionOf('l/e/nightly')).toBeNull();
});

test('the holder of an election leads with its token and value, and nobody leads a free one', () => {
  expect(termOf(held(3, 7, 'a', 'at a:80'))).toEqual({ leader: 'a', token: 7, value: 'at a:80' });
  expect(termOf(free(4))).toBeNull();
});

test.each<[HeldEvent['type'], string | null]>([
  ['granted', 'elected'],
  ['released', 'resigned'],
  ['expired', 'lost'],
  ['proclaimed', 'proclaimed'],
  ['waiting', null],
  ['withdrawn', null],
])('a lock that was %s means %s to its election', (type, meaning) => {
  const event: HeldEvent = { type, resource: 'e/nightly', node: 'a', token: 7, value: 'v' };
  const expected = meaning === null ? null : { type: meaning, election: 'nightly', leader: 'a', token: 7, value: 'v' };
  expect(electionEventOf(event)).toEqual(expected);
  expect(electionEventOf({ ...event, resource: 'l/nightly' })).toBeNull();
});

describe('a history of terms shows', () => {
  const a7: Term = { leader: 'a', token: 7, value: null };
  const b9: Term = { leader: 'b', token: 9, value: null };

  test('what the first state says, be it nobody', () => {
    expect(shown(free(0))).toEqual([null]);
    expect(shown(held(1, 7))).toEqual([a7]);
  });

  test('nobody between two leaders, though the state between them was missed', () => {
    expect(shown(held(1, 7), held(5, 9, 'b'))).toEqual([a7, null, b9]);
  });

  test('nobody between two terms of one leader', () => {
    expect(shown(held(1, 7), held(5, 9, 'a'))).toEqual([a7, null, { leader: 'a', token: 9, value: null }]);
  });

  test('a newly proclaimed value without anybody losing the lead', () => {
    expect(shown(held(1, 7), held(2, 7, 'a', 'new'))).toEqual([a7, { ...a7, value: 'new' }]);
  });

  test('nothing where nothing of the term changed', () => {
    expect(shown(free(1), free(2), held(3, 7), held(4, 7), free(5), free(6))).toEqual([null, a7, null]);
  });

  test('nothing for a state older than one seen before', () => {
    expect(shown(held(1, 7), free(4), held(1, 7))).toEqual([a7, null]);
    expect(shown(held(1, 9, 'b'), held(2, 7))).toEqual([b9]);
  });

  test('nobody when the group was founded anew, and then its leaders though their versions start over', () => {
    const history = new TermHistory();
    expect(history.refounded()).toEqual([]);
    history.next(held(100, 7));
    expect(history.refounded()).toEqual([null]);
    expect(history.current).toBeNull();
    expect(history.next(free(1))).toEqual([]);
    expect(history.next(held(2, 9, 'b'))).toEqual([b9]);
    expect(history.refounded()).toEqual([null]);
    expect(history.next(held(3, 7))).toEqual([]);
  });

  test('no two terms in a row, nothing twice and no falling token, whatever states come', () => {
    const state = fc.record({ version: fc.nat(6), token: fc.nat(4), node: fc.constantFrom('a', 'b'), value: fc.constantFrom('v', 'w') });
    fc.assert(
      fc.property(fc.array(state), (states) => {
        const terms = shown(
          ...states.map(({ version, token, node, value }) => (token === 0 ? free(version) : held(version, token, node, value))),
        );
        for (const [index, term] of terms.entries()) {
          const before = terms[index - 1];
          if (before === undefined) continue;
          expect(term).not.toEqual(before);
          if (term !== null && before !== null) expect(term.token).toBe(before.token);
        }
        const tokens = terms.flatMap((term) => (term === null ? [] : [term.token]));
        expect(tokens).toEqual([...tokens].sort((x, y) => x - y));
      }),
    );
  });
});
