/** Offsets as users write them: decimal numbers, and for a seek also the two by which kafkajs names the ends of the log. */
import { QuorateError } from '@quorate/core/adapter';

/** After the last message, and at the first. Kafka's `ListOffsets` names them so, and kafkajs takes them in `seek`. */
export const latestOffset = -1n;
export const earliestOffset = -2n;

const decimal = /^\d{1,19}$/;
const offsetEnd = 2n ** 63n;

/** @throws QuorateError `INVALID_OPTIONS` */
export function readOffset(offset: unknown): bigint {
  const read = typeof offset === 'string' && decimal.test(offset) ? BigInt(offset) : offsetEnd;
  if (read < offsetEnd) return read;
  const shown = JSON.stringify(offset) ?? String(offset);
  throw new QuorateError('INVALID_OPTIONS', `\`offset\` is ${shown}, not a whole number from 0 to 2^63 − 1 as decimal text.`);
}

/** @throws QuorateError `INVALID_OPTIONS` */
export function readSoughtOffset(offset: unknown): bigint {
  const edge = [latestOffset, earliestOffset].find((one) => String(one) === offset);
  return edge ?? readOffset(offset);
}
