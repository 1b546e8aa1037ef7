/** Giving up an opening under way: the abort is the error, and what the opening comes to afterwards is nobody's. */
import { abortable } from '../../src/transport/abortable.ts';

test('an opening that fails after it was given up rejects once, with ABORTED, and nothing is left unheard', async () => {
  const giveUp = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const opening = abortable(new Promise<never>((_resolve, reject) => (fail = reject)), giveUp.signal, 'Opening');
  giveUp.abort('enough');
  await expect(opening).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
  fail(new Error('refused after all'));
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
});
