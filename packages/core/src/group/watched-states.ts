/** What watchers of locks and partitions are told: everything at first, then what a slot changed. */
import { isPartitionResource } from '../operation.ts';
import type { OperationResult, WatchedState } from '../operation.ts';
import { partitionWatch } from '../partition/command.ts';
import type { PartitionsState } from '../partition/command.ts';
import type { SetChanges } from '../partition/partition-changes.ts';
import type { PartitionSet } from '../partition/partition-set.ts';
import { changedOwnState, changedState, isOwnWatch, partsOf, setWatched, wholeState } from '../partition/partition-state.ts';
import type { Watcher } from '../partition/partition-state.ts';
import type { SessionView } from '../session/session-steward.ts';
import type { Applied } from './group-applied.ts';
import type { GroupState } from './group-state.ts';

/** A row of a partition takes no more bytes, without and with a note. The name of a node takes less than half of the first. */
const rowBytesMost = { all: 560, own: 1_600 } as const;
/** So many rows have room in the least frame: one and a node that refused it. */
const rowsLeast = { all: 2, own: 1 } as const;

/** Everything there is to tell the node of a resource; a large set in parts, each with room in a frame. */
function statesOf(state: GroupState, resource: string, node: string, bytesMax: number): readonly WatchedState[] {
  if (!isPartitionResource(resource)) return [state.lockState(resource)];
  const whole = wholeState(state.tables.partitions.set(setWatched(resource)), watcherOf(state, resource, node));
  return partsOf(whole, rowsMax(resource, bytesMax));
}

/** The resources whose watchers have news of a slot. */
export function* changedResources({ changed, partitions }: Applied): Iterable<string> {
  yield* changed;
  for (const name of partitions.keys()) {
    yield partitionWatch.all + name;
    yield partitionWatch.own + name;
  }
}

/** The news of a slot for each watcher of a resource; the state of what all see alike is made once. */
export function newsOf(state: GroupState, applied: Applied, bytesMax: number): (resource: string, node: string) => readonly WatchedState[] {
  const shared = new Map<string, readonly WatchedState[]>();
  const share = (resource: string, make: () => readonly WatchedState[]): readonly WatchedState[] => {
    const known = shared.get(resource) ?? make();
    shared.set(resource, known);
    return known;
  };
  return (resource, node) => {
    if (!isPartitionResource(resource)) return share(resource, () => [state.lockState(resource)]);
    const name = setWatched(resource);
    const set = state.tables.partitions.set(name);
    const changes = applied.partitions.get(name);
    if (set === undefined || changes === undefined) return [];
    const rows = rowsMax(resource, bytesMax);
    const isForAll = changes.membersChanged || changes.countChanged || changes.partitions.size > 0;
    if (!isOwnWatch(resource))
      return !isForAll ? [] : share(resource, () => changedParts(set, changes, watcherOf(state, resource, node), rows));
    const own = changedOwnState(set, changes, node, watcherOf(state, resource, node));
    return own === null ? [] : partsOf(own, rows);
  };
}

/** What a leader's steward reads of the state. */
export function sessionViewOf(state: GroupState, bytesMax: () => number): SessionView<OperationResult, WatchedState> {
  return {
    sessions: () => state.sessions(),
    session: (key) => state.session(key),
    isEnded: (key) => state.isEnded(key),
    lookup: (key, seq) => state.lookup(key, seq),
    statesOf: (resource, node) => statesOf(state, resource, node, bytesMax()),
    coveredTokens: (key) => state.coveredTokens(key),
  };
}

/** Members that no part has room for are told with the whole set, of which nobody is shown half. */
function changedParts(set: PartitionSet, changes: SetChanges, watcher: Watcher, rowsMost: number): readonly PartitionsState[] {
  const parts = partsOf(changedState(set, changes, watcher), rowsMost);
  return parts[1]?.members ? partsOf(wholeState(set, watcher), rowsMost) : parts;
}

function watcherOf(state: GroupState, resource: string, node: string): Watcher {
  return { resource, session: state.sessionOfNode(node) ?? 0, slot: state.appliedIndex };
}

function rowsMax(resource: string, bytesMax: number): number {
  const kind = isOwnWatch(resource) ? 'own' : 'all';
  return Math.max(rowsLeast[kind], Math.floor(bytesMax / 2 / rowBytesMost[kind]));
}
