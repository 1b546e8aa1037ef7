/** What goes wrong at a broker, in the few kinds that this package acts on; each driver translates its client's errors into them. */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';

/**
 * - `connection`: unreachable, lost or silent. `leader`: a partition moved, or has no leader for now.
 * - `missing`: no such topic. `denied`: no right to it. `outOfRange`: the offset asked for is gone or not there yet.
 * - `tooLarge`: a batch over the topic's limit. `refused`: anything else, a record that cannot be decoded included.
 * - `coordinator`: a group or a transaction is looked after by another broker, or not yet again. `members`: a group has members, and
 *   its offsets are theirs to commit. `fenced`: a newer producer has the transactional id.
 */
export type FailureKind =
  'connection' | 'leader' | 'missing' | 'denied' | 'outOfRange' | 'tooLarge' | 'coordinator' | 'members' | 'fenced' | 'refused';

export class KafkaFailure extends Error {
  override readonly name = 'KafkaFailure';
  readonly kind: FailureKind;
  /** Where the broker named one. */
  readonly partition: number | undefined;

  constructor(kind: FailureKind, message: string, options: { readonly cause?: unknown; readonly partition?: number } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.partition = options.partition;
  }
}

/** The error for the caller of `open` or `readEvents`. */
export function asQuorateError(error: unknown, topic: string): QuorateError {
  if (isQuorateError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof KafkaFailure && error.kind === 'denied') return deniedError(topic, error);
  return new QuorateError('TRANSPORT_FAILED', `Topic ${topic} could not be opened: ${sentence(message)}`, {
    cause: error,
    details: { topic },
  });
}

export function deniedError(topic: string, failure: KafkaFailure): QuorateError {
  const rights = `Read, Write and Describe on topic ${topic}, and Create where Quorate is to create it`;
  return new QuorateError('TRANSPORT_DENIED', `${sentence(failure.message)} Needed: ${rights}.`, {
    cause: failure.cause ?? failure,
    details: { topic },
  });
}

/** The text with a full stop: error messages are put together from sentences. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
