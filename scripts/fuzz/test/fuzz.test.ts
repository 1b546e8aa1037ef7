/** The fuzzer itself: the same seed tells the same story, and each kind of failure is found in a decoder that has it. */
import type { Random } from '../../../packages/core/src/time/random.ts';
import { must, type Decoder, type Reading } from '../decoder.ts';
import { allDecoders } from '../decoders.ts';
import { checkPlain } from '../inspection.ts';
import { randomBytes } from '../mutation.ts';
import { frameMsMax, fuzz, inputOf, type FuzzFailure } from '../run.ts';
import { shortest } from '../shortest.ts';

function planted(read: (bytes: Uint8Array) => Reading, more: Partial<Decoder> = {}): Decoder {
  return { name: 'planted', reads: 'random bytes', input: (random: Random) => randomBytes(random, 40), read, ...more };
}

function failuresOf(decoder: Decoder, runs = 500): FuzzFailure[] {
  const failures: FuzzFailure[] = [];
  fuzz(decoder, { seed: 1, runs, onFailure: (failure) => failures.push(failure) });
  return failures;
}

function takeMs(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

const decoders = allDecoders();

test.each(decoders.map((decoder) => [decoder.name, decoder] as const))(
  '%s survives 1,500 inputs, and makes the same of a seed again',
  (_name, decoder) => {
    const told: FuzzFailure[] = [];
    const result = fuzz(decoder, { seed: 7, runs: 1_500, onFailure: (failure) => told.push(failure) });
    expect(told.filter(({ error }) => !error.startsWith('took '))).toEqual([]);
    expect(result.read).toBeGreaterThan(75);
    const again = decoders.find(({ name }) => name === decoder.name);
    for (const run of [0, 700, 1_499]) expect(inputOf(decoder, 7, run)).toEqual(again && inputOf(again, 7, run));
  },
);

test('a throw is found, told with its run, and made short', () => {
  const failures = failuresOf(planted((bytes) => (must(!bytes.includes(0x2a), 'the answer'), 'refused')));
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatchObject({ decoder: 'planted', seed: 1, error: 'Error: the answer', hex: '2a', needsItsLife: false });
  expect(
    inputOf(
      planted(() => 'refused'),
      1,
      failures[0]?.run ?? 0,
    ),
  ).toContain(0x2a);
});

test('a prototype that is given a field is found', () => {
  const pollute = planted((bytes) => {
    if (bytes.length === 7) Object.assign(Object.prototype, { polluted: true });
    return 'refused';
  });
  const failures = failuresOf(pollute);
  delete (Object.prototype as { polluted?: true }).polluted;
  expect(failures[0]?.error).toContain('prototype');
});

test('a decoder that is slow each time is found, and one that was slow once is not', () => {
  let once = true;
  const hiccup = planted((bytes) => {
    if (bytes.length === 30 && once) [once] = [false, takeMs(20)];
    return 'refused';
  });
  const told: FuzzFailure[] = [];
  const paused = fuzz(hiccup, { seed: 1, runs: 500, onFailure: (failure) => told.push(failure) });
  expect(told).toEqual([]);
  expect(once).toBe(false);
  expect(paused.interrupted).toBeGreaterThan(0);
  expect(paused.longestMs).toBeGreaterThan(frameMsMax(40));
  expect(paused.slowestMs).toBeLessThanOrEqual(frameMsMax(40));
  const always = planted((bytes) => (takeMs(bytes.length === 30 ? 6 : 0), 'refused'));
  const result = fuzz(always, { seed: 1, runs: 100, onFailure: (failure) => told.push(failure) });
  expect(told[0]?.error).toMatch(/^took /);
  expect(result.failures).toBeGreaterThan(0);
  expect(result.slowestMs).toBeGreaterThan(frameMsMax(40));
});

test('a large input may take as long as its bytes do, 10 ns each, and not ten times as long (1 MiB)', () => {
  const size = 1024 * 1024;
  const large = { input: () => new Uint8Array(size) };
  const taking = (nsPerByte: number): Decoder =>
    planted((bytes) => (takeMs(bytes.length === size ? (size * nsPerByte) / 1e6 : 0), 'refused'), large);
  expect(failuresOf(taking(10), 2)).toEqual([]);
  expect(failuresOf(taking(100), 1)[0]?.error).toMatch(/^took /);
});

test('a large input is made shorter for as many attempts as were given, and for no longer (256 KiB, 50 attempts)', () => {
  const bytes = new Uint8Array(256 * 1024);
  let attempts = 0;
  const fails = (): boolean => ((attempts += 1), false);
  expect(shortest(bytes, fails, { attemptsMax: 50, untilMs: Infinity })).toBe(bytes);
  expect(attempts).toBe(50);
  expect(shortest(bytes, fails, { attemptsMax: 50, untilMs: performance.now() })).toBe(bytes);
  expect(attempts).toBe(50);
});

test('a small input that was slow once is timed again, though a large one took longer (2 MiB beside 1 byte)', () => {
  const large = new Uint8Array(2 * 1024 * 1024);
  let larger = 0;
  let once = true;
  const read = ({ length }: Uint8Array): Reading => {
    if (length === large.length) [larger] = [larger + 1, takeMs(30)];
    else if (once && larger > 0) [once] = [false, takeMs(20)];
    return 'refused';
  };
  expect(failuresOf(planted(read, { input: (random) => (random.below(2) === 0 ? large : Uint8Array.of(0)) }), 20)).toEqual([]);
  expect(once).toBe(false);
});

test('a failure that needs what came before it is told so, and found again from the start of its life', () => {
  let heard = 0;
  const decoder = planted(() => ((heard += 1), must(heard < 5, 'too many'), 'refused'), { renew: () => (heard = 0), runsPerLife: 10 });
  const [failure] = failuresOf(decoder, 20);
  expect(failure).toMatchObject({ run: 4, needsItsLife: true });
  const again: FuzzFailure[] = [];
  fuzz(decoder, { seed: 1, runs: 1, from: 4, onFailure: (found) => again.push(found) });
  expect(again).toMatchObject([{ run: 4, error: 'Error: too many' }]);
});

test.each<[string, unknown]>([
  ['a foreign prototype', Object.create({ inherited: 1 })],
  ['an object without prototype', Object.create(null)],
  ['a field called __proto__', JSON.parse('{"__proto__":1}')],
  ['a field called constructor', { constructor: 1 }],
  ['NaN', [NaN]],
  ['minus zero', [-0]],
  ['a number that is not exact', [2 ** 53]],
  ['a function', { read: () => 1 }],
  ['undefined', [undefined]],
  ['half a surrogate pair', 'a\ud800'],
  ['more than its bytes can hold', new Array(10_000).fill('x')],
])('%s is not taken for plain data', (_what, value) => {
  expect(() => checkPlain(value, 10)).toThrow();
});
