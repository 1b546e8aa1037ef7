/** Waits of chaos: over in time, and with words. */
import { eventually, within } from '../deadline.ts';

const never = (): Promise<never> => new Promise(() => undefined);

test('what is not done within its time ends with the complaint, and what is done in time with its outcome', async () => {
  await expect(within(10, 'the group did not form', never())).rejects.toThrow('the group did not form');
  await expect(within(10_000, 'too late', Promise.resolve(7))).resolves.toBe(7);
});

test('looks again until nothing is missing', async () => {
  const missing = ['two voters', 'one voter', undefined];
  await eventually(10_000, () => Promise.resolve(missing.shift()));
  expect(missing).toEqual([]);
});

test('says what was still missing when the time was over', async () => {
  await expect(eventually(120, () => Promise.resolve('one voter'))).rejects.toThrow('one voter, within 120 ms');
  await expect(eventually(20, never)).rejects.toThrow('no answer, within 20 ms');
});
