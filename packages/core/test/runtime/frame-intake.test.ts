/** Which frames are taken, and who is told of those that are not: each sender that can be named, and never a flood. */
import { encodeFrame } from '../../src/codec/frame-codec.ts';
import { createSealer } from '../../src/codec/seal.ts';
import type { Sealer } from '../../src/codec/seal.ts';
import type { Refusal } from '../../src/runtime/engine.ts';
import { FrameIntake } from '../../src/runtime/frame-intake.ts';

const self = { node: 'a', incarnation: 'a1', run: 1 };
const [ours, theirs] = [createSealer(['a secret, long enough']), createSealer(['another secret, long enough'])];

interface Written {
  readonly group?: string;
  readonly sealer?: Sealer;
}

function frameOf(node: string, { group = 'h', sealer }: Written = {}): Uint8Array {
  const header = { group, founding: '', configuration: 1, node, incarnation: `${node}1`, run: 1 };
  return encodeFrame({ ...header, messages: [] }, sealer);
}

function opened(sealer?: Sealer): { readonly intake: FrameIntake; readonly told: Refusal[] } {
  const told: Refusal[] = [];
  return { told, intake: new FrameIntake({ group: 'g' }, sealer, (refusal) => void told.push(refusal)) };
}

/** A frame that says something no version knows, of a version that is none, or cut short. */
const broken = {
  malformed: (bytes: Uint8Array) => Uint8Array.of(...bytes.subarray(0, -1), 0xc0),
  version: (bytes: Uint8Array) => Uint8Array.of(...bytes.subarray(0, 2), 9, ...bytes.subarray(3)),
};

describe('a frame that is refused', () => {
  it('is reported for each sender and code, at its 1st, 10th, 100th time (3 senders)', () => {
    const { intake, told } = opened();
    for (let n = 0; n < 10; n += 1) intake.open(frameOf('b'), self);
    intake.open(frameOf('c'), self);
    intake.open(broken.malformed(frameOf('c', { group: 'g' })), self);
    intake.open(broken.version(frameOf('d', { group: 'g' })), self);
    expect(told.map(({ code, node, count }) => [code, node, count])).toEqual([
      ['group', 'b', 1],
      ['group', 'b', 10],
      ['group', 'c', 1],
      ['malformed', 'c', 1],
      ['version', 'd', 1],
    ]);
    expect(intake.refused).toBe(13);
  });

  it('names nobody where the envelope cannot be read', () => {
    const { intake, told } = opened();
    intake.open(new TextEncoder().encode('{"hello":"world"}'), self);
    expect(told).toMatchObject([{ code: 'foreign', node: null, count: 1 }]);
  });

  it('names its sender in a group with secrets only where the seal held', () => {
    const { intake, told } = opened(ours);
    for (const sealer of [undefined, theirs]) for (const node of ['b', 'c']) intake.open(frameOf(node, sealer && { sealer }), self);
    intake.open(broken.version(frameOf('b', { sealer: ours })), self);
    intake.open(frameOf('b', { sealer: ours }), self);
    expect(told.map(({ code, node }) => [code, node])).toEqual([
      ['unsealed', null],
      ['badSeal', null],
      ['version', null],
      ['group', 'b'],
    ]);
  });

  it('is no flood of reports, and takes no memory without bound, whatever senders are forged (10,000 senders)', () => {
    const { intake, told } = opened();
    for (let n = 0; n < 10_000; n += 1) intake.open(frameOf(`n${n}`), self);
    expect(told.filter(({ node }) => node !== null)).toHaveLength(100);
    expect(told.slice(100).map(({ code, node, count }) => [code, node, count])).toEqual([
      ['group', null, 1],
      ['group', null, 10],
      ['group', null, 100],
      ['group', null, 1_000],
    ]);
    intake.open(frameOf('n0'), self);
    expect(intake.remembered).toBe(101);
    expect(intake.refused).toBe(10_001);
  });
});
