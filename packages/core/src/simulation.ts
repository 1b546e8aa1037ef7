/** The door to the deterministic simulation: your own handlers under faults of every kind, one seed after another. */
export { simulate } from './simulation/simulate.ts';
export type { SimulatedNode, SimulateOptions, SimulationFailure, SimulationReport } from './simulation/simulate.ts';
export { drawCircumstances } from './simulation/circumstances.ts';
export type * from './simulation/circumstances.ts';
export type { HandlerKind, OwningPlan } from './simulation/owning-plan.ts';
export { liveOwnLife } from './simulation/own-life.ts';
export type { LifeResult } from './simulation/life.ts';
export { everyMark, markMeanings } from './simulation/marks.ts';
export type { Mark } from './simulation/marks.ts';
export { BrokenPromise } from './simulation/observer.ts';
export { reduce, shrink } from './simulation/shrink.ts';
export type { Reduction, Shrunk } from './simulation/shrink.ts';
export { QuorateError } from './errors.ts';
