/** What counts as the expected output of an example. */
import { differenceFrom } from '../expected-lines.ts';

test('lines in their order, each by its expression, are no difference', () => {
  expect(differenceFrom('a holds \\d+\nb waits\n', 'a holds 42\nb waits\n')).toBeNull();
});

test('an expression has to match the whole line', () => {
  expect(differenceFrom('a holds \\d', 'a holds 42')).toContain('"a holds 42" was printed');
});

test('a line that is missing, changed, in the wrong place or too many is a difference', () => {
  expect(differenceFrom('one\ntwo', 'one')).toBe('nothing more was printed, where "two" was expected');
  expect(differenceFrom('one\ntwo', 'one\n2')).toBe('"2" was printed, where "two" was expected');
  expect(differenceFrom('one\ntwo', 'two\none')).toBe('"two" was printed, where "one" was expected');
  expect(differenceFrom('one', 'one\ntwo')).toBe('"two" was printed after all that was expected');
});

test('marked lines come in any order, each once, and none before its block', () => {
  const expectation = 'start\n~ a\n~ b\nend';
  expect(differenceFrom(expectation, 'start\nb\na\nend')).toBeNull();
  expect(differenceFrom(expectation, 'start\na\na\nend')).toBe('"a" was printed, where "b" was expected');
  expect(differenceFrom(expectation, 'b\nstart\na\nend')).toBe('"b" was printed, where "start" was expected');
});

test('a name stands for what it matched before', () => {
  const expectation = '(?<pod>pod-\\d) leads\n\\k<pod> is killed\n(?!\\k<pod>)pod-\\d leads';
  expect(differenceFrom(expectation, 'pod-1 leads\npod-1 is killed\npod-2 leads')).toBeNull();
  expect(differenceFrom(expectation, 'pod-1 leads\npod-2 is killed\npod-2 leads')).toContain('"pod-2 is killed" was printed');
  expect(differenceFrom(expectation, 'pod-1 leads\npod-1 is killed\npod-1 leads')).toContain('"pod-1 leads" was printed');
});
