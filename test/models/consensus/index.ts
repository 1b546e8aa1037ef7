/** The models of consensus, and what is planted into them. */
import type { Model } from '../checker/model.ts';
import { CountFoundingModel } from './count-founding.ts';
import type { CountWorld } from './count-founding.ts';
import { FoundingModel } from './founding.ts';
import type { FoundingWorld } from './founding.ts';
import { LeaseModel } from './lease.ts';
import type { LeaseWorld } from './lease.ts';
import { LogModel } from './log.ts';
import type { LogWorld } from './log.ts';
import { NamesModel } from './names.ts';
import type { NamesWorld } from './names.ts';
import { RefoundingModel } from './refounding.ts';
import type { RefoundingWorld } from './refounding.ts';
import { StopSignModel } from './stop-sign.ts';
import type { StopSignWorld } from './stop-sign.ts';
import { StoreModel } from './store.ts';
import type { StoreWorld } from './store.ts';
import { SynodModel } from './synod.ts';
import type { SynodWorld } from './synod.ts';
import * as worlds from './worlds.ts';

export { planted } from './planted.ts';

const synod = (world: SynodWorld): Model<unknown> => new SynodModel(world);
const log = (world: LogWorld): Model<unknown> => new LogModel(world);
const lease = (world: LeaseWorld): Model<unknown> => new LeaseModel(world);
const stopSign = (world: StopSignWorld): Model<unknown> => new StopSignModel(world);
const countFounding = (world: CountWorld): Model<unknown> => new CountFoundingModel(world);
const names = (world: NamesWorld): Model<unknown> => new NamesModel(world);
const store = (world: StoreWorld): Model<unknown> => new StoreModel(world);
const founding = (world: FoundingWorld): Model<unknown> => new FoundingModel(world);

const refounding = (world: RefoundingWorld): Model<unknown> => new RefoundingModel(world);

export const models: readonly Model<unknown>[] = [
  ...[worlds.synod, worlds.synodWipe].map(synod),
  ...[worlds.logGaps, worlds.logRestart, worlds.logStranger, worlds.logCompaction].map(log),
  ...[worlds.lease, worlds.leaseRestart, worlds.leaseSuspended].map(lease),
  ...[worlds.stopSignGaps, worlds.stopSignVoid, worlds.swap].map(stopSign),
  ...[worlds.names].map(names),
  ...[worlds.store, worlds.storeForgotten].map(store),
  ...[worlds.founding, worlds.foundingLate].map(founding),
  ...[worlds.refoundingBesideOutsider, worlds.refoundingLate, worlds.refoundingZombie].map(refounding),
  ...[worlds.countFounding, worlds.countFoundingWipe, worlds.countFoundingDeath, worlds.countFoundingEnded].map(countFounding),
];
