/** How a process goes that is told to by SIGTERM, as a service in a pod does: no new work, and what it has is given back before it ends. */

/** What a pod of example 15 gives `close`. */
export const closeTimeoutMs = 20_000;

/** `goInOrder` has so many milliseconds for `close`. The exit code says whether it went well, and stderr why not. */
export function goOnSigterm(goInOrder: (timeoutMs: number) => Promise<void>): void {
  process.once('SIGTERM', () => {
    goInOrder(closeTimeoutMs).then(
      () => process.exit(),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
