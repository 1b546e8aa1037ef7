/** Names of users as tokens that every broker accepts in a subject or topic: injective, bounded, plain names unchanged. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../errors.ts';

/** Kafka allows 249 characters for a whole topic name; this leaves room for what stands around a token. */
export const nameTokenLengthMax = 200;

// Base64url of SHA-256 has 43 characters; the marker before it has two.
const hashedPrefixLengthMax = nameTokenLengthMax - 45;

const plainName = /^[A-Za-z0-9-]+$/;
const loneSurrogate = /^[\ud800-\udfff]$/;

/**
 * Encodes any Unicode text as a token of `[A-Za-z0-9_-]`. Letters, digits and `-` stay. `_` becomes `__`, any other character the
 * bytes of its UTF-8 form as `_` and two hexadecimal digits each, and half a surrogate pair, which has no UTF-8 form, `_u` and four.
 * A token over 200 characters keeps its beginning, and `_s` with the SHA-256 of the whole takes the place of the rest; no shorter
 * token contains `_s`, so the two kinds cannot meet.
 *
 * @throws QuorateError `INVALID_NAME` for the empty text, which has no token.
 */
export function encodeName(name: string): string {
  if (name.length === 0) throw new QuorateError('INVALID_NAME', 'A name is empty.');
  if (name.length <= nameTokenLengthMax && plainName.test(name)) return name;
  let token = '';
  let kept = 0;
  for (const character of name) {
    token += escapeCharacter(character);
    if (token.length <= hashedPrefixLengthMax) kept = token.length;
  }
  if (token.length <= nameTokenLengthMax) return token;
  return `${token.slice(0, kept)}_s${createHash('sha256').update(token).digest('base64url')}`;
}

function escapeCharacter(character: string): string {
  if (plainName.test(character)) return character;
  if (character === '_') return '__';
  if (loneSurrogate.test(character)) return `_u${character.charCodeAt(0).toString(16)}`;
  let escaped = '';
  for (const byte of Buffer.from(character, 'utf8')) escaped += `_${byte.toString(16).padStart(2, '0')}`;
  return escaped;
}
