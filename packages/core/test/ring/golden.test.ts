/** The ring against vectors that a program in another language computed (golden/README.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HashRing } from '../../src/ring/hash-ring.ts';
import { murmur3, positionsEnd } from '../../src/ring/murmur3.ts';

interface GoldenRing {
  readonly virtualNodes: number;
  readonly nodes: readonly { readonly node: string; readonly weight: number }[];
  readonly shares: Readonly<Record<string, string>>;
  readonly lookups: readonly { readonly key: string; readonly owners: readonly string[] }[];
}

interface Golden {
  readonly positions: readonly { readonly text?: string; readonly hex?: string; readonly position: string }[];
  readonly rings: readonly GoldenRing[];
}

const golden = JSON.parse(readFileSync(join(__dirname, 'golden', 'ring.json'), 'utf8')) as Golden;

describe('golden vectors of the ring', () => {
  it.each(golden.positions)('places $text$hex at $position', ({ text, hex, position }) => {
    expect(String(murmur3()(text ?? Buffer.from(hex ?? '', 'hex')))).toBe(position);
  });

  it.each(golden.rings)(
    'gives keys to the owners that another language gives them ($virtualNodes virtual nodes)',
    ({ virtualNodes, nodes, ...expected }) => {
      const ring = HashRing.of(nodes, { virtualNodes });
      for (const { key, owners } of expected.lookups) expect({ key, owners: ring.owners(key, nodes.length) }).toEqual({ key, owners });
      const shares = [...ring.shares()].map(([node, share]) => [node, String(share * positionsEnd)]);
      expect(Object.fromEntries(shares)).toEqual(expected.shares);
    },
  );
});
