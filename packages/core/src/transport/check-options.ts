/** What transports refuse of their options. */
import { QuorateError } from '../errors.ts';
import { isRecord } from '../record.ts';
import { shown } from '../shown.ts';
import { frameBytesLeast } from './frame-limit.ts';

/** Throws INVALID_OPTIONS for what is no object: options that are not given at all are left out. */
export function checkTransportOptions(maker: string, options: unknown): void {
  if (isRecord(options)) return;
  throw new QuorateError('INVALID_OPTIONS', `The options of \`${maker}\` are ${shown(options)}; they must be an object, or left out.`);
}

/** Throws INVALID_OPTIONS. */
export function checkFrameBytesMax(frameBytesMax: unknown): number {
  if (typeof frameBytesMax === 'number' && Number.isSafeInteger(frameBytesMax) && frameBytesMax >= frameBytesLeast) return frameBytesMax;
  const happened = `\`frameBytesMax\` is ${shown(frameBytesMax)}; it must be a whole number of at least ${frameBytesLeast}.`;
  throw new QuorateError('INVALID_OPTIONS', happened);
}
