/** The models of partitions, and what is planted into them. */
import type { Model } from '../checker/model.ts';
import { lateRelease, oneLeader, twoLeaders } from './worlds.ts';

export { planted } from './planted.ts';

export const models: readonly Model<unknown>[] = [oneLeader, twoLeaders, lateRelease];
