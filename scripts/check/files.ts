/** The rules for files, applied to what git knows of or would add. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkFile } from './file-rules.ts';

const root = resolve(__dirname, '..', '..');
const textual = /\.(?:ts|js|mjs|cjs|json|md|ya?ml|sh)$|(?:^|\/)(?:run|LICENSE|\.gitignore|\.prettierrc)$/;

export function checkFilesOnDisk(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  const files = listed.split('\0').filter((file) => textual.test(file) && existsSync(join(root, file)));
  return files.flatMap((file) => checkFile(file, readFileSync(join(root, file), 'utf8'))).map(({ file, message }) => `${file} ${message}`);
}
