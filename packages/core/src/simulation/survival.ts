/** What a group survives: who its present voters are, and which of them still have what they need to go on. */
import { isVoter } from '../paxos/configuration.ts';
import type { Configuration } from '../paxos/configuration.ts';
import type { ChosenLog } from './observer.ts';
import type { World } from './world.ts';

/** The configuration that the founding came to, as far as anybody applied its log. */
export function presentOf({ record, state }: ChosenLog): Configuration {
  const { id, voters } = state.configuration;
  return id === 1 ? record.configuration : { ...record.configuration, id, voters };
}

/** The present voters that have entered their configuration, and so hold all that it began with. */
export function keepersOf(world: World, configuration: Configuration): readonly string[] {
  return configuration.voters.map(({ node }) => node).filter((node) => isKeeper(world, node, configuration));
}

/** A loss beyond this one would be survived by nobody: a majority without the node must have entered the present configuration. */
export function bearsLossOf(world: World, node: string): boolean {
  const log = [...world.observer.logs.values()].at(-1);
  if (!log) return false;
  const configuration = presentOf(log);
  const others = keepersOf(world, configuration).filter((other) => other !== node);
  return others.length > configuration.voters.length / 2;
}

function isKeeper(world: World, node: string, configuration: Configuration): boolean {
  const process = world.processes.get(node);
  const inside = process?.isAlive ? process.member?.inspect : undefined;
  if (!inside) return world.diskOf(node).isIn(configuration);
  return isVoter(configuration, inside.self) && (configuration.id === 1 || inside.replica?.configuration.id === configuration.id);
}
