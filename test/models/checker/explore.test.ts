/** The explorer on worlds small enough to know by heart: a mistake here would make every model's verdict worthless. */
import { QuorateError } from '@quorate/core';
import { explore } from './explore.ts';
import type { Model, Step } from './model.ts';
import { runPlanted } from './run-planted.ts';

type Jugs = readonly [number, number];

/** Jugs of 3 and 5 litres; four litres are measured in six steps and no fewer. */
function jugs(changes: Partial<Model<Jugs>> = {}): Model<Jugs> {
  return {
    name: 'jugs',
    about: 'Two jugs that are filled, emptied and poured into one another.',
    rules: [],
    initial: () => [[0, 0]],
    *next([small, large]): Iterable<Step<Jugs>> {
      const toLarge = Math.min(small, 5 - large);
      const toSmall = Math.min(large, 3 - small);
      yield { label: 'fill the small one', state: [3, large] };
      yield { label: 'fill the large one', state: [small, 5] };
      yield { label: 'empty the small one', state: [0, large] };
      yield { label: 'empty the large one', state: [small, 0] };
      yield { label: 'pour into the large one', state: [small - toLarge, large + toLarge] };
      yield { label: 'pour into the small one', state: [small + toSmall, large - toSmall] };
    },
    check: () => null,
    key: (state) => state.join(),
    ...changes,
  };
}

const noFour = { check: ([, large]: Jugs): string | null => (large === 4 ? 'four litres are measured' : null) };

test('sees every state of a world once and says that it holds (two jugs)', () => {
  expect(explore(jugs())).toMatchObject({ verdict: 'holds', ok: true, complete: true, states: 16, transitions: 96, depth: 7 });
});

test('tells the shortest story of a broken promise (two jugs)', () => {
  const { verdict, ok, broken, story, depth } = explore(jugs(noFour));
  expect({ verdict, ok, broken, depth }).toEqual({ verdict: 'broken', ok: false, broken: 'four litres are measured', depth: 6 });
  expect(story).toEqual([
    'fill the large one',
    'pour into the small one',
    'empty the small one',
    'pour into the small one',
    'fill the large one',
    'pour into the small one',
  ]);
});

test('tells a story from the initial state that it began in (two roots)', () => {
  const initial = (): Jugs[] => [
    [0, 0],
    [2, 5],
  ];
  expect(explore(jugs({ ...noFour, initial })).story).toEqual(['pour into the small one']);
  expect(explore(jugs({ check: () => 'at once' })).story).toEqual([]);
});

test('does not call a run complete that a limit ended, and holds nothing of it (two jugs)', () => {
  expect(explore(jugs(), { statesMax: 3 })).toMatchObject({ verdict: 'bounded', ok: false, complete: false });
  expect(explore(jugs(), { secondsMax: 0 })).toMatchObject({ verdict: 'bounded', ok: false, complete: false });
});

test('fails a world that never shows what it was built to show (two jugs)', () => {
  const seen = ([small]: Jugs): string[] => (small === 2 ? ['two litres'] : []);
  expect(explore(jugs({ seen, marks: ['two litres'] }))).toMatchObject({ verdict: 'holds', marksMissed: [] });
  expect(explore(jugs({ seen, marks: ['two litres', 'six litres'] }))).toMatchObject({
    verdict: 'unmarked',
    ok: false,
    complete: true,
    marksMissed: ['six litres'],
  });
});

test('finds a state from which the goal is out of reach, unless it lies at the edge of the world (a leaking jug)', () => {
  const leak = {
    *next([small, large]: Jugs): Iterable<Step<Jugs>> {
      if (large === 9) return;
      yield { label: 'fill', state: [3, large] };
      yield { label: 'empty', state: [0, large] };
      if (small === 3) yield { label: 'break', state: [0, 9] };
    },
    goal: ([small]: Jugs): boolean => small === 3,
  };
  expect(explore(jugs(leak))).toMatchObject({ verdict: 'broken', story: ['fill', 'break'] });
  expect(explore(jugs({ ...leak, atEdge: ([, large]) => large === 9 }))).toMatchObject({ verdict: 'holds' });
});

test('takes an assertion of a machine for a broken promise, and a mistake of the model for none (two jugs)', () => {
  const failing = (error: Error): Model<Jugs> => {
    return jugs({
      next: () => {
        throw error;
      },
    });
  };
  expect(explore(failing(new QuorateError('INVARIANT', 'Broken: x.')))).toMatchObject({
    verdict: 'broken',
    broken: expect.stringMatching('Broken: x'),
  });
  expect(() => explore(failing(new TypeError('x is not a function')))).toThrow('x is not a function');
});

test('undoes what a planted variant changed, found or not (two jugs)', () => {
  let changes = 0;
  const install = (): (() => void) => {
    changes += 1;
    return () => (changes -= 1);
  };
  const four = { name: 'four', hazard: '', breaks: 'four litres', install };
  expect(runPlanted({ ...four, model: jugs(noFour) })).toMatchObject({ name: 'four', breaks: 'four litres', found: true });
  expect(runPlanted({ ...four, model: jugs() })).toMatchObject({ found: false });
  expect(changes).toBe(0);
});

test('finds a planted variant by what it must break, and by nothing else that breaks (two jugs)', () => {
  const four = { name: 'four', hazard: '', breaks: 'four litres' };
  const noFive = { check: ([, large]: Jugs): string | null => (large === 5 ? 'five litres are measured' : null) };
  expect(runPlanted({ ...four, model: jugs(noFive) })).toMatchObject({ found: false, exploration: { verdict: 'broken' } });
  expect(runPlanted({ ...four, model: jugs({ marks: ['four litres'] }) })).toMatchObject({ found: false });
  expect(() => runPlanted({ ...four, breaks: '', model: jugs(noFour) })).toThrow('says not what it must break');
});
