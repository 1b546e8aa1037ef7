/** A group of one in memory, for laptops and unit tests of what uses Quorate. */
import { memoryTransport } from '../transport/memory.ts';
import { join } from './join.ts';
import type { JoinOptions } from './join-options.ts';
import type { Quorate } from './quorate.ts';

/** All that `join` takes, except what makes it solo. */
export type SoloOptions = Partial<Omit<JoinOptions, 'voters' | 'transport' | 'firstFounding'>>;

/** A node that has nobody to wait for may decide fast; its TTL is long, so that a debugger at a breakpoint costs no lease. */
export const soloTiming = { heartbeatMs: 5, electionTimeoutMs: 10, sessionTtlMs: 60_000 } as const;

/** One voter alone, open in a few milliseconds: everything works as in a real group, and nothing is shared with other processes. */
export function soloQuorate(options: SoloOptions = {}): Promise<Quorate> {
  const node = options.node ?? 'solo';
  const transport = memoryTransport({ timing: soloTiming });
  return join({ group: 'solo', ...options, node, voters: [node], transport, firstFounding: true });
}
