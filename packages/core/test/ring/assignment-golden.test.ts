/**
 * The assignment as it was: replicas of different versions compute it from one log, so a result that changes splits a group while it is
 * upgraded. Change golden/assignment.json only together with a version of the command that asks for it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assign } from '../../src/ring/assignment.ts';
import type { AssignmentMember } from '../../src/ring/assignment.ts';

interface GoldenCase {
  readonly title: string;
  readonly count: number;
  readonly members: readonly AssignmentMember[];
  readonly current: readonly (string | null)[];
  readonly pins?: readonly (readonly [number, string])[];
  readonly refused?: readonly (readonly [number, readonly string[]])[];
  readonly set?: string;
  readonly owners: readonly (string | null)[];
}

const cases = JSON.parse(readFileSync(join(__dirname, 'golden', 'assignment.json'), 'utf8')) as readonly GoldenCase[];

it.each(cases)('assigns as it always did: $title', ({ count, members, current, pins = [], refused = [], set, owners }) => {
  const assigned = assign({
    count,
    members,
    current: current.map((owner) => owner ?? undefined),
    pins: new Map(pins),
    refused: new Map(refused.map(([partition, who]) => [partition, new Set(who)])),
    ...(set === undefined ? {} : { set }),
  });
  expect(assigned.map((owner) => owner ?? null)).toEqual(owners);
});
