/** A group with a large lock table: what no step may stand still for. */
import { GroupState } from '../../src/group/group-state.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { entryKind, sessionKeyOf } from '../../src/session/command.ts';
import { maxSessionTtlMs } from './carried.ts';

/** Every lock is held by one session and awaited by another, each with a value of some length; the answers are all remembered. */
export function largeState(locks: number, sessions: number, value = 'a value that says something'): GroupState {
  const state = new GroupState({ maxSessionTtlMs });
  const put = (
    ...entries: Parameters<GroupState['apply']>[1] extends readonly [number, infer E] | null ? E & readonly unknown[] : never
  ): void => {
    state.apply(state.appliedIndex + 1, [1_000, entries]);
  };
  put([entryKind.begin, 's'], [entryKind.openGroup, 's', 1]);
  const keys = Array.from({ length: sessions }, (_, at) => {
    put([entryKind.openSession, `nonce ${at}`, `node-${at}`, `node-${at}.1`, 10_000, 0]);
    return sessionKeyOf(state.appliedIndex, 0);
  });
  const opsOf = new Map<number, LockOp[]>(keys.map((key) => [key, []]));
  for (let lock = 0; lock < 2 * locks; lock += 1) {
    const ops = opsOf.get(keys[Math.floor(lock / 2 + (lock % 2)) % sessions] ?? 0);
    ops?.push([1, ops.length + 1, `l/some lock ${Math.floor(lock / 2)}`, 0, 0, value]);
  }
  for (const [key, ops] of opsOf) put([entryKind.use, key, 0, ops]);
  return state;
}
