/** How every command of the project ends: exit code 1 after a failure and, with `--json`, one JSON object as the last line either way. */

export function program(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    console.error(message);
    if (process.argv.includes('--json')) printJson({ ok: false, error: message });
    process.exitCode = 1;
  });
}

export function printJson(summary: object): void {
  console.log(JSON.stringify(summary));
}
