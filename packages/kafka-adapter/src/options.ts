/** What a user may choose about the Kafka transport, the defaults, and the rules between them. */
import { QuorateError } from '@quorate/core/adapter';
import type { TimingHints } from '@quorate/core/adapter';
import { clientInboxesDefault } from './layout.ts';

export interface KafkaTransportOptions {
  /**
   * How frames are read. `handle`: without a consumer group, by the cluster that kafkajs gives to partition assigners. `group`: by a
   * consumer group of this process alone, for clients that give none; slower to start. `auto`, the default: the first that works.
   */
  readonly read?: 'auto' | 'handle' | 'group';
  /** Partitions that the nodes beside the voters share as inboxes, 1 to 1000; the same in every process. Default 16. */
  readonly clientInboxes?: number;
  /** Replicas of the topics, where Quorate creates them. Default: as many as there are brokers, up to 3. */
  readonly replicationFactor?: number;
  /** How long Kafka keeps frames, in milliseconds, where Quorate creates the topic; they serve nobody after seconds. Default 10 minutes. */
  readonly retentionMs?: number;
  /** Produce requests under way to one broker, 1 to 5. More are no faster: what waits leaves together. Default 2. */
  readonly inFlightMax?: number;
  /** Replaces some of the hints: 300 ms, 1500 ms (3000 ms where a group is joined), 30 s. */
  readonly timing?: Partial<TimingHints>;
}

export interface ResolvedOptions {
  readonly read: 'auto' | 'handle' | 'group';
  readonly clientInboxes: number;
  readonly replicationFactor: number | undefined;
  readonly retentionMs: number;
  readonly inFlightMax: number;
  readonly timing: Partial<TimingHints>;
}

export const kafkaTransportDefaults = {
  read: 'auto',
  clientInboxes: clientInboxesDefault,
  retentionMs: 600_000,
  inFlightMax: 2,
} as const;

/** A broker restart shorter than half of the TTL loses no lease. */
export const handleTiming: TimingHints = { heartbeatMs: 300, electionTimeoutMs: 1_500, sessionTtlMs: 30_000 };
/** A group may take its time to be joined again after a disconnect, and the session must outlast the longer elections. */
export const groupTiming: TimingHints = { ...handleTiming, electionTimeoutMs: 3_000, sessionTtlMs: 45_000 };

export function resolveKafkaTransportOptions(options: KafkaTransportOptions): ResolvedOptions {
  const resolved = { ...kafkaTransportDefaults, replicationFactor: undefined, timing: {}, ...withoutUndefined(options) };
  if (!['auto', 'handle', 'group'].includes(resolved.read)) {
    throw new QuorateError('INVALID_OPTIONS', `\`read\` is ${JSON.stringify(resolved.read)}, not 'auto', 'handle' or 'group'.`);
  }
  checkInteger('clientInboxes', resolved.clientInboxes, { min: 1, max: 1_000 });
  checkInteger('retentionMs', resolved.retentionMs, { min: 60_000, max: 604_800_000 });
  checkInteger('inFlightMax', resolved.inFlightMax, { min: 1, max: 5 });
  if (resolved.replicationFactor !== undefined) checkInteger('replicationFactor', resolved.replicationFactor, { min: -1, max: 100 });
  return resolved;
}

function withoutUndefined(options: KafkaTransportOptions): KafkaTransportOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function checkInteger(name: string, value: number, { min, max }: { readonly min: number; readonly max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${value}, not a whole number from ${min} to ${max}.`);
}
