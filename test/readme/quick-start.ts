/** The quick start run as a reader would: three processes, each under its own name, until told to stop. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Statement {
  readonly sql: string;
  readonly values: readonly [number, string, number];
}

/** What each of the three wrote. All of them have ended in good order when this resolves. */
export async function runQuickStart(file: string, env: Readonly<Record<string, string>>): Promise<readonly Statement[]> {
  const processes = ['billing-0', 'billing-1', 'billing-2'].map((name) =>
    fork(join(__dirname, file), {
      env: { ...process.env, ...env, POD_NAME: name },
      execArgv: ['-C', 'quorate-source', '-r', 'ts-node/register'],
    }),
  );
  try {
    const wrote = processes.map(async (child) => {
      const ended = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`it ended with ${signal ?? code}`)));
      const [statement] = (await Promise.race([once(child, 'message'), ended])) as [Statement];
      return statement;
    });
    const statements = await Promise.all(wrote);
    const ends = processes.map((child) => once(child, 'exit'));
    for (const child of processes) child.kill('SIGTERM');
    const codes = (await Promise.all(ends)).map(([code]) => code as number | null);
    if (codes.some((code) => code !== 0)) throw new Error(`the processes ended with ${codes.join(', ')}`);
    return statements;
  } finally {
    for (const child of processes) child.kill('SIGKILL');
  }
}
