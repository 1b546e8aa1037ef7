/** The errors of `@platformatic/kafka` as failures: by the broker's error code, or by the client's where no broker was heard. */
import { KafkaFailure } from '../failure.ts';
import type { FailureKind } from '../failure.ts';

/** https://kafka.apache.org/protocol, "Error codes". */
const kindOfBrokerCode: Readonly<Record<number, FailureKind>> = {
  [-1]: 'leader',
  1: 'outOfRange',
  2: 'leader',
  3: 'missing',
  5: 'leader',
  6: 'leader',
  7: 'leader',
  8: 'connection',
  9: 'leader',
  13: 'connection',
  14: 'coordinator',
  15: 'coordinator',
  16: 'coordinator',
  22: 'members',
  25: 'members',
  27: 'members',
  29: 'denied',
  30: 'denied',
  31: 'denied',
  47: 'fenced',
  49: 'fenced',
  51: 'coordinator',
  52: 'fenced',
  53: 'denied',
  56: 'leader',
  58: 'denied',
  74: 'leader',
  75: 'leader',
  78: 'leader',
  88: 'coordinator',
  90: 'fenced',
  // A topic that was made anew has another id.
  100: 'leader',
  103: 'leader',
};

const kindOfClientCode: Readonly<Record<string, FailureKind>> = {
  PLT_KFK_NETWORK: 'connection',
  PLT_KFK_TIMEOUT: 'connection',
  PLT_KFK_AUTHENTICATION: 'denied',
};

/** Not by class: this package imports nothing of the client, and its errors may come from another realm. */
interface ClientError {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly apiCode?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

export function failureOfCode(code: number, message: string): KafkaFailure {
  return new KafkaFailure(kindOfBrokerCode[code] ?? 'refused', message);
}

export function platformaticFailure(error: unknown): KafkaFailure {
  if (error instanceof KafkaFailure) return error;
  const chain = chainOf(error);
  const message = String((error as ClientError | undefined)?.message ?? error);
  for (const { apiCode, message: broker } of chain) {
    if (typeof apiCode === 'number') return new KafkaFailure(kindOfBrokerCode[apiCode] ?? 'refused', String(broker), { cause: error });
  }
  for (const { code } of chain) {
    const kind = typeof code === 'string' ? kindOfClientCode[code] : undefined;
    if (kind !== undefined) return new KafkaFailure(kind, message, { cause: error });
  }
  return new KafkaFailure('refused', message, { cause: error });
}

function chainOf(error: unknown, depth = 0): readonly ClientError[] {
  if (typeof error !== 'object' || error === null || depth > 8) return [];
  const { cause, errors }: ClientError = error;
  const members: unknown[] = Array.isArray(errors) ? errors : [];
  return [error, ...[...members, cause].flatMap((inner) => chainOf(inner, depth + 1))];
}
