/** Who reads which partition: the rules of `layout.ts`. */
import { clientInboxesDefault, Layout, partitionCount, partitionOfAll, partitionOfVoters } from '../src/layout.ts';

const voters = ['a', 'b', 'c'];
const layout = (writer = 'client') => new Layout({ voters, clientInboxes: clientInboxesDefault, writer });
const node = (name: string) => ({ type: 'node', node: name }) as const;

test('gives each of seven voters an inbox that nobody else reads (9 voters, 1,000 clients)', () => {
  const nine = Array.from({ length: 9 }, (_, index) => `voter-${index}`);
  const many = new Layout({ voters: nine, clientInboxes: 16, writer: 'client' });
  const seats = nine.slice(0, 7).map((voter) => many.inboxOf(voter));
  expect(new Set(seats).size).toBe(7);
  const others = [...nine.slice(7), ...Array.from({ length: 1_000 }, (_, index) => `client-${index}`)];
  for (const other of others) expect(seats).not.toContain(many.inboxOf(other));
});

test('spreads clients over all shared inboxes within the topic (1,000 clients)', () => {
  const inboxes = Array.from({ length: 1_000 }, (_, index) => layout().inboxOf(`client-${index}`));
  expect(new Set(inboxes).size).toBe(16);
  expect(Math.max(...inboxes)).toBeLessThan(partitionCount(16));
});

test('lets voters read three partitions and clients two (3 voters, 1 client)', () => {
  expect(layout().readBy('b')).toEqual([partitionOfAll, partitionOfVoters, layout().inboxOf('b')]);
  expect(layout().readBy('client')).toEqual([partitionOfAll, layout().inboxOf('client')]);
});

test('sends to where the node reads (3 voters, 1 client)', () => {
  expect(layout().partitionsFor({ type: 'all' })).toEqual([partitionOfAll]);
  expect(layout().partitionsFor({ type: 'voters' })).toEqual([partitionOfVoters]);
  for (const name of [...voters, 'client']) expect(layout().readBy(name)).toContain(layout().partitionsFor(node(name))[0]);
});

test('lets each of three voters write to the inboxes of the others, and clients to the partition of all voters (3 voters, 1 client)', () => {
  const inboxOf = (name: string) => layout().inboxOf(name);
  expect(layout('b').partitionsFor({ type: 'voters' })).toEqual([inboxOf('a'), inboxOf('c')]);
  expect(layout('client').partitionsFor({ type: 'voters' })).toEqual([partitionOfVoters]);
  const five = new Layout({ voters: [...voters, 'd', 'e'], clientInboxes: 16, writer: 'b' });
  expect(five.partitionsFor({ type: 'voters' })).toEqual([partitionOfVoters]);
});

test('reaches a node that was started with other voters where it says that it reads (3 voters)', () => {
  const there = new Layout({ voters: ['b', 'c', 'd'], clientInboxes: 16, writer: 'client' });
  const here = layout();
  here.learn('b', there.inboxOf('b'));
  here.learn('d', there.inboxOf('d'));
  expect(here.partitionsFor(node('b'))).toEqual([here.inboxOf('b'), there.inboxOf('b')]);
  expect(here.partitionsFor(node('d'))).toEqual([here.inboxOf('d'), there.inboxOf('d')]);
});

test('does not let anyone add partitions without end to a node, nor those that all read (1 voter)', () => {
  const here = layout();
  here.learn('a', partitionOfAll);
  here.learn('a', partitionOfVoters);
  for (let inbox = 2; inbox < 100; inbox++) here.learn('a', inbox);
  expect(here.partitionsFor(node('a')).length).toBeLessThanOrEqual(5);
  expect(here.partitionsFor(node('a'))).not.toContain(partitionOfAll);
  expect(here.partitionsFor(node('a'))).not.toContain(partitionOfVoters);
});
