/** The history of an election against the whole list of states that came, read anew each time. */
import fc from 'fast-check';
import { TermHistory } from '../../src/election/term-history.ts';
import type { HeldState, Term } from '../../src/election/term.ts';

type Change = { readonly state: HeldState } | 'refounded';

/** Goes through all that ever came, from the beginning: what is to be seen in the end, in order. */
function shownOf(changes: readonly Change[]): (Term | null)[] {
  const shown: (Term | null)[] = [];
  let [version, token, founded] = [-1, 0, false];
  const last = (): Term | null => shown.at(-1) ?? null;
  for (const change of changes) {
    if (change === 'refounded') {
      version = -1;
      if (last() !== null) shown.push(null);
      continue;
    }
    const [holder] = change.state.holders;
    if (change.state.version < version || (holder !== undefined && holder.token < token)) continue;
    version = change.state.version;
    const term = holder === undefined ? null : { leader: holder.node, token: holder.token, value: holder.value };
    token = term?.token ?? token;
    const isFirst = !founded;
    founded = true;
    if (isFirst && shown.length === 0) shown.push(term);
    else if (term === null) shown.push(...(last() === null ? [] : [null]));
    else if (last() === null) shown.push(term);
    else if (last()?.token !== term.token) shown.push(null, term);
    else if (last()?.value !== term.value) shown.push(term);
  }
  return shown;
}

const holder = fc.record({ token: fc.integer({ min: 1, max: 8 }), value: fc.constantFrom(null, 'v', 'w') });
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('refounded' as const) },
  {
    weight: 9,
    arbitrary: fc.record({ version: fc.nat(12), holder: fc.option(holder, { freq: 4 }) }).map(({ version, holder: held }) => ({
      // A token belongs to one node for ever.
      state: { resource: 'e/x', version, holders: held === null ? [] : [{ node: held.token % 2 === 0 ? 'a' : 'b', ...held }] },
    })),
  },
);

test('what a watcher is shown is what the whole list says, however states are lost, late or repeated (2 nodes)', () => {
  let shownInAll = 0;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30, size: 'max' }), (changes) => {
      const history = new TermHistory();
      const shown: (Term | null)[] = [];
      for (const [index, one] of changes.entries()) {
        shown.push(...(one === 'refounded' ? history.refounded() : history.next(one.state)));
        expect(shown).toEqual(shownOf(changes.slice(0, index + 1)));
        expect(history.current).toEqual(shown.at(-1) ?? null);
      }
      shownInAll += shown.length;
    }),
    { numRuns: 300 },
  );
  expect(shownInAll).toBeGreaterThan(500);
});
