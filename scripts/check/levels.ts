/** The import levels of the packages as they stand on disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { checkLevels } from './level-rules.ts';

const root = resolve(__dirname, '..', '..');

export function checkLevelsOnDisk(): string[] {
  return checkLevels(packageSources()).map(({ file, line, rule, message }) => `${file}:${line} [${rule}] ${message}`);
}

/** Every source file of every package, by its path from the top of the project. */
export function packageSources(): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(join(root, 'packages'))) {
    for (const file of filesBelow(join(root, 'packages', name, 'src'))) {
      files.set(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8'));
    }
  }
  return files;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
