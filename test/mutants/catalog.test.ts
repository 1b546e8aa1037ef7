/** The catalogue of mutants fits the project as it is, so that it cannot rot unseen. Nothing is run here: `pnpm mutants` does that. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { applyPatch, patchedFiles } from '../../scripts/mutants/patching.ts';
import { fastOf } from '../../scripts/mutants/run.ts';
import { models } from '../models/checker/catalog.ts';
import { mutants } from './catalog/index.ts';
import type { Mutant } from './mutant.ts';

const root = resolve(__dirname, '..', '..');

describe('the catalogue of mutants', () => {
  it('has at least forty, of distinct names, each with a hazard in a sentence and a killer', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(40);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    for (const { hazard, killers } of mutants) {
      expect(hazard).toMatch(/^[A-Z].{30,}\.$/);
      expect(killers.length).toBeGreaterThan(0);
    }
    expect(fastOf(mutants).length).toBeGreaterThanOrEqual(40);
  });

  it.each(mutants.map((mutant): [string, Mutant] => [mutant.name, mutant]))(
    'applies %s exactly once, and it is a program',
    (_name, mutant) => {
      for (const [file, text] of patchedFiles(root, mutant)) {
        const { diagnostics } = ts.transpileModule(text, { fileName: file, reportDiagnostics: true });
        expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([]);
      }
    },
  );

  it('names tests and models that exist', () => {
    const killers = mutants.flatMap((mutant) => mutant.killers);
    const files = killers.flatMap((killer) => (killer.by === 'unit' ? killer.files : []));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const names = killers.flatMap((killer) => (killer.by === 'model' ? [killer.name] : []));
    expect(names.filter((name) => !models.some((model) => model.name === name))).toEqual([]);
  });
});

describe('a patch', () => {
  const file = 'some.ts';

  it('is applied where its text stands once, letter by letter', () => {
    expect(applyPatch('a + b', { file, find: '+ b', replace: '- $& b' })).toBe('a - $& b');
  });

  it.each([
    ['no place', 'a + b', '- b', '+ b'],
    ['two places', 'b + b', 'b', 'c'],
    ['nothing to change', 'a + b', '+', '+'],
  ])('is refused with %s', (_why, text, find, replace) => {
    expect(() => applyPatch(text, { file, find, replace })).toThrow(`a patch of ${file}`);
  });
});
