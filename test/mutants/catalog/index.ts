/** Every mutant there is. */
import type { Mutant } from '../mutant.ts';
import { calls } from './calls.ts';
import { consumers } from './consumers.ts';
import { founding } from './founding.ts';
import { foundingByCount } from './founding-by-count.ts';
import { frames } from './frames.ts';
import { leases } from './leases.ts';
import { locks } from './locks.ts';
import { partitions } from './partitions.ts';
import { sessions } from './sessions.ts';
import { snapshots } from './snapshots.ts';
import { stopSigns } from './stop-signs.ts';
import { stores } from './stores.ts';
import { takeOver } from './take-over.ts';
import { versions } from './versions.ts';
import { votes } from './votes.ts';

export const mutants: readonly Mutant[] = [
  ...votes,
  ...takeOver,
  ...leases,
  ...sessions,
  ...locks,
  ...founding,
  ...foundingByCount,
  ...frames,
  ...calls,
  ...partitions,
  ...consumers,
  ...versions,
  ...stopSigns,
  ...snapshots,
  ...stores,
];
