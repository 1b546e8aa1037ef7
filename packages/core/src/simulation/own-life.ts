/** The life that Quorate itself is checked with: its own workload, under everything that can go wrong. */
import type { Quorate } from '../api/quorate.ts';
import type { Circumstances } from './circumstances.ts';
import { Handovers } from './handovers.ts';
import { liveOnce } from './life.ts';
import type { LifeResult } from './life.ts';
import { operate } from './operator.ts';
import { useSets } from './set-user.ts';
import { GuardedStore, workload } from './workload.ts';
import type { SimulatedProcess } from './world.ts';

export function liveOwnLife(circumstances: Circumstances, hasStory = false): Promise<LifeResult> {
  return liveOnce({
    circumstances,
    hasStory,
    program: (world) => {
      const store = new GuardedStore(world);
      const useLocks = workload(world, store);
      const { owning, standing } = circumstances;
      const operateIn = (process: SimulatedProcess, quorate: Quorate): Promise<void> =>
        standing ? operate(world, standing, process, quorate) : Promise.resolve();
      if (!owning) return async (process, quorate) => void (await Promise.all([useLocks(process, quorate), operateIn(process, quorate)]));
      const handovers = new Handovers(world, owning);
      world.explains(() => `partitions: ${handovers.whatIsWrong() ?? 'right'}`);
      return async (process, quorate) => {
        await Promise.all([useLocks(process, quorate), operateIn(process, quorate), useSets(world, handovers, owning, process, quorate)]);
      };
    },
  });
}
