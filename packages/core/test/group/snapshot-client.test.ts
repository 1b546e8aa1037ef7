/** Whom somebody who is far behind asks for a snapshot, and for how long. Promise 7. */
import { rowCodec } from '../../src/codec/snapshot-codec.ts';
import { GroupState } from '../../src/group/group-state.ts';
import { SnapshotClient } from '../../src/group/snapshot-client.ts';

const [retryMs, patienceMs] = [100, 300];

function client(): SnapshotClient {
  return new SnapshotClient('f', () => new GroupState({ maxSessionTtlMs: 1_000 }), rowCodec, retryMs, patienceMs);
}

const asked = (sends: readonly { readonly to: unknown }[]) => sends.map(({ to }) => (to as { readonly node: string }).node);

it('asks one at a time, again after a while, and nobody else before its patience is over (2 sources)', () => {
  const one = client();
  expect(asked(one.begin(['a', 'b'], 5, 0))).toEqual(['a']);
  expect(asked(one.onTick(50))).toEqual([]);
  expect(asked(one.onTick(100))).toEqual(['a']);
  expect(asked(one.onTick(300))).toEqual(['b']);
  expect(asked(one.onTick(600))).toEqual(['a']);
});

it('gives those a turn that it hears of later, for who was known first may have none to give any more (1 source, then another)', () => {
  const one = client();
  one.begin(['gone'], 5, 0);
  expect(one.begin(['alive'], 5, 50)).toEqual([]);
  expect(asked(one.onTick(300))).toEqual(['alive']);
});
