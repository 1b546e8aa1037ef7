/** The decoders of snapshots: chunks and headers as other replicas and stores hand them in, and what takes their rows up. */
import { isFault } from '../../packages/core/src/codec/fault.ts';
import { unpack } from '../../packages/core/src/codec/message-pack.ts';
import { checkShape, frameLimits } from '../../packages/core/src/codec/shape.ts';
import { rowCodec } from '../../packages/core/src/codec/snapshot-codec.ts';
import { GroupState } from '../../packages/core/src/group/group-state.ts';
import type { SnapshotRow } from '../../packages/core/src/snapshot/row.ts';
import { SnapshotIntake } from '../../packages/core/src/snapshot/snapshot-intake.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { maxSessionTtlMs, randomState, written } from '../../packages/core/test/snapshot/carried.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { checkPlain } from './inspection.ts';
import { mutateBytes, mutateTree, oneOf, randomBytes } from './mutation.ts';
import { packTrees, type Tree } from './pack.ts';

const seeds = 12;
const slotsPerSeed = 60;
const chunkBytes = 2_000;

export function snapshotDecoders(): readonly Decoder[] {
  const snapshots = Array.from({ length: seeds }, (_, seed) => written(randomState(seed, slotsPerSeed), chunkBytes));
  const chunks = snapshots.flatMap((snapshot) => snapshot.chunks.map(treeOf));
  const headers = snapshots.map(({ header }) => treeOf(rowCodec.packHeader(header)));
  return [
    {
      name: 'snapshot-chunk',
      reads: 'rows of a snapshot, and takes them up as the first chunk of one',
      input: (random) => hostile(chunks, random),
      read: readChunk,
    },
    { name: 'snapshot-header', reads: 'what a snapshot says of itself', input: (random) => hostile(headers, random), read: readHeader },
  ];
}

interface Seed {
  readonly bytes: Uint8Array;
  readonly tree: Tree;
}

function treeOf(bytes: Uint8Array): Seed {
  const shape = checkShape(bytes, 0, frameLimits);
  if (isFault(shape)) throw new Error(shape.detail);
  return { bytes, tree: unpack(bytes, shape) as Tree };
}

function hostile(some: readonly Seed[], random: Random): Uint8Array {
  const { bytes, tree } = oneOf(random, some);
  const other = oneOf(random, some);
  const kind = random.below(10);
  if (kind === 0) return randomBytes(random, 200);
  if (kind < 3) return mutateBytes(bytes, other.bytes, random);
  return kind === 3 ? bytes : packTrees(new Uint8Array(), mutateTree(tree, other.tree, random));
}

function readChunk(bytes: Uint8Array): Reading {
  const rows = rowCodec.unpack(bytes);
  if (rows === null) return 'refused';
  const outcome = takeUp(rows);
  return () => {
    checkPlain(rows, bytes.length);
    must(Buffer.compare(rowCodec.pack(rows), bytes) === 0, 'rows were read that are written as other bytes');
    must(outcome === 'taken' || outcome === 'refused', `the first chunk of two was ${outcome}`);
  };
}

/** Rows that can be read need not make sense together: taking them up must not throw either. */
function takeUp(rows: readonly SnapshotRow[]): string {
  const state = new GroupState({ maxSessionTtlMs });
  const header = { format: 1, founding: 'f', configuration: 1, index: slotsPerSeed, rows: 2 * rows.length, chunks: 2, hash: '' };
  return new SnapshotIntake(header, state.tables, rowCodec).take('', 0, rows).type;
}

function readHeader(bytes: Uint8Array): Reading {
  const header = rowCodec.unpackHeader(bytes);
  if (header === null) return 'refused';
  return () => {
    checkPlain(header, bytes.length + 200);
    must(Buffer.compare(rowCodec.packHeader(header), bytes) === 0, 'a header was read that is written as other bytes');
  };
}
