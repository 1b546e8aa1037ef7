/**
 * Versions of the protocol: which one this build is, and which it gets on with. `docs/protocol.md`, "Versions";
 * `docs/decisions/0015-versions.md`.
 */

/** The newest version that this build can. It rises with each release that says or stores something that an earlier one does not know. */
export const presentVersion = 1;

/** What a build can: its newest version and the one before, so that a group is upgraded a version at a time while it works. */
export interface VersionRange {
  readonly least: number;
  readonly newest: number;
}

export function versionsUpTo(newest: number): VersionRange {
  return { least: Math.max(1, newest - 1), newest };
}

export function isWithin({ least, newest }: VersionRange, version: number): boolean {
  return version >= least && version <= newest;
}

/** What the envelope of a frame says: the version that it is written in, and the newest that its sender can. */
export interface SaidVersions {
  readonly version: number;
  readonly newest: number;
}

/** Both sides and what to do, in words. */
export function versionGapText(node: string, theirs: SaidVersions, ours: VersionRange): string {
  const here = ours.least === ours.newest ? `version ${ours.newest}` : `the versions ${ours.least} and ${ours.newest}`;
  const met = `${node} speaks version ${theirs.version} of the protocol and can up to ${theirs.newest}; this process can ${here}.`;
  if (theirs.version > ours.newest) return `${met} Upgrade this process, one version at a time.`;
  if (theirs.newest < ours.least) return `${met} Upgrade ${node} and all of its version first, one version at a time.`;
  return `${met} The group speaks the earlier version for as long as a process in it can no later one: upgrade those first.`;
}
