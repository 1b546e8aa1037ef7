/** What every run with a troupe stands on: the judge, a broker, the processes, the store they write to, and a folder. All of it goes with the run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChaosBroker } from './chaos-broker.ts';
import type { ChaosBroker } from './chaos-broker.ts';
import { buildChecker } from './checker.ts';
import type { Checker } from './checker.ts';
import { GuardedStore, serveStore } from './guarded-store.ts';
import type { Place } from './options.ts';
import { Troupe } from './troupe.ts';

export interface Stage {
  readonly checker: Checker;
  readonly broker: ChaosBroker;
  readonly troupe: Troupe;
  readonly store: GuardedStore;
  readonly storePort: number;
  /** For the parts of histories. */
  readonly folder: string;
  close(): Promise<void>;
}

/** `names` are those of the processes, where they are not the usual ones. */
export async function openStage({ broker: name, cluster }: Place, names?: readonly string[]): Promise<Stage> {
  // First, for it is the quickest to fail.
  const checker = await buildChecker();
  const folder = mkdtempSync(join(tmpdir(), 'quorate-chaos-'));
  const broker = await startChaosBroker(name, cluster);
  const troupe = await Troupe.open(broker, names);
  const store = new GuardedStore();
  const server = await serveStore(store);
  const close = async (): Promise<void> => {
    await troupe.close();
    server.close();
    await broker.close();
    checker.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { checker, broker, troupe, store, storePort: server.port, folder, close };
}
