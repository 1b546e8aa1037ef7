/** The in-memory transport against the conformance suite. */
import { transportConformance } from '../../src/transport/conformance.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { memoryBus } from '../../src/transport/memory-bus.ts';

describe('the in-memory transport', () => {
  const bus = memoryBus();
  const interruption = { begin: async () => bus.down(), end: async () => bus.up() };
  const connect = async () => ({ transport: memoryTransport({ bus }) });
  for (const { name, run } of transportConformance({ connect, interruption })) test(name, run);
});

describe('the in-memory transport on a bus of its own', () => {
  const connect = async () => {
    const bus = memoryBus();
    return { transport: memoryTransport({ bus }), close: async () => bus.close() };
  };
  const cases = transportConformance({ connect, canCloseConnection: true });
  const { name, run } = cases[cases.length - 1]!;
  test(name, run);
});
