/** Who can which version, and which one is spoken. `docs/protocol.md`, "Versions". */
import { presentLevels } from '../../src/group/feature-level.ts';
import { VersionWatch } from '../../src/group/version-watch.ts';
import type { MemberFrame } from '../../src/group/member-message.ts';

const timing = { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 };
const self = { node: 'a', incarnation: 'a1', run: 1 };

function watch(newest: number): VersionWatch {
  return new VersionWatch({ self, timing, levels: { ...presentLevels, newest } });
}

function frameOf(node: string, said: { version: number; newest: number; founding?: string; run?: number }): MemberFrame {
  const { version, newest, founding = 'f', run = 1 } = said;
  return { founding, configuration: 1, from: { node, incarnation: `${node}1`, run }, version, newest, messages: [] };
}

const seats = ['a', 'b', 'c'].map((node) => ({ node, incarnation: `${node}1` }));

describe('a process', () => {
  it('speaks the earliest version that it can before it knows of others, and as a group does once it hears one', () => {
    const versions = watch(5);
    expect(versions.spokenAt(0)).toBe(4);
    versions.hear(frameOf('b', { version: 5, newest: 5 }), 10);
    expect(versions.spokenAt(20)).toBe(5);
  });

  it('speaks as the members of a group do and not as other newcomers, and forgets both once they are silent', () => {
    const versions = watch(5);
    versions.hear(frameOf('n', { version: 5, newest: 6, founding: '' }), 0);
    expect(versions.spokenAt(10)).toBe(5);
    versions.hear(frameOf('b', { version: 4, newest: 5 }), 20);
    expect(versions.spokenAt(30)).toBe(4);
    expect(versions.spokenAt(2_000)).toBe(4);
    versions.hear(frameOf('n', { version: 5, newest: 6, founding: '' }), 2_000);
    expect(versions.spokenAt(2_010)).toBe(5);
    expect(versions.spokenAt(4_000)).toBe(4);
  });

  it('speaks what its founding is known to speak and never an earlier version again, and learns anew in another founding', () => {
    const versions = watch(5);
    versions.enter('f');
    versions.hear(frameOf('b', { version: 5, newest: 5, founding: 'g' }), 0);
    expect(versions.spokenAt(0)).toBe(4);
    versions.hear(frameOf('b', { version: 5, newest: 5 }), 0);
    versions.hear(frameOf('b', { version: 4, newest: 5 }), 1);
    expect(versions.spokenAt(60_000)).toBe(5);
    versions.enter('g');
    expect(versions.spokenAt(60_000)).toBe(4);
  });

  it('never speaks a version that it cannot', () => {
    const versions = watch(5);
    versions.enter('f');
    versions.learn(9);
    expect(versions.spokenAt(0)).toBe(5);
  });

  it('answers a group whose version it cannot in the nearest that it can, so that it is heard there', () => {
    const versions = watch(5);
    versions.hear(frameOf('b', { version: 6, newest: 7 }), 0);
    expect(versions.spokenAt(1)).toBe(5);
  });
});

describe('what all can', () => {
  it('is nothing as long as one voter has said nothing, and then the least that any can (3 voters)', () => {
    const versions = watch(5);
    versions.hear(frameOf('b', { version: 4, newest: 5 }), 0);
    expect(versions.commonAbove(0, seats, [])).toBeNull();
    versions.hear(frameOf('c', { version: 4, newest: 4 }), 0);
    expect(versions.commonAbove(0, seats, [])).toBe(4);
    expect(versions.commonAbove(4, seats, [])).toBeNull();
    versions.hear(frameOf('c', { version: 4, newest: 5, run: 2 }), 0);
    expect(versions.commonAbove(0, seats, [])).toBe(5);
  });

  it('counts the newest run of a voter, whichever frame comes last (3 voters)', () => {
    const versions = watch(5);
    versions.hear(frameOf('b', { version: 4, newest: 5, run: 2 }), 0);
    versions.hear(frameOf('c', { version: 4, newest: 5, run: 2 }), 0);
    versions.hear(frameOf('c', { version: 4, newest: 4, run: 1 }), 0);
    expect(versions.commonAbove(0, seats, [])).toBe(5);
  });

  it('counts every process with a session, one that cannot be understood too (3 voters, 1 client)', () => {
    const versions = watch(5);
    for (const node of ['b', 'c']) versions.hear(frameOf(node, { version: 4, newest: 5 }), 0);
    expect(versions.commonAbove(0, seats, [{ instance: 'x1.1' }])).toBeNull();
    versions.hear(frameOf('x', { version: 3, newest: 4 }), 0);
    expect(versions.commonAbove(0, seats, [{ instance: 'x1.1' }, { instance: 'a1.1' }])).toBe(4);
    expect(versions.commonAbove(4, seats, [{ instance: 'x1.1' }])).toBeNull();
  });
});

describe('a process that cannot be understood', () => {
  const ours = { least: 4, newest: 5 };

  it.each([
    ['two versions ahead', { version: 6, newest: 7 }],
    ['two versions behind', { version: 3, newest: 3 }],
  ])('is told of once, with both versions: %s', (_what, theirs) => {
    const versions = watch(5);
    const frame = frameOf('z', { ...theirs, founding: '' });
    expect(versions.hear(frame, 0)).toEqual([{ type: 'versionGap', node: 'z', theirs, ours, lasting: false }]);
    expect(versions.hear(frame, 1)).toEqual([]);
  });

  it('is not told of where it only speaks an earlier version than it could, as newcomers do', () => {
    expect(watch(5).hear(frameOf('z', { version: 3, newest: 4, founding: '' }), 0)).toEqual([]);
  });

  it('is a lasting gap once nobody of the group was understood for four election timeouts', () => {
    const versions = watch(5);
    const strange = frameOf('b', { version: 6, newest: 6 });
    versions.hear(strange, 0);
    expect(versions.hear(strange, 1_900)).toEqual([]);
    expect(versions.hear(strange, 2_000)).toMatchObject([{ lasting: true, theirs: { version: 6, newest: 6 }, ours }]);
    expect(versions.hear(strange, 2_100)).toEqual([]);
  });

  it('is no lasting gap while others of the group are understood', () => {
    const versions = watch(5);
    const strange = frameOf('b', { version: 6, newest: 6 });
    versions.hear(strange, 0);
    versions.hear(frameOf('c', { version: 5, newest: 5 }), 1_000);
    expect(versions.hear(strange, 2_500)).toEqual([]);
    expect(versions.hear(strange, 4_500)).toMatchObject([{ lasting: true }]);
  });
});
