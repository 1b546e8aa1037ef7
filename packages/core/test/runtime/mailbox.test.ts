/** The bounded mailbox. Surplus frames are dropped and counted: loss is loud. */
import { Mailbox } from '../../src/runtime/mailbox.ts';

it('drops what it has no room for, says so, counts it, and takes letters again once it is emptied', () => {
  const mailbox = new Mailbox<number>(2);
  expect([1, 2, 3, 4].map((letter) => mailbox.put(letter))).toEqual([true, true, false, false]);
  expect([mailbox.dropped, mailbox.takeAll(), mailbox.isEmpty]).toEqual([2, [1, 2], true]);
  expect([mailbox.put(5), mailbox.takeAll()]).toEqual([true, [5]]);
});
