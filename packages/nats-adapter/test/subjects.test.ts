/** Subjects: one token for each name, whatever the name says. */
import fc from 'fast-check';
import { Subjects } from '../src/subjects.ts';

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 256 });

test('leaves plain names readable', () => {
  const subjects = new Subjects('quorate', 'billing');
  expect(subjects.of({ type: 'all' })).toBe('quorate.billing.all');
  expect(subjects.of({ type: 'voters' })).toBe('quorate.billing.voters');
  expect(subjects.of({ type: 'node', node: 'billing-0' })).toBe('quorate.billing.to.billing-0');
  expect(subjects.event({ kind: 'lock', name: 'invoice:42', bytes: Buffer.from('{}') })).toBe('quorate.billing.event.lock.invoice_3a42');
});

test('makes exactly one legal token of every name, so no name reaches beyond its place', () => {
  fc.assert(
    fc.property(name, name, (group, other) => {
      const subjects = new Subjects('quorate', group);
      expect(subjects.of({ type: 'node', node: other })).toMatch(/^quorate\.[\w-]+\.to\.[\w-]+$/);
      expect(subjects.event({ kind: 'lock', name: other, bytes: Buffer.from('{}') })).toMatch(/^quorate\.[\w-]+\.event\.lock\.[\w-]+$/);
    }),
  );
});

test('remembers a bounded number of nodes', () => {
  const subjects = new Subjects('quorate', 'g');
  for (let index = 0; index < 10_000; index++) expect(subjects.node(`n${index}`)).toBe(`quorate.g.to.n${index}`);
  expect(subjects.node('n0')).toBe('quorate.g.to.n0');
});

test.each(['', '.', 'a.', 'a b', 'a.*', '>', 'a..b'])('refuses the prefix %j', (prefix) => {
  expect(() => new Subjects(prefix, 'g')).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
});
