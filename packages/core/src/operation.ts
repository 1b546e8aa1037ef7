/** What a session may ask for and watch, whichever machine it is for. */
import type { LockOp, LockResult, LockState } from './lock/command.ts';
import { partitionWatch, phase } from './partition/command.ts';
import type { PartitionOp, PartitionsState } from './partition/command.ts';

export type Operation = LockOp | PartitionOp;
/** Results of partitions are among those of locks: they share one tuple and one numbering. */
export type OperationResult = LockResult;
export type WatchedState = LockState | PartitionsState;

export function isPartitionResource(resource: string): boolean {
  return resource.startsWith(partitionWatch.all) || resource.startsWith(partitionWatch.own);
}

export function isPartitionsState(state: WatchedState): state is PartitionsState {
  return isPartitionResource(state.resource);
}

/** The tokens of what the watcher owns and has not been told to give up for good. */
export function tokensOwned(state: WatchedState): readonly number[] {
  if (!isPartitionsState(state) || !state.resource.startsWith(partitionWatch.own)) return [];
  return state.rows.flatMap(([, standing, , token]) => (token === 0 || standing === phase.overrun ? [] : [token]));
}
