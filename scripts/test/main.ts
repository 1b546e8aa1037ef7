/** `pnpm test [jest arguments] [--json]`: every test, unit and whole-system, and at the end what ran and on which brokers. */
import { printJson, program } from '../program.ts';
import { describeRun, runJest } from './run-jest.ts';

program(async () => {
  const args = process.argv.slice(2).filter((argument) => argument !== '--json' && argument !== '--');
  const run = await runJest(args);
  console.log(describeRun(run));
  if (process.argv.includes('--json')) printJson({ command: 'test', ...run });
  if (!run.ok) process.exitCode = 1;
});
