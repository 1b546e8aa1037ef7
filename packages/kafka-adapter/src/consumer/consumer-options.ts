/** What a user may choose about an owned consumer, the defaults, and the rules between them. */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnOptions, Partitions, PartitionsOptions } from '@quorate/core/adapter';
import type { OnConsumerEvent } from './consumer-event.ts';
import type { DeadLetterHandler } from './handling.ts';
import type { EachBatch, EachMessage } from './payload.ts';

/** A Quorate instance, or whatever else hands out sets of partitions. */
export interface PartitionsSource {
  partitions(name: string, options: Pick<PartitionsOptions, 'count' | 'graceMs' | 'settleMs'>): Partitions;
}

/** `graceMs` and `settleMs` are of the set: how long an absent owner's partitions wait for it, and how soon changes are acted on. */
export interface OwnedConsumerOptions
  extends Pick<OwnOptions, 'weight' | 'drainTimeoutMs' | 'onDrainTimeout'>, Pick<PartitionsOptions, 'graceMs' | 'settleMs'> {
  /** Under which offsets are committed; no consumer group is joined. Existing offsets of the group are where consuming goes on. */
  readonly groupId: string;
  /** All with the same number of partitions: partition p of every topic belongs to whoever owns p. May be given to `subscribe` instead. */
  readonly topics?: readonly string[];
  /**
   * Where a partition has no committed offset: at its first message, or after the last one. What a topic has grown by since the group
   * began is read from its first message in any case. Default false.
   */
  readonly fromBeginning?: boolean;
  /** Of the set of partitions in the Quorate group. Default: `groupId`. */
  readonly name?: string;
  /**
   * `plain`, the default: a commit that is delayed on its way past the end of its lease can move an offset back once. `fenced`: by a
   * transactional producer for each partition, which the next owner fences; about three requests a commit instead of one.
   */
  readonly commit?: 'plain' | 'fenced';
  /** Is given a message that was failed `deadLetterAfter` times; once it has resolved, the message counts as done. */
  readonly deadLetter?: DeadLetterHandler;
  /** Failures of one message before it goes to `deadLetter`, 1 to 100, with growing pauses between. Default 3. */
  readonly deadLetterAfter?: number;
  readonly onEvent?: OnConsumerEvent;
  /** Of a whole answer and of one partition's share of it, in bytes. Default 10 MiB and 1 MiB. */
  readonly maxBytes?: number;
  readonly maxBytesPerPartition?: number;
  readonly minBytes?: number;
  /** Between looks at how many partitions the topics have, in milliseconds. Default one minute. */
  readonly metadataMaxAgeMs?: number;
  /** Between looks for members of an old deployment in the group, in milliseconds. Default 10 s. */
  readonly groupCheckIntervalMs?: number;
  /** Between commits of positions that did not move: the offsets of a group without members expire. Default one day. */
  readonly recommitIntervalMs?: number;
}

/** As `run` of kafkajs takes it. */
export interface OwnedRunConfig {
  readonly eachMessage?: EachMessage;
  readonly eachBatch?: EachBatch;
  /** Default true; otherwise only `commitOffsets` commits, and the next owner begins at what it committed. */
  readonly autoCommit?: boolean;
  /** Within a batch, in milliseconds. Default one second; null: at the ends of batches only. */
  readonly autoCommitInterval?: number | null;
  readonly autoCommitThreshold?: number | null;
  /** Default true: a batch whose handler has resolved counts as done. */
  readonly eachBatchAutoResolve?: boolean;
  /** Default: all that are owned, each in its own order. */
  readonly partitionsConsumedConcurrently?: number;
}

export const ownedConsumerDefaults = {
  fromBeginning: false,
  commit: 'plain',
  deadLetterAfter: 3,
  minBytes: 1,
  maxBytes: 10_485_760,
  maxBytesPerPartition: 1_048_576,
  metadataMaxAgeMs: 60_000,
  groupCheckIntervalMs: 10_000,
  recommitIntervalMs: 86_400_000,
  autoCommitInterval: 1_000,
} as const;

export type ResolvedConsumerOptions = Omit<OwnedConsumerOptions, keyof typeof ownedConsumerDefaults> &
  Required<Pick<OwnedConsumerOptions, Exclude<keyof typeof ownedConsumerDefaults, 'autoCommitInterval'>>> & {
    readonly name: string;
    readonly onEvent: OnConsumerEvent;
  };

/** setTimeout takes no more. */
const timerMsMax = 2_147_483_647;

export function resolveConsumerOptions(options: OwnedConsumerOptions): ResolvedConsumerOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as OwnedConsumerOptions;
  const resolved = { ...ownedConsumerDefaults, name: options.groupId, onEvent: ignore, ...given };
  if (typeof resolved.groupId !== 'string' || resolved.groupId === '') throw invalid('`groupId` is empty.');
  if (!['plain', 'fenced'].includes(resolved.commit))
    throw invalid(`\`commit\` is ${JSON.stringify(resolved.commit)}, not 'plain' or 'fenced'.`);
  if (!areNames(resolved.topics ?? [])) throw invalid('`topics` is not a list of names.');
  checkInteger('deadLetterAfter', resolved.deadLetterAfter, { min: 1, max: 100 });
  checkInteger('minBytes', resolved.minBytes, { min: 1, max: timerMsMax });
  checkInteger('maxBytes', resolved.maxBytes, { min: 1, max: timerMsMax });
  checkInteger('maxBytesPerPartition', resolved.maxBytesPerPartition, { min: 1, max: timerMsMax });
  checkInteger('metadataMaxAgeMs', resolved.metadataMaxAgeMs, { min: 10, max: timerMsMax });
  checkInteger('groupCheckIntervalMs', resolved.groupCheckIntervalMs, { min: 10, max: timerMsMax });
  checkInteger('recommitIntervalMs', resolved.recommitIntervalMs, { min: 10, max: timerMsMax });
  return resolved;
}

/** The one handler, and what goes with it. */
export function checkRunConfig({ eachMessage, eachBatch, ...config }: OwnedRunConfig): void {
  if ((eachMessage === undefined) === (eachBatch === undefined)) throw invalid('`run` takes either `eachMessage` or `eachBatch`.');
  if (typeof (eachMessage ?? eachBatch) !== 'function') throw invalid('The handler of `run` is not a function.');
  const { partitionsConsumedConcurrently: atOnce = 1, autoCommitInterval: intervalMs, autoCommitThreshold: threshold } = config;
  checkInteger('partitionsConsumedConcurrently', atOnce, { min: 1, max: Number.MAX_SAFE_INTEGER });
  checkInteger('autoCommitInterval', intervalMs ?? 0, { min: 0, max: timerMsMax });
  checkInteger('autoCommitThreshold', threshold ?? 1, { min: 1, max: Number.MAX_SAFE_INTEGER });
}

/** Of topics. JavaScript lets patterns and single names through. */
export function areNames(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== '');
}

function invalid(happened: string): QuorateError {
  return new QuorateError('INVALID_OPTIONS', happened);
}

function checkInteger(name: string, value: number, { min, max }: { readonly min: number; readonly max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalid(`\`${name}\` is ${value}, not a whole number from ${min} to ${max}.`);
}

function ignore(): void {}
