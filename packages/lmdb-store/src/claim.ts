/** One process on a folder: who comes while another lives is told who that is; who comes after a death takes over, and only one does. */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import { databaseError } from './database.ts';
import type { Database } from './database.ts';
import { ownerKey } from './layout.ts';
import { buryRemains, isAlive, showLife } from './sign-of-life.ts';
import type { Owner } from './sign-of-life.ts';

export interface Claim {
  /** The version of the entry `owner`, on which every later write is conditional: never used by two claims. */
  readonly number: number;
  end(): Promise<void>;
}

/** Rejects with STORAGE_IN_USE, which names the process that has the folder, or with STORAGE_FAILED or STORAGE_CORRUPT. */
export async function claimFolder({ root }: Database, folder: string): Promise<Claim> {
  const life = await showLife(folder).catch((cause: unknown) => {
    throw new QuorateError('STORAGE_FAILED', `The folder ${folder} cannot hold a socket.`, { cause });
  });
  try {
    for (;;) {
      const seen = root.getEntry(ownerKey);
      const before = seen && (JSON.parse(seen.value.toString()) as Owner);
      if (before && (await isAlive(before))) throw inUse(folder, before);
      const number = (seen?.version ?? 0) + 1;
      // Of several that found the same process dead, the first to write has it; the others look again, and find that one alive.
      const isOurs = root.transactionSync(() => {
        if ((root.getEntry(ownerKey)?.version ?? 0) !== (seen?.version ?? 0)) return false;
        void root.put(ownerKey, Buffer.from(JSON.stringify(life.owner)), number);
        return true;
      });
      if (!isOurs) continue;
      if (before) buryRemains(before);
      return { number, end: () => life.end() };
    }
  } catch (error) {
    await life.end();
    throw isQuorateError(error) ? error : databaseError(folder, error);
  }
}

function inUse(folder: string, { pid, host, since }: Owner): QuorateError {
  return new QuorateError('STORAGE_IN_USE', `Process ${pid} on ${host} has had ${folder} since ${since}.`, {
    details: { pid, host, since, path: folder },
  });
}
