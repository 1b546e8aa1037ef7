/**
 * At which feature level each command joined the log. A group's level is raised by a chosen entry once all can it, and until then
 * a command of a later one is void on every replica: one of an earlier version would pass over it. `docs/protocol.md`, "Versions".
 */
import type { Operation } from '../operation.ts';
import type { Entry } from '../session/command.ts';
import { presentVersion } from '../version.ts';

export interface FeatureLevels {
  /** The newest level that this build can. */
  readonly newest: number;
  readonly ofEntry: (entry: Entry<Operation>) => number;
  readonly ofOp: (op: Operation) => number;
}

/** Every command of today is of the first level. A later one gets its level here, together with its arm in the group's state. */
export const presentLevels: FeatureLevels = { newest: presentVersion, ofEntry: () => 1, ofOp: () => 1 };
