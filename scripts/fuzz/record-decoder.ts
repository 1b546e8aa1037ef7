/** The decoder of records: what a store finds may have been changed by anything that has access to its disk or its broker. */
import fc from 'fast-check';
import { isFault } from '../../packages/core/src/codec/fault.ts';
import { unpack } from '../../packages/core/src/codec/message-pack.ts';
import { decodeRecord, encodeRecord } from '../../packages/core/src/codec/record-codec.ts';
import { checkShape, frameLimits } from '../../packages/core/src/codec/shape.ts';
import type { MemberRecord } from '../../packages/core/src/group/member.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { recordsByType } from '../../packages/core/test/codec/arbitraries.ts';
import { recordSamples } from '../../packages/core/test/codec/record-samples.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { checkPlain } from './inspection.ts';
import { mutateBytes, mutateTree, oneOf, randomBytes } from './mutation.ts';
import { packTrees, type Tree } from './pack.ts';

const version = Uint8Array.of(1);
const seedBytesMax = 2_000;
const seedsOfChance = 120;

export function recordDecoder(): Decoder {
  const some = fc.sample(fc.oneof(...Object.values<fc.Arbitrary<MemberRecord>>(recordsByType)), { seed: 1, numRuns: seedsOfChance });
  const seeds = [...Object.values<MemberRecord>(recordSamples), ...some].map((record) => Buffer.from(encodeRecord(record)));
  const small = seeds.filter(({ length }) => length <= seedBytesMax);
  return { name: 'record', reads: 'records of a member, as stores keep them', input: (random) => hostileRecord(small, random), read };
}

function hostileRecord(seeds: readonly Buffer[], random: Random): Uint8Array {
  const [seed, other] = [oneOf(random, seeds), oneOf(random, seeds)];
  const kind = random.below(20);
  if (kind === 0) return seed;
  if (kind === 1) return Buffer.concat([version, randomBytes(random, 200)]);
  if (kind < 8) return mutateBytes(seed, other, random, random.below(8) === 0 ? 0 : 1);
  return packTrees(version, mutateTree(treeOf(seed), treeOf(other), random));
}

function treeOf(bytes: Uint8Array): Tree {
  const shape = checkShape(bytes, 1, frameLimits);
  if (isFault(shape)) throw new Error(shape.detail);
  return unpack(bytes.subarray(1), shape) as Tree;
}

/** A record that was read is one that we would have written ourselves, to the byte. */
function read(bytes: Uint8Array): Reading {
  const record = decodeRecord(bytes);
  if (isFault(record)) return 'refused';
  return () => {
    checkPlain(record, bytes.length);
    must(Buffer.compare(encodeRecord(record), bytes) === 0, 'a record was read that is written as other bytes');
  };
}
