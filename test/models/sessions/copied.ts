/** Copies of machines that keep no snapshot of themselves, and the text of what is in them: a step must not change the state it leaves. */
import { HeldLease } from '../../../packages/core/src/paxos/lease.ts';
import { GroupState } from '../../../packages/core/src/group/group-state.ts';

/** All that a machine refers to is copied, but functions, the group's state (shared between equal logs) and `constants`. */
export function copied<Machine extends object>(machine: Machine, constants: ReadonlySet<object>): Machine {
  return copyOf(machine, constants) as Machine;
}

function copyOf(value: unknown, constants: ReadonlySet<object>): unknown {
  if (typeof value !== 'object' || value === null || value instanceof GroupState || constants.has(value)) return value;
  if (Array.isArray(value)) return value.map((item) => copyOf(item, constants));
  if (value instanceof Set) return new Set(Array.from(value, (item) => copyOf(item, constants)));
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, copyOf(item, constants)]));
  const twin = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
  for (const [name, field] of Object.entries(value)) twin[name] = copyOf(field, constants);
  return twin;
}

/** Equal for machines that will do the same, given the same constants and the same group's state. */
export function textOf(machine: unknown, constants: ReadonlySet<object>): string {
  return JSON.stringify(machine, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof GroupState || constants.has(value)) return undefined;
    // Of heartbeats that were answered only the newest counts; one that was not is known to the world.
    if (value instanceof HeldLease) return value.majorityAnsweredMs();
    if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
    return value instanceof Set ? [...(value as ReadonlySet<unknown>)] : value;
  });
}
