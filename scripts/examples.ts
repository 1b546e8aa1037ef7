/**
 * `pnpm examples [name …] [--json]`: runs every example, or those whose names contain one of the words, in order against one real
 * NATS and one real Kafka, and compares what it prints with its `expected.txt`. Exit code 1 if any differs.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { kafkaBroker, natsBroker } from './brokers/index.ts';
import type { KafkaBroker, NatsBroker } from './brokers/index.ts';
import { differenceFrom } from './examples/expected-lines.ts';
import { printJson, program } from './program.ts';

interface ExampleResult {
  readonly example: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly difference: string | null;
}

const folder = resolve(__dirname, '..', 'examples');
const deadlineMs = 90_000;
const stderrKeptChars = 4_000;

program(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
  const names = examples().filter((name) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
  if (names.length === 0) throw new Error(`no example is called like ${positionals.join(' or ')}; there are ${examples().join(', ')}`);
  const { nats, kafka } = await startBrokers();
  const results: ExampleResult[] = [];
  try {
    const env = { ...process.env, QUORATE_NATS_URL: nats.url, QUORATE_KAFKA_BROKERS: kafka.brokers.join() };
    for (const name of names) results.push(await runExample(name, env));
  } finally {
    await Promise.all([nats.close(), kafka.close()]);
  }
  console.log(table(results));
  const ok = results.every((result) => result.ok);
  if (values.json) printJson({ ok, command: 'examples', nats: nats.version, kafka: kafka.version, examples: results });
  if (!ok) process.exitCode = 1;
});

/** In order of their numbers. */
function examples(): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'main.ts')))
    .sort();
}

/** Both or none: what one of them started must not stay when the other cannot be had. */
async function startBrokers(): Promise<{ readonly nats: NatsBroker; readonly kafka: KafkaBroker }> {
  // An example shows a service's own way to connect, which takes no user out of a URL: such a server is passed over.
  const own = process.env['QUORATE_NATS_URL']?.includes('@');
  const [nats, kafka] = await Promise.allSettled([natsBroker({ own }), kafkaBroker()]);
  if (nats.status === 'fulfilled' && kafka.status === 'fulfilled') return { nats: nats.value, kafka: kafka.value };
  if (nats.status === 'fulfilled') await nats.value.close();
  if (kafka.status === 'fulfilled') await kafka.value.close();
  throw nats.status === 'rejected' ? nats.reason : (kafka as PromiseRejectedResult).reason;
}

async function runExample(example: string, env: NodeJS.ProcessEnv): Promise<ExampleResult> {
  console.log(`\n${example}`);
  const startedMs = performance.now();
  const { printed, complaint } = await run(join(folder, example), env);
  const expectation = readFileSync(join(folder, example, 'expected.txt'), 'utf8');
  const difference = complaint ?? differenceFrom(expectation, printed);
  if (difference !== null) console.log(`  DIFFERS: ${difference}`);
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  return { example, ok: difference === null, seconds, difference };
}

/** Ends the process group of an example: its pods must not outlive it. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it is gone already.
  }
}

async function run(cwd: string, env: NodeJS.ProcessEnv): Promise<{ readonly printed: string; readonly complaint: string | null }> {
  const args = ['-C', 'quorate-source', '-r', 'ts-node/register', 'main.ts'];
  const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const onInterrupt = (): void => {
    endGroup(child);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt);
  let printed = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    process.stdout.write(text.replace(/^(?=.)/gm, '  '));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-stderrKeptChars)));
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    endGroup(child);
  }, deadlineMs);
  try {
    // Pods hold the pipes too: all of them are gone when these close.
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (isLate) return { printed, complaint: `it was not over after ${deadlineMs / 1_000} s\n${stderr}` };
    return { printed, complaint: code === 0 ? null : `it ended with ${signal ?? `code ${code}`}\n${stderr}` };
  } finally {
    clearTimeout(deadline);
    endGroup(child);
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
  }
}

function table(results: readonly ExampleResult[]): string {
  const width = Math.max(...results.map(({ example }) => example.length));
  const rows = results.map(
    ({ example, ok, seconds }) => `${example.padEnd(width)}  ${ok ? 'as expected' : 'DIFFERS    '}  ${seconds.toFixed(1).padStart(5)} s`,
  );
  const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
  const good = results.filter(({ ok }) => ok).length;
  return ['', ...rows, `${good} of ${results.length} as expected in ${total.toFixed(1)} s`].join('\n');
}
