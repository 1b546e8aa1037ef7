/** What watchers of locks and partitions are told: everything at first, then what a slot changed. */
import { isPartitionResource } from '../operation.ts';
import type { OperationResult, WatchedState } from '../operation.ts';
import { partitionWatch } from '../partition/command.ts';
import { changedOwnState, changedState, isOwnWatch, partsOf, setWatched, wholeState } from '../partition/partition-state.ts';
import type { Watcher } from '../partition/partition-state.ts';
import type { SessionView } from '../session/session-steward.ts';
import type { Applied } from './group-applied.ts';
import type { GroupState } from './group-state.ts';

/** A row of a partition takes no more bytes, without and with a note. */
const rowBytesMost = { all: 560, own: 1_100 } as const;

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
      return !isForAll ? [] : share(resource, () => partsOf(changedState(set, changes, watcherOf(state, resource, node)), rows));
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

function watcherOf(state: GroupState, resource: string, node: string): Watcher {
  return { resource, session: state.sessionOfNode(node) ?? 0, slot: state.appliedIndex };
}

function rowsMax(resource: string, bytesMax: number): number {
  return Math.max(1, Math.floor(bytesMax / 2 / (isOwnWatch(resource) ? rowBytesMost.own : rowBytesMost.all)));
}
