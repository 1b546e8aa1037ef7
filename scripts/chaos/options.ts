/** The command line that all kinds of chaos have in common: read alike, and refused in the same words with the usage beside them. */
import { parseArgs } from 'node:util';
import type { BrokerName } from './timing.ts';

export const commonOptions = {
  scenario: { type: 'string' },
  broker: { type: 'string' },
  cluster: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
} as const;

export interface Place {
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A scenario of its own; it is told how to leave word of what must be stopped should this process end early. */
export type ScenarioCommand = (args: readonly string[], onStarted: (stop: () => Promise<void>) => void) => Promise<void>;

/** Which scenario is asked for, before anything else is read: each has options of its own. */
export function scenarioOf(args: readonly string[]): string | undefined {
  const { scenario } = parseArgs({ args: [...args], options: { scenario: commonOptions.scenario }, strict: false }).values;
  return scenario === undefined ? undefined : String(scenario);
}

export class OptionReader {
  constructor(private readonly usage: string) {}

  place({ broker, cluster }: { readonly broker?: string | undefined; readonly cluster: string }): Place {
    return {
      broker: broker === 'nats' || broker === 'kafka' ? broker : this.refuse('broker', broker, 'nats or kafka'),
      cluster: cluster === '1' ? 1 : cluster === '3' ? 3 : this.refuse('cluster', cluster, '1 or 3'),
    };
  }

  count(option: string, given: string | undefined, { min, max }: Range): number {
    const value = Number(given);
    if (given !== undefined && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.refuse(option, given, `a whole number from ${min} to ${max}`);
  }

  refuse(option: string, given: string | undefined, wanted: string): never {
    throw new Error(`--${option} is ${given ?? 'missing'}, and must be ${wanted}\n${this.usage}`);
  }
}

/** Lines for people, each with the seconds since now. */
export function progressLines(): (text: string) => void {
  const beganMs = performance.now();
  return (text) => console.log(`  ${((performance.now() - beganMs) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
}
