/** What arrives at a pull's inbox: a message of the stream, or what the server says about the pull. JetStream's ADR-13 and ADR-15. */
import type { NatsReceivedHeaders, NatsStreamMessage } from '../jetstream/stream-connection.ts';

/** A message of the stream, as the handler gets it. */
export interface OwnedMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: NatsReceivedHeaders | undefined;
  /** Its place in the stream. */
  readonly sequence: number;
  /**
   * How often this durable has delivered it, this time included. A message is delivered again also when one before it failed, and a
   * new durable, as after a crash, counts from 1.
   */
  readonly deliveries: number;
  /** When the stream stored it, in milliseconds since 1970. */
  readonly storedAtMs: number;
}

export interface Delivery {
  readonly message: OwnedMessage;
  /** Counts what the durable delivered: a number left out was lost on the way. */
  readonly consumerSequence: number;
  /** Where its acknowledgement goes. */
  readonly ackSubject: string;
}

export type Arrival =
  | { readonly type: 'delivery'; readonly delivery: Delivery }
  /** The pull is over, and another may follow. */
  | { readonly type: 'pullEnded' }
  | { readonly type: 'heartbeat' }
  /** The durable may be gone, or no longer lets this owner in. */
  | { readonly type: 'trouble'; readonly status: string };

const harmlessConflict = /leadership change|server shutdown|batch completed|message size exceeds|interest/i;

export function arrivalOf(message: NatsStreamMessage): Arrival {
  const { headers, reply } = message;
  const delivery = reply === undefined ? undefined : deliveryOf(message, reply);
  if (delivery !== undefined) return { type: 'delivery', delivery };
  const code = headers?.code ?? 0;
  const description = headers?.description ?? '';
  switch (code) {
    case 100:
      return { type: 'heartbeat' };
    case 404:
    case 408:
      return { type: 'pullEnded' };
    case 409:
      return harmlessConflict.test(description) ? { type: 'pullEnded' } : { type: 'trouble', status: `409 ${description}` };
    default:
      return { type: 'trouble', status: `${code} ${description}`.trim() };
  }
}

// ack => $JS ACK [domain account] stream consumer deliveries streamSequence consumerSequence timestamp pending [random]
function deliveryOf({ subject, data, headers }: NatsStreamMessage, ackSubject: string): Delivery | undefined {
  const tokens = ackSubject.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9 || tokens.length === 10) return undefined;
  const first = tokens.length === 9 ? 4 : 6;
  const [deliveries = 0, sequence = 0, consumerSequence = 0, storedAtNs = NaN] = tokens.slice(first, first + 4).map(numberIn);
  // Whoever may publish to the inbox may write what it likes here, and a place that is no number would be compared with for ever.
  if (![deliveries, sequence, consumerSequence].every((count) => count > 0 && count <= Number.MAX_SAFE_INTEGER)) return undefined;
  if (Number.isNaN(storedAtNs)) return undefined;
  const message: OwnedMessage = { subject, data, headers, sequence, deliveries, storedAtMs: Math.floor(storedAtNs / 1e6) };
  return { message, consumerSequence, ackSubject };
}

function numberIn(token: string): number {
  return /^\d{1,19}$/.test(token) ? Number(token) : NaN;
}
