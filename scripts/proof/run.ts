/** Runs one proving command as a process, shows what it prints, and gives back its last line. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { ProofCommand, Shown } from './commands.ts';

const root = resolve(__dirname, '..', '..');
const graceMs = 15_000;

/** Null where nothing was shown, or the time was over first. */
export function runProof({ args }: ProofCommand, limitMs: number): Promise<Shown | null> {
  const [script = '', ...rest] = args;
  const program = join(root, 'scripts', script, 'main.ts');
  return new Promise((done, reject) => {
    // A process group of its own, so that what it started ends with it where it must be ended.
    const child = spawn(process.execPath, ['-C', 'quorate-source', '-r', 'ts-node/register', program, ...rest], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const end = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    };
    const soft = setTimeout(() => end('SIGTERM'), limitMs);
    const hard = setTimeout(() => end('SIGKILL'), limitMs + graceMs);
    let last = '';
    let unfinished = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      last = lines.findLast((line) => line.startsWith('{"')) ?? last;
    });
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(soft);
      clearTimeout(hard);
      done(last === '' ? null : (JSON.parse(last) as Shown));
    });
  });
}
