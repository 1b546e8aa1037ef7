/** Seals: HMAC-SHA256 over whole frames by a keyring, so that nobody without a secret can speak in a group. `docs/protocol.md`, "Seals". */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { QuorateError } from '../errors.ts';

export const sealBytes = 32;
const secretBytesMin = 16;
const secretsMax = 8;

/** The parts of a frame around its seal: what comes before it and what comes after. */
export interface SealedParts {
  readonly prefix: Uint8Array;
  readonly body: Uint8Array;
}

export interface Sealer {
  sign(parts: SealedParts): Uint8Array;
  verify(parts: SealedParts, seal: Uint8Array): boolean;
}

/**
 * The first secret signs, all of them verify, so that keys rotate without a pause: first add the new secret behind the old one
 * everywhere, then put it first everywhere, then drop the old one.
 *
 * Throws `INVALID_OPTIONS`; a secret has at least 16 bytes (a string counts in UTF-8).
 */
export function createSealer(secrets: readonly (string | Uint8Array)[]): Sealer {
  if (!Array.isArray(secrets) || secrets.length === 0 || secrets.length > secretsMax) {
    throw new QuorateError('INVALID_OPTIONS', `\`secrets\` must list 1 to ${secretsMax} secrets, the newest first.`);
  }
  const keys = secrets.map(keyOf);
  const [newest] = keys as [KeyObject];
  return {
    sign: (parts) => macOf(newest, parts),
    verify: (parts, seal) => seal.length === sealBytes && keys.some((key) => timingSafeEqual(macOf(key, parts), seal)),
  };
}

/** Says which secret is wrong by its place, never by its text. */
function keyOf(secret: unknown, index: number): KeyObject {
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret instanceof Uint8Array ? Buffer.from(secret) : undefined;
  if (bytes === undefined || bytes.length < secretBytesMin) {
    throw new QuorateError('INVALID_OPTIONS', `\`secrets[${index}]\` must be a string or bytes, at least ${secretBytesMin} bytes long.`);
  }
  return createSecretKey(bytes);
}

function macOf(key: KeyObject, { prefix, body }: SealedParts): Uint8Array {
  return createHmac('sha256', key).update(prefix).update(body).digest();
}
