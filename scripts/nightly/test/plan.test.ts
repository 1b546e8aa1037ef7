/** What a night does in which order, and that nothing of it is left out or done twice. */
import { mutants } from '../../../test/mutants/catalog/index.ts';
import { allDecoders } from '../../fuzz/decoders.ts';
import { roundOf, roundSeeds } from '../plan.ts';
import type { NightStep } from '../plan.ts';

const rounds = [0, 1, 2].map((round) => roundOf(round, 2, '/histories'));
const [first = []] = rounds;

function valuesOf({ command }: NightStep, option: string): readonly string[] {
  return command.args.flatMap((argument, at) => (argument === option ? [command.args[at + 1] ?? ''] : []));
}

const ofKind = (steps: readonly NightStep[], kind: string): readonly NightStep[] => steps.filter(({ command }) => command.name === kind);

test('looks at everything once before it looks at anything twice (14 commands)', () => {
  const kinds = first.slice(0, 14).map(({ command }) => command.name);
  expect(new Set(kinds)).toEqual(new Set(first.map(({ command }) => command.name)));
  expect(kinds).toHaveLength(new Set(kinds).size);
});

test('has no two steps of one name in a round, for a night that goes on looks for names', () => {
  expect(new Set(first.map(({ key }) => key)).size).toBe(first.length);
});

test('simulates every seed of three rounds once, in parts', () => {
  const seeds = rounds.flatMap((steps) =>
    ofKind(steps, 'sim').flatMap((step) => {
      const from = Number(valuesOf(step, '--from')[0]);
      expect(step.command.least).toBeLessThanOrEqual(1_000);
      return Array.from({ length: Number(valuesOf(step, '--seeds')[0]) }, (_, index) => from + index);
    }),
  );
  expect(seeds).toEqual(Array.from({ length: 3 * roundSeeds }, (_, index) => index + 1));
});

test('gives every mutant to its killers and every decoder its million runs, in parts that must be whole to count', () => {
  expect(ofKind(first, 'mutants').flatMap((step) => valuesOf(step, '--name'))).toEqual(mutants.map(({ name }) => name));
  expect(ofKind(first, 'mutants').reduce((sum, { command }) => sum + command.least, 0)).toBe(mutants.length);
  expect(ofKind(first, 'fuzz').flatMap((step) => valuesOf(step, '--decoder'))).toEqual(allDecoders().map(({ name }) => name));
  expect(ofKind(first, 'fuzz').every(({ command }) => command.least === 1_000_000)).toBe(true);
});

test.each(['chaos nats', 'chaos kafka', 'chaos nats x 3', 'chaos kafka x 3', 'handoff nats', 'handoff kafka'])(
  'gives %s other seeds in every part of three rounds',
  (kind) => {
    const seeds = rounds.flatMap((steps) => ofKind(steps, kind).flatMap((step) => valuesOf(step, '--seed')));
    expect(seeds).toHaveLength(15);
    expect(new Set(seeds).size).toBe(15);
  },
);
