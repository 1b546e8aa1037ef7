/** Which safety rule is checked by which model, and why some have none. The numbers are those of the rules as the models name them. */
import { models } from './checker/catalog.ts';

export const ruleNumbers: readonly number[] = Array.from({ length: 22 }, (_, index) => index + 1);

/** Names of the models that a fault against this rule would break. */
export function modelsOf(rule: number): readonly string[] {
  return models.filter((model) => model.rules.includes(rule)).map(({ name }) => name);
}

/** A rule leaves this table when its model comes; the test of the models fails if it stands here beside one. */
export const withoutModel: Readonly<Record<number, string>> = {
  12: 'The wait before a group opens is one comparison with one clock; a model would only repeat it. Simulation restarts whole groups.',
  13: 'Tokens of a founding start from calendar clocks, about which a model can only assume what the rule says; unit tests pin the arithmetic.',
  19: 'What fences a run is the store, whose behaviour a model could only assume: every store is tried with two writers of one seat, and a sleeping one.',
  20: 'What a store has to read is up to its broker: the suite of all stores runs on real ones, with a death at every write.',
};
