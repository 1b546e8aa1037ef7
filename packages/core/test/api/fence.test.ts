/** `fence()` as an operator: a filter with a memory for each subscription, that no message can end. */
import { concat, defer, from, lastValueFrom, of, retry, Subject, throwError, toArray } from 'rxjs';
import { fence, TokenFence } from '../../src/index.ts';
import type { DroppedByFence, FenceOptions } from '../../src/index.ts';
import { isQuorateError } from '../../src/errors.ts';

interface Message {
  readonly text: string;
  readonly resource?: string;
  readonly token?: number;
}

const byFunctions: FenceOptions<Message> = { resource: ({ resource }) => resource, token: ({ token }) => token };
const of4: readonly Message[] = [
  { text: 'one', resource: 'a', token: 5 },
  { text: 'two', resource: 'a', token: 6 },
  { text: 'late', resource: 'a', token: 5 },
  { text: 'three', resource: 'b', token: 1 },
];

function textsOf(options: FenceOptions<Message>, messages: readonly Message[] = of4): Promise<string[]> {
  return lastValueFrom(from(messages).pipe(fence(options), toArray())).then((kept) => kept.map(({ text }) => text));
}

test('drops what is older than the newest of its resource, and says so (2 owners, 2 resources)', async () => {
  const dropped: [string, DroppedByFence][] = [];
  const texts = await textsOf({ ...byFunctions, onStale: ({ text }, why) => dropped.push([text, why]) });
  expect(texts).toEqual(['one', 'two', 'three']);
  expect(dropped).toEqual([['late', { verdict: 'stale', resource: 'a', token: 5, newest: 6, error: undefined }]]);
});

test('takes the stamp from one function as well', async () => {
  const stamp = ({ resource, token }: Message) => (resource === undefined || token === undefined ? undefined : { resource, token });
  expect(await textsOf({ stamp })).toEqual(['one', 'two', 'three']);
});

test('drops what has no stamp, or lets it pass where that was chosen', async () => {
  const verdicts: string[] = [];
  const messages = [{ text: 'plain' }, ...of4];
  expect(await textsOf({ ...byFunctions, onStale: (_, { verdict }) => verdicts.push(verdict) }, messages)).toEqual(['one', 'two', 'three']);
  expect(verdicts).toEqual(['unfenced', 'stale']);
  expect(await textsOf({ ...byFunctions, onUnfenced: 'pass' }, messages)).toEqual(['plain', 'one', 'two', 'three']);
});

test('goes on after a message that cannot be read', async () => {
  const unreadable = new Error('no headers');
  const errors: unknown[] = [];
  const stamp = ({ text, resource = '', token = 0 }: Message) => {
    if (text === 'one') throw unreadable;
    return { resource, token };
  };
  expect(await textsOf({ stamp, onStale: (_, { error }) => errors.push(error) })).toEqual(['two', 'three']);
  expect(errors).toEqual([unreadable, undefined]);
});

test('remembers nothing from one subscription to the next, unless the memory was made outside (2 subscriptions)', async () => {
  const operator = fence(byFunctions);
  const keptBy = (): Promise<Message[]> => lastValueFrom(from(of4).pipe(operator, toArray()));
  expect([(await keptBy()).length, (await keptBy()).length]).toEqual([3, 3]);

  const memory = new TokenFence();
  expect(await textsOf({ ...byFunctions, memory })).toEqual(['one', 'two', 'three']);
  expect(await textsOf({ ...byFunctions, memory })).toEqual(['two', 'three']);
  expect(memory.counts).toEqual({ fresh: 5, stale: 3, belowFloor: 0, unfenced: 0 });
});

test('lets nothing older in after a retry with a memory made outside (1 retry)', async () => {
  let attempts = 0;
  const late: Message = { text: 'late', resource: 'a', token: 5 };
  const source = defer(() => {
    attempts += 1;
    return attempts === 1
      ? concat(
          from(of4.slice(0, 2)),
          throwError(() => new Error('gone')),
        )
      : of(late);
  });
  const kept = await lastValueFrom(source.pipe(fence({ ...byFunctions, memory: new TokenFence() }), retry(1), toArray()));
  expect(kept.map(({ text }) => text)).toEqual(['one', 'two']);
});

test('judges what comes from within its own delivery (1 subject)', () => {
  const messages = new Subject<Message>();
  const kept: string[] = [];
  messages.pipe(fence(byFunctions)).subscribe(({ text }) => {
    kept.push(text);
    if (text === 'two') messages.next({ text: 'late', resource: 'a', token: 5 });
  });
  for (const message of of4.slice(0, 2)) messages.next(message);
  expect(kept).toEqual(['one', 'two']);
});

test('refuses wrong options where it is called', () => {
  let refusal: unknown;
  try {
    fence({ ...byFunctions, resourcesMax: 0 });
  } catch (error) {
    refusal = error;
  }
  expect(isQuorateError(refusal, 'INVALID_OPTIONS')).toBe(true);
});
