/** What a build knows of versions: the grammars that it reads and writes, and the level of each command. `docs/protocol.md`, "Versions". */
import { presentDialects } from '../codec/frame-codec.ts';
import type { Dialects, Speech } from '../codec/frame-codec.ts';
import { invariant } from '../errors.ts';
import { presentLevels } from '../group/feature-level.ts';
import type { FeatureLevels } from '../group/feature-level.ts';

export interface Versions {
  /** One for each version that the build can: its newest, and the one before. */
  readonly dialects: Dialects;
  readonly levels: FeatureLevels;
}

export const presentVersions: Versions = { dialects: presentDialects, levels: presentLevels };

/** How a process of this build says something in that version. */
export function speechOf({ dialects, levels }: Versions = presentVersions, version: number): Speech {
  const dialect = dialects.get(version);
  invariant(dialect !== undefined, 'a member speaks only what its build can');
  return { version, newest: levels.newest, dialect };
}
