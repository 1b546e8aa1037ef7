/**
 * What a set has grown by since its consumer began. It is nobody's for a while, and what comes meanwhile is not to be skipped by a
 * consumer that begins with what comes:
 *
 * 1. A consumer begins with the partitions that the set has when the first of them is owned.
 * 2. Every durable keeps that number in its metadata, and one that follows another keeps the other's. One that is handed over without it,
 *    made by an earlier version, is given it.
 * 3. A partition is grown where this process, or a durable of another partition, knows a number that does not reach it.
 *
 * The number is what somebody saw, so that no partition is taken for grown that the consumer began with, in whatever order they begin.
 */
import { newestEpochs } from './epoch.ts';
import type { EpochNames } from './epoch.ts';
import type { ConsumerConfig, JetStreamApi } from '../jetstream/jetstream-api.ts';

const key = 'quorate-begun-with';
/** One that tells would do, but for partitions that had their first owner after the set grew. */
const askedAtOnce = 8;

export function metadataOf(begunWith: number): NonNullable<ConsumerConfig['metadata']> {
  return { [key]: String(begunWith) };
}

/** Undefined for a durable that does not say so: of an earlier version, or on a server before 2.10. */
export function begunWithIn({ metadata }: ConsumerConfig): number | undefined {
  const count = metadata?.[key] ?? '';
  return /^[1-9]\d{0,5}$/.test(count) ? Number(count) : undefined;
}

/** By consumer, those under way: partitions that are taken side by side share one. */
const readings = new WeakMap<JetStreamApi, Map<string, Promise<number>>>();

/** With how many partitions the consumer began, as durables of other partitions tell, asked until some do; `count` where none does. */
export async function begunWithOfOthers(api: JetStreamApi, { name, partition }: EpochNames, count: number): Promise<number> {
  if (partition >= count) return count;
  const known = readings.get(api) ?? new Map<string, Promise<number>>();
  readings.set(api, known);
  const key = `${count} ${name}`;
  const reading = known.get(key) ?? readAll(api, name, count).finally(() => known.delete(key));
  known.set(key, reading);
  return reading;
}

async function readAll(api: JetStreamApi, name: string, count: number): Promise<number> {
  const newest = newestEpochs(name, await api.consumerNames());
  for (
    let others = [...newest].flatMap(([partition, epoch]) => (partition < count ? epoch : []));
    others.length > 0;
    others = others.slice(askedAtOnce)
  ) {
    const found = await Promise.all(others.slice(0, askedAtOnce).map((one) => api.consumerInfo(one.name)));
    const said = found.flatMap((info) => (info === undefined ? [] : (begunWithIn(info.config) ?? [])));
    if (said.length > 0) return Math.min(count, ...said);
  }
  return count;
}
