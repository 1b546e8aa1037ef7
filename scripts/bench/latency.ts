/** Latencies in a histogram of nanoseconds: three digits of precision from a memory bus to a broker that hangs. */
import { build } from 'hdr-histogram-js';

const longestNs = 60e9;

export interface Quantiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Latencies {
  private readonly histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: longestNs, numberOfSignificantValueDigits: 3 });

  add(ms: number): void {
    this.histogram.recordValue(Math.min(longestNs, Math.max(1, Math.round(ms * 1e6))));
  }

  get quantiles(): Quantiles {
    const { histogram } = this;
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1e6;
    return { count: histogram.totalCount, p50Ms: at(50), p99Ms: at(99), maxMs: histogram.maxValue / 1e6 };
  }
}

/** Of a few values, where a histogram would only blur them: the nearest rank. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? NaN;
}
