/** Runs one of the installed tools and takes what it says as the faults it found. */
import { spawn } from 'node:child_process';
import { delimiter, join, resolve } from 'node:path';

export const root = resolve(__dirname, '..', '..');

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

/** Nothing when the tool is content, otherwise everything it printed. */
export async function runTool(name: string, args: readonly string[], options: ToolOptions = {}): Promise<readonly string[]> {
  const { code, output } = await capture(name, args, options);
  return code === 0 ? [] : [output.trim() || `${name} ended with code ${code}`];
}

export function capture(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  return new Promise((done, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, PATH: path, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => done({ code: code ?? 1, stdout, output }));
  });
}
