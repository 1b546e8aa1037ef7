/** The process of one job: ranges come as messages, results go back as messages, and it ends with its parent. */
import { liveRange } from './job.ts';
import type { Range } from './job.ts';

// Errors are made by the thousand here, and where they were made is of no use.
Error.stackTraceLimit = 0;

process.on('message', (range: Range) => {
  liveRange(range).then(
    (result) => process.send?.({ type: 'result', result }),
    (error: unknown) => process.send?.({ type: 'error', range, message: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
