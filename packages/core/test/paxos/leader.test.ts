/** What a leader knows of its voters. */
import { LeaderTerm } from '../../src/paxos/leader.ts';

const seat = (node: string) => ({ node, incarnation: `${node}1` });
const configuration = { founding: 'f', id: 1, voters: [seat('a'), seat('b'), seat('c')] };

test('what all applied is what the voter that is furthest behind applied, and nothing while one was not heard (3 voters)', () => {
  const term = new LeaderTerm<string>({ round: 1, run: 1, ...seat('a') }, 1, 0, configuration, 100);
  term.appliedBy.set('a', 9);
  term.appliedBy.set('b', 7);
  expect(term.appliedByAll()).toBe(0);
  term.appliedBy.set('c', 2);
  expect(term.appliedByAll()).toBe(2);
});
