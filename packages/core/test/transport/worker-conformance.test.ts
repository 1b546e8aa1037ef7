/** The worker transport against the conformance suite, every channel in this thread. */
import { randomUUID } from 'node:crypto';
import { transportConformance } from '../../src/transport/conformance.ts';
import { workerTransport } from '../../src/transport/worker.ts';

describe('the worker transport', () => {
  const channel = randomUUID();
  const connect = async () => ({ transport: workerTransport({ channel }) });
  for (const { name, run } of transportConformance({ connect })) test(name, run);
});
