/** What a mutant is: one protocol hazard as a small wrong patch of the product, and what must notice it. */

/** Exact text of one file, found once, and what stands in its place. */
export interface Patch {
  /** From the top of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A run that ends well over the product as it is, and badly over the mutant. */
export type Killer =
  | { readonly by: 'unit'; readonly files: readonly string[] }
  | { readonly by: 'model'; readonly name: string }
  /** Whole groups from seed 1 on, until one breaks a promise. */
  | { readonly by: 'simulation'; readonly seeds: number };

/**
 * 1. Its patches apply to the present source, each at exactly one place.
 * 2. What comes of them loads and runs: a mutant that falls over its own syntax proves nothing.
 * 3. Its killers are listed cheapest first; every one of them kills it, the first is the one that a usual run needs.
 */
export interface Mutant {
  readonly name: string;
  /** What breaks, and which rule, promise or lesson it breaks. */
  readonly hazard: string;
  readonly patches: readonly Patch[];
  readonly killers: readonly Killer[];
}

/** Patches and unit tests of one package: files within its sources, and within its tests without the ending that all of them have. */
export function within(name: 'core' | 'kafka-adapter' | 'nats-adapter') {
  return {
    patch: (file: string, find: string, replace: string): Patch => ({ file: `packages/${name}/src/${file}`, find, replace }),
    unit: (...files: readonly string[]): Killer => ({ by: 'unit', files: files.map((file) => `packages/${name}/test/${file}.test.ts`) }),
  };
}

export const { patch, unit } = within('core');

export function model(name: string): Killer {
  return { by: 'model', name };
}

export function simulation(seeds: number): Killer {
  return { by: 'simulation', seeds };
}
