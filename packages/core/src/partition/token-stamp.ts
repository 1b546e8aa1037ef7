/**
 * The token on the message path: an owner's output says under which token of which resource it was made, in two headers that are
 * the same on every broker. Both are printable ASCII, for a header of NATS is text and loses spaces at its ends.
 *
 *   quorate-resource => resource, percent-encoded UTF-8          quorate-token => token, decimal
 */
import { QuorateError } from '../errors.ts';

export const tokenHeader = 'quorate-token';
export const resourceHeader = 'quorate-resource';

/** What a token protects, and the token: `{ resource: 'orders/12', token }` for a partition, `{ resource: lock.name, token }` for a lock. */
export interface TokenStamp {
  /**
   * Tokens are compared within it: the same text by every owner of the same thing, and no two things of one text, in whatever
   * group. 1 to 1,024 characters.
   */
  readonly resource: string;
  /** The fencing token of the lock, term or partition. A safe integer. */
  readonly token: number;
}

export const resourceCharsMax = 1_024;
/** A UTF-16 unit takes at most three bytes, and each of them three characters: what is longer need not be decoded to be refused. */
const resourceTextCharsMax = 9 * resourceCharsMax;

const decimal = /^(?:0|[1-9][0-9]{0,15})$/;

export function isResource(resource: unknown): resource is string {
  return typeof resource === 'string' && resource.length > 0 && resource.length <= resourceCharsMax;
}

export function isToken(token: unknown): token is number {
  return Number.isSafeInteger(token) && (token as number) >= 0;
}

/**
 * The values of the two headers.
 *
 * @throws QuorateError `INVALID_OPTIONS` where the resource or the token is none.
 */
export function writeStamp({ resource, token }: TokenStamp): { readonly resource: string; readonly token: string } {
  if (!isToken(token)) throw new QuorateError('INVALID_OPTIONS', `\`token\` is ${String(token)}, not a safe integer of at least 0.`);
  if (!isResource(resource))
    throw new QuorateError('INVALID_OPTIONS', `\`resource\` is not a text of 1 to ${resourceCharsMax} characters.`);
  try {
    return { resource: encodeURI(resource), token: String(token) };
  } catch (cause) {
    throw new QuorateError('INVALID_OPTIONS', '`resource` is not well-formed Unicode.', { cause });
  }
}

/** What the two headers say, or `undefined` where one is missing or is not as `writeStamp` writes it. Never throws: they came from a broker. */
export function readStamp(resourceText: string | undefined, tokenText: string | undefined): TokenStamp | undefined {
  if (resourceText === undefined || tokenText === undefined) return undefined;
  if (!decimal.test(tokenText) || resourceText.length > resourceTextCharsMax) return undefined;
  const token = Number(tokenText);
  const resource = decoded(resourceText);
  return isToken(token) && isResource(resource) ? { resource, token } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
