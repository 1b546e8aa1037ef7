/** A patch on a text: applied only where what it replaces stands exactly once, so that a catalogue cannot rot unseen. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant, Patch } from '../../test/mutants/mutant.ts';

/** Throws where the text to replace is missing, ambiguous, or replaced by itself. */
export function applyPatch(text: string, { file, find, replace }: Patch): string {
  const places = text.split(find).length - 1;
  if (find === '' || places !== 1) throw new Error(`a patch of ${file} matches at ${places} places instead of one: ${find}`);
  if (find === replace) throw new Error(`a patch of ${file} changes nothing: ${find}`);
  return text.replace(find, () => replace);
}

/** The files that a mutant changes, as it would have them. Patches of one file apply one after the other. */
export function patchedFiles(root: string, { name, patches }: Mutant): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const patch of patches) {
    const text = texts.get(patch.file) ?? readFileSync(join(root, patch.file), 'utf8');
    try {
      texts.set(patch.file, applyPatch(text, patch));
    } catch (cause) {
      throw new Error(`The mutant "${name}" does not apply: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  return texts;
}

/** Runs `work` while the mutant's patches are in place, and puts back what was there before. */
export async function whileMutated<T>(root: string, mutant: Mutant, work: () => Promise<T>): Promise<T> {
  const texts = patchedFiles(root, mutant);
  const before = new Map([...texts.keys()].map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  try {
    for (const [file, text] of texts) writeFileSync(join(root, file), text);
    return await work();
  } finally {
    for (const [file, text] of before) writeFileSync(join(root, file), text);
  }
}
