/**
 * Builds of other versions, made from the present one: version `base` is today's grammar without hand-over notes written with a
 * lease, each later one has them and gives every message another code, so that no process can read a version that is not its own.
 */
import { Malformed } from '../../src/codec/fault.ts';
import { presentDialects } from '../../src/codec/frame-codec.ts';
import type { Dialect } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import type { FeatureLevels } from '../../src/group/feature-level.ts';
import { lockOp } from '../../src/lock/command.ts';
import type { Operation } from '../../src/operation.ts';
import { entryKind } from '../../src/session/command.ts';
import type { Batch } from '../../src/session/command.ts';
import type { Versions } from '../../src/runtime/versions.ts';
import { presentVersion } from '../../src/version.ts';

/** The version N of these tests; notes come with N + 1. */
export const base = 4;

export function levelsOf(newest: number): FeatureLevels {
  return { newest, ofEntry: () => 1, ofOp: ([kind]) => (kind === lockOp.note ? base + 1 : 1) };
}

export function buildOf(newest: number): Versions {
  const versions = [newest - 1, newest];
  return { dialects: new Map(versions.map((version) => [version, dialectOf(version)])), levels: levelsOf(newest) };
}

function dialectOf(version: number): Dialect {
  const present = presentDialects.get(presentVersion);
  if (!present) throw new Error('there is no present version');
  const shift = 1_000 * version;
  return {
    tupleOf: (message) => {
      const [code, ...fields] = present.tupleOf(message);
      return [Number(code) + shift, ...fields];
    },
    read: (value) => {
      if (!Array.isArray(value)) throw new Malformed('no message');
      const [code, ...fields] = value as unknown[];
      const message = present.read([Number(code) - shift, ...fields]);
      if (version <= base && hasNote(message)) throw new Malformed('op is of no known kind');
      return message;
    },
  };
}

/** What a process before `base + 1` does not know. */
function hasNote(message: Message): boolean {
  if (message.type === 'submit') return message.ops.some(isNote);
  return batchesOf(message).some(holdsNote);
}

export function holdsNote(batch: Batch<Operation> | null): boolean {
  return batch?.[1].some((entry) => entry[0] === entryKind.use && entry[3].some(isNote)) ?? false;
}

function isNote(op: Operation): boolean {
  return op[0] === lockOp.note;
}

function batchesOf(message: Message): readonly (Batch<Operation> | null)[] {
  if (message.type === 'accept') return [message.value];
  if (message.type === 'chosen') return message.values;
  return message.type === 'promise' ? message.votes.map(({ value }) => value) : [];
}
