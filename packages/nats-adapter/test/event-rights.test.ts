/** What is remembered of a server's refusals of lock events. */
import { EventRights } from '../src/event-rights.ts';

test('withholds what was refused and nothing else, and counts both the refused and the withheld (2 subjects)', () => {
  const rights = new EventRights();
  expect([rights.mayPublish('lock.x'), rights.mayPublish('lock.y'), rights.onRefused('lock.x')]).toEqual([true, true, true]);
  expect([rights.mayPublish('lock.x'), rights.mayPublish('lock.y'), rights.dropped]).toEqual([false, true, 2]);
  rights.forget();
  expect([rights.mayPublish('lock.x'), rights.dropped]).toEqual([true, 2]);
});

test('takes no refusal of what others published for its own', () => {
  const rights = new EventRights();
  expect([rights.onRefused('lock.x'), rights.dropped, rights.mayPublish('lock.x')]).toEqual([false, 0, true]);
});

test('remembers the latest 1,024 subjects, and tries again what it has forgotten', () => {
  const rights = new EventRights();
  for (const subject of ['lock.old', 'lock.used']) expect([rights.mayPublish(subject), rights.onRefused(subject)]).toEqual([true, true]);
  for (let index = 0; index < 1_023; index++) {
    rights.mayPublish(`lock.${index}`);
    if (index === 500) rights.mayPublish('lock.used');
  }
  expect([rights.mayPublish('lock.used'), rights.mayPublish('lock.old')]).toEqual([false, true]);
});
