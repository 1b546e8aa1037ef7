/** A copy of the project in a folder of its own, in which mutants live: sources and tests are copied, what was installed is linked. */
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';

const root = resolve(__dirname, '..', '..');

const folders = ['test', 'scripts'];
const files = ['package.json', 'pnpm-workspace.yaml', 'jest.config.js', 'tsconfig.json', 'tsconfig.base.json'];
const packageParts = ['src', 'test', 'package.json', 'tsconfig.json'];

/** No brokers are started, nothing but unit tests of packages is looked for, and what is transformed is forgotten with the copy. */
const jestConfig = `/** The unit tests of a working copy. */
const { projects, testTimeout } = require('./jest.config.js');
module.exports = {
  ...projects[0],
  displayName: undefined,
  roots: ['<rootDir>/packages'],
  cacheDirectory: '<rootDir>/.jest-cache',
  testTimeout,
};
`;
export const jestConfigFile = 'jest.mutants.config.js';

export interface WorkingCopy {
  readonly root: string;
  remove(): void;
}

export function makeWorkingCopy(): WorkingCopy {
  const copy = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));
  const take = (path: string): void => {
    const from = join(root, path);
    if (lstatSync(from, { throwIfNoEntry: false })) cpSync(from, join(copy, path), { recursive: true, filter: isWanted });
  };
  for (const path of [...folders, ...files]) take(path);
  for (const name of readdirSync(join(root, 'packages'))) {
    for (const part of packageParts) take(join('packages', name, part));
    linkInstalled(copy, join('packages', name, 'node_modules'));
  }
  mkdirSync(join(copy, 'node_modules'));
  // A link to the store as a whole; the links beside it stay relative, so that packages of this workspace are those of the copy.
  symlinkSync(join(root, 'node_modules', '.pnpm'), join(copy, 'node_modules', '.pnpm'));
  linkInstalled(copy, 'node_modules');
  writeFileSync(join(copy, jestConfigFile), jestConfig);
  return { root: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}

/** Every link of a `node_modules`, with the relative target that it has. */
function linkInstalled(copy: string, folder: string): void {
  const from = join(root, folder);
  if (!lstatSync(from, { throwIfNoEntry: false })) return;
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) linkInstalled(copy, path);
    if (!entry.isSymbolicLink()) continue;
    const target = readlinkSync(join(root, path));
    const isInside = !relative(root, resolve(root, folder, target)).startsWith('..');
    if (!isInside) throw new Error(`${path} leads out of the project, to ${target}`);
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    symlinkSync(target, join(copy, path));
  }
}

function isWanted(path: string): boolean {
  return !['node_modules', 'dist', '.cache'].includes(basename(path));
}
