/** The arbiter in memory against the conformance suite. */
import { arbiterConformance } from '../../src/arbiter/conformance.ts';
import { MemoryArbiter } from '../../src/arbiter/memory.ts';

describe('the arbiter in memory', () => {
  const subject = {
    place: () => {
      const log = new MemoryArbiter();
      return Promise.resolve({ open: () => log.open() });
    },
  };
  for (const { name, run } of arbiterConformance(subject)) test(name, run);
});
