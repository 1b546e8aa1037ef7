/** Seals: who can speak in a group, while secrets rotate and frames are tampered with. */
import { createHmac } from 'node:crypto';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { isQuorateError } from '../../src/errors.ts';
import { frameOf, samples } from './samples.ts';

const older = 'the older secret of this group';
const newer = 'the newer secret of this group';
const sent = frameOf(samples.accept);

it('opens what the same secret sealed', () => {
  const sealer = createSealer([newer]);

  expect(decodeFrame(encodeFrame(sent, sealer), { sealer })).toEqual(sent);
});

it('is HMAC-SHA256 over everything but itself', () => {
  const bytes = encodeFrame(sent, createSealer([newer]));
  const mac = createHmac('sha256', newer).update(bytes.subarray(0, 4)).update(bytes.subarray(36)).digest();

  expect(Buffer.from(bytes.subarray(4, 36)).toString('hex')).toBe(mac.toString('hex'));
});

it('takes a secret as text or as its bytes', () => {
  const bytes = encodeFrame(sent, createSealer([newer]));

  expect(decodeFrame(bytes, { sealer: createSealer([new TextEncoder().encode(newer)]) })).toEqual(sent);
});

it('keeps its own copy of a secret', () => {
  const secret = Buffer.from(newer);
  const sealer = createSealer([secret]);
  secret.fill(0);

  expect(decodeFrame(encodeFrame(sent, createSealer([newer])), { sealer })).toEqual(sent);
});

it('lets every pair of processes talk while a secret is rotated in three steps', () => {
  const steps = [[older], [older, newer], [newer, older], [newer]].map(createSealer);

  const talk = steps.map((from, i) =>
    steps.map((to, j) => (Math.abs(i - j) > 1 ? null : decodeFrame(encodeFrame(sent, from), { sealer: to }))),
  );

  expect(talk.flat().filter((received) => received !== null)).toEqual(Array(10).fill(sent));
});

it('signs with the first secret alone', () => {
  const bytes = encodeFrame(sent, createSealer([newer, older]));

  expect(decodeFrame(bytes, { sealer: createSealer([older]) })).toMatchObject({ code: 'badSeal' });
  expect(decodeFrame(bytes, { sealer: createSealer([newer]) })).toEqual(sent);
});

it('refuses a frame in which any one bit was changed', () => {
  const sealer = createSealer([newer]);
  const bytes = encodeFrame(sent, sealer);
  const codes = Array.from(bytes, (byte, at) => {
    const received = decodeFrame(bytes.with(at, byte ^ (1 << (at % 8))), { sealer });
    return 'code' in received ? received.code : 'taken';
  });

  expect(codes.slice(0, 4)).toEqual(['foreign', 'foreign', 'version', 'malformed']);
  expect(codes.slice(4)).toEqual(Array(bytes.length - 4).fill('badSeal'));
});

it('refuses a sealed frame whose flag was taken away, and an unsealed one that was given it', () => {
  const sealer = createSealer([newer]);
  const sealed = encodeFrame(sent, sealer);
  const unsealed = encodeFrame(sent);

  expect(decodeFrame(sealed.with(3, 0), { sealer })).toMatchObject({ code: 'unsealed' });
  expect(decodeFrame(unsealed.with(3, 1), { sealer })).toMatchObject({ code: 'badSeal' });
});

it('refuses a frame cut at any place', () => {
  const sealer = createSealer([newer]);
  const bytes = encodeFrame(sent, sealer);
  const codes = Array.from(bytes, (_byte, length) => decodeFrame(bytes.subarray(0, length), { sealer })).map((received) =>
    'code' in received ? received.code : 'taken',
  );

  expect(codes.slice(0, 36)).toEqual(Array(36).fill('truncated'));
  expect(codes.slice(36)).toEqual(Array(bytes.length - 36).fill('badSeal'));
});

it('tells apart a missing seal, a wrong seal, and a seal that nobody here can check', () => {
  const sealer = createSealer([newer]);

  expect(decodeFrame(encodeFrame(sent), { sealer })).toMatchObject({ code: 'unsealed' });
  expect(decodeFrame(encodeFrame(sent, createSealer([older])), { sealer })).toMatchObject({ code: 'badSeal' });
  expect(decodeFrame(encodeFrame(sent, sealer))).toMatchObject({ code: 'sealed' });
});

describe('secrets', () => {
  it.each([
    ['none', []],
    ['one of 15 bytes', ['x'.repeat(15)]],
    ['a short one behind a long one', [newer, 'short']],
    ['one of 15 bytes given as bytes', [new Uint8Array(15)]],
    ['nine', Array<string>(9).fill(newer)],
    ['a number', [Number.MAX_SAFE_INTEGER as unknown as string]],
    ['a text in place of a list', newer as unknown as string[]],
  ])('refuses %s with INVALID_OPTIONS', (_what, secrets) => {
    let thrown: unknown;
    try {
      createSealer(secrets);
    } catch (error) {
      thrown = error;
    }

    expect(isQuorateError(thrown, 'INVALID_OPTIONS')).toBe(true);
  });

  it('does not print the secret that it refuses', () => {
    expect(() => createSealer(['hunter2'])).not.toThrow('hunter2');
    expect(() => createSealer(['hunter2'])).toThrow('secrets[0]');
  });

  it('counts a secret in bytes: 8 characters of two bytes are enough', () => {
    const sealer = createSealer(['é'.repeat(8)]);

    expect(decodeFrame(encodeFrame(sent, sealer), { sealer })).toEqual(sent);
  });
});
