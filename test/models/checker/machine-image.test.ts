/** A machine as a value: what the text of one says must tell it from every other, and a copy must be one machine and no more. */
import { copyOf, textOf } from './machine-image.ts';

class Log {
  readonly votes: number[][] = [];
}

class Machine {
  readonly log = new Log();
  first: number[] | null = null;
  constructor(
    readonly sessions: Map<string, Log> = new Map(),
    readonly names: Set<string> = new Set(),
  ) {}
}

function machine(chosen: number): Machine {
  const made = new Machine();
  made.log.votes.push([1], [2]);
  made.first = made.log.votes[chosen] ?? null;
  return made;
}

test('machines that share different things have different texts, equal ones the same (2 arrays)', () => {
  expect(textOf(machine(0))).not.toBe(textOf(machine(1)));
  expect(textOf(machine(1))).toBe(textOf(machine(1)));
});

test('the order in which a map or set was filled makes no difference (2 entries)', () => {
  const [ab, ba] = [['a', 'b'], ['b', 'a']].map((names) => new Machine(new Map(names.map((name) => [name, new Log()])), new Set(names))); // prettier-ignore
  expect(textOf(ab)).toBe(textOf(ba));
});

test('a copy is stepped without touching its original, and has the same text', () => {
  const original = machine(0);
  const before = textOf(original);
  const copy = copyOf(original);
  copy.log.votes.push([3]);
  copy.sessions.set('a', new Log());
  expect(textOf(original)).toBe(before);
  expect(textOf(copy)).not.toBe(before);
  expect(copy).toBeInstanceOf(Machine);
});

test('what two parts of a machine share, they share in its copy too (an array, a map, a set)', () => {
  const shared = machine(1);
  const copy = copyOf({ shared, first: shared.first, sessions: shared.sessions, names: shared.names });
  expect(copy.first).toBe(copy.shared.first);
  expect(copy.sessions).toBe(copy.shared.sessions);
  expect(copy.names).toBe(copy.shared.names);
  expect(copy.names).not.toBe(shared.names);
});
