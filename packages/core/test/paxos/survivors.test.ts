/** Whose answers say that a group lives before an operator may end it. The safety rule 22. */
import type { Configuration } from '../../src/paxos/configuration.ts';
import type { FoundingRecord, Greeting } from '../../src/paxos/founding-message.ts';
import { Survivors } from '../../src/paxos/survivors.ts';

const at = (node: string, life = 1) => ({ node, incarnation: `${node}#${life}` });
const configured = (id: number, ...voters: ReturnType<typeof at>[]): Configuration => ({ founding: 'f', id, voters });
const recordOf = (configuration: Configuration): FoundingRecord => ({
  configuration,
  tokenSecond: 5,
  maxSessionTtlMs: 1_000,
  firstFounding: false,
});
const first = recordOf(configured(1, at('a'), at('b'), at('c')));

function called(...answers: readonly [seat: ReturnType<typeof at>, more: Partial<Greeting>][]): Survivors {
  const survivors = new Survivors(first, 'n');
  const usual = { type: 'greeting', nonce: 'n', voters: { count: 3 }, wallMs: 0, tokenSecond: 0, longestTtlMs: 0 } as const;
  for (const [seat, more] of answers) survivors.onGreeting({ ...seat, run: 1 }, { ...usual, standing: 'founded', record: first, ...more });
  return survivors;
}

it.each<[string, boolean, readonly string[], Survivors]>([
  ['nobody answered', false, [], called()],
  ['one of three', false, ['a'], called([at('a'), {}])],
  ['one of three, twice', false, ['a'], called([at('a'), {}], [at('a'), {}])],
  ['a majority', true, ['a', 'b'], called([at('b'), {}], [at('a'), {}])],
  ['a leader alone', true, ['a'], called([at('a'), { standing: 'led' }])],
  ['answers to another nonce', false, [], called([at('a'), { nonce: 'o' }], [at('b'), { nonce: 'o', standing: 'led' }])],
  ['voters that came back without their memory', false, ['a'], called([at('a'), {}], [at('b', 2), {}], [at('c', 2), {}])],
  ['voters of another founding', false, [], called([at('a'), { record: null }], [at('b'), { record: recordOf({ ...first.configuration, founding: 'g' }) }])], // prettier-ignore
])('%s', (_, isAlive, heard, survivors) => {
  expect({ isAlive: survivors.isAlive, heard: survivors.heard }).toEqual({ isAlive, heard });
});

it('counts by the latest configuration that anybody knows, whoever answered first (5 voters, of which 2)', () => {
  const later = recordOf(configured(4, at('a'), at('b'), at('d'), at('e'), at('f')));
  const survivors = called([at('a'), {}], [at('b'), {}], [at('d'), { record: later }]);
  expect(survivors.voters).toEqual(['a', 'b', 'd', 'e', 'f']);
  expect(survivors.isAlive).toBe(true);
  expect(called([at('a'), {}], [at('c'), {}], [at('d'), { record: later }]).isAlive).toBe(false);
});

it('remembers the highest token that any of them does', () => {
  expect(called().tokenSecond).toBe(5);
  expect(called([at('a'), { tokenSecond: 70 }], [at('b'), { tokenSecond: 60 }]).tokenSecond).toBe(70);
});
