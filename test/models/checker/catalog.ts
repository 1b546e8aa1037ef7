/** Every model and every planted variant there is. */
import * as consensus from '../consensus/index.ts';
import * as partitions from '../partitions/index.ts';
import * as sessions from '../sessions/index.ts';
import type { Model, Planted } from './model.ts';

export const models: readonly Model<unknown>[] = [...consensus.models, ...sessions.models, ...partitions.models];

export const planted: readonly Planted[] = [...consensus.planted, ...sessions.planted, ...partitions.planted];
