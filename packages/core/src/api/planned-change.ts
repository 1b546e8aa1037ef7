/** A change of a set that is planned for, read as the steps that it stands for: what cannot be is refused before anybody is asked. */
import { QuorateError } from '../errors.ts';
import { placing } from '../partition/command.ts';
import { checkName } from './names.ts';
import { checkCount, checkPartition, checkWeight } from './partition-options.ts';
import { isRecord } from '../record.ts';
import { shown } from '../shown.ts';

export type PlannedStep =
  | { readonly type: 'resize'; readonly count: number }
  | { readonly type: 'leave'; readonly node: string }
  | { readonly type: 'join' | 'weigh'; readonly node: string; readonly weight: number }
  | { readonly type: 'place'; readonly node: string; readonly placing: number }
  /** The empty name unpins. */
  | { readonly type: 'pin'; readonly partition: number; readonly node: string };

/** In the order in which they are made. Throws `INVALID_OPTIONS` and `INVALID_NAME`; also where two of them contradict each other. */
export function stepsOf(set: string, change: unknown): readonly PlannedStep[] {
  const asked = fieldsOf('The change', change);
  const list = <T>(name: string, read: (item: unknown) => T): T[] => itemsOf(name, asked[name]).map(read);
  const node = (value: unknown): string => checkName('node', value);
  const weighed = (type: 'join' | 'weigh', value: unknown): PlannedStep => {
    const one = typeof value === 'string' ? { node: value } : fieldsOf(`An item of \`${type}\``, value);
    return { type, node: node(one.node), weight: checkWeight('weight' in one || type === 'weigh' ? one.weight : 1) };
  };
  const pin = (value: unknown): PlannedStep => {
    const one = fieldsOf('An item of `pin`', value);
    return { type: 'pin', partition: checkPartition(set, one.partition), node: node(one.node) };
  };
  const place =
    (how: number) =>
    (value: unknown): PlannedStep => ({ type: 'place', node: node(value), placing: how });

  const size: PlannedStep[] = asked.count === undefined ? [] : [{ type: 'resize', count: checkCount(asked.count) }];
  const part = [
    ...list('leave', (value): PlannedStep => ({ type: 'leave', node: node(value) })),
    ...list('join', (value) => weighed('join', value)),
    ...list('weigh', (value) => weighed('weigh', value)),
  ];
  const places = [
    ...list('include', place(placing.usual)),
    ...list('exclude', place(placing.excluded)),
    ...list('drain', place(placing.drained)),
  ];
  const pins = [
    ...list('unpin', (value): PlannedStep => ({ type: 'pin', partition: checkPartition(set, value), node: '' })),
    ...list('pin', pin),
  ];
  for (const steps of [part, places, pins]) checkOnce(steps);
  return [...size, ...part, ...places, ...pins];
}

function fieldsOf(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw new QuorateError('INVALID_OPTIONS', `${what} is ${shown(value)}, not an object with its fields.`);
}

/** A text would be a list of its letters. */
function itemsOf(name: string, value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${shown(value)}; it must be a list.`);
}

function checkOnce(steps: readonly PlannedStep[]): void {
  const seen = new Set<string>();
  for (const step of steps) {
    const what = step.type === 'pin' ? `partition ${step.partition}` : 'node' in step ? `"${step.node}"` : step.type;
    if (seen.has(what)) throw new QuorateError('INVALID_OPTIONS', `The change says two things of ${what}.`);
    seen.add(what);
  }
}
