/** How much of the disk a folder takes: blocks and not lengths, for the files of databases have holes. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const blockBytes = 512;

export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const name of readable(() => readdirSync(folder)) ?? []) {
    const path = join(folder, name);
    const stats = readable(() => lstatSync(path));
    if (stats) bytes += stats.isDirectory() ? folderBytes(path) : stats.blocks * blockBytes;
  }
  return bytes;
}

/** Whoever writes there removes files meanwhile. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
