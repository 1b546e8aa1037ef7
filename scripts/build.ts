/** `pnpm build [--json]`: every package, CommonJS and ES modules with their types, into its `dist`. */
import { printJson, program } from './program.ts';
import { buildPackages } from './check/packages.ts';

program(async () => {
  const startedMs = performance.now();
  const built = await buildPackages();
  const seconds = Math.round(performance.now() - startedMs) / 1_000;
  for (const name of built) console.log(`built ${name}`);
  if (process.argv.includes('--json')) printJson({ ok: true, command: 'build', packages: built, seconds });
});
