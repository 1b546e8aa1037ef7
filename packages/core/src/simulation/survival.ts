/** What a group survives: who its present voters are, and which of them still have what they need to go on. */
import { isVoter } from '../paxos/configuration.ts';
import type { Configuration, Seat } from '../paxos/configuration.ts';
import { stopSignOf } from '../session/command.ts';
import type { ChosenLog } from './observer.ts';
import type { World } from './world.ts';

/** The configuration that the founding came to, as far as anybody applied its log. */
export function presentOf({ record, state }: ChosenLog): Configuration {
  const { id, voters } = state.configuration;
  return id === 1 ? record.configuration : { ...record.configuration, id, voters };
}

/** So many lost their memory that those that are left give their seats up, where they were told to: then all found the group anew. */
export function isToBeRefounded(world: World, { voters }: Configuration): boolean {
  const left = voters.filter(({ node, incarnation }) => {
    const inside = world.processes.get(node)?.member?.inspect;
    return inside ? inside.self.incarnation === incarnation : world.diskOf(node).holds([{ incarnation }]);
  });
  // Whose seat was given away, and who heard no leader since, keeps its word to the group, and nobody founds beside it.
  const isBound = world.living.some(({ member }) => {
    const { self, founder } = member?.inspect ?? {};
    if (self === undefined) return false;
    // Nor does a voter that is not named give its seat up, for it has no part in a founding by names.
    return isVoter({ voters }, self) ? founder === null : founder?.standing === 'founded';
  });
  return world.circumstances.refounds === true && !isBound && left.length <= voters.length / 2;
}

/** The present voters that have entered their configuration, and so hold all that it began with. */
export function keepersOf(world: World, configuration: Configuration): readonly string[] {
  return configuration.voters.map(({ node }) => node).filter((node) => isKeeper(world, node, configuration));
}

/**
 * A loss beyond this one would be survived by nobody: a majority without the node must have entered the present configuration, and one of
 * each that may follow it must have what it takes to enter that.
 */
export function bearsLossOf(world: World, node: string): boolean {
  const log = [...world.observer.logs.values()].at(-1);
  if (!log) return false;
  const present = presentOf(log);
  const others = keepersOf(world, present).filter((other) => other !== node);
  if (others.length <= present.voters.length / 2) return false;
  return prospectsOf(world, present).every((prospect) => {
    const able = prospect.voters.filter((seat) => seat.node !== node && mayEnter(world, seat, present));
    return able.length > prospect.voters.length / 2;
  });
}

/** Configurations whose stop-sign somebody holds and nobody has applied yet. */
function prospectsOf(world: World, present: Configuration): readonly Pick<Configuration, 'voters'>[] {
  const applied = Math.max(0, ...[...world.observer.logs.values()].map(({ state }) => state.appliedIndex));
  return world.living.flatMap(({ member }) => {
    const { log, record } = member?.inspect ?? {};
    if (!log || record?.configuration.founding !== present.founding) return [];
    const found: Pick<Configuration, 'voters'>[] = [];
    for (let slot = Math.max(applied, log.floor) + 1; slot <= log.lastSlot; slot += 1) {
      const stopSign = stopSignOf(log.vote(slot)?.value ?? [0, []]);
      if (stopSign) found.push({ voters: stopSign[3].map(([node, incarnation]) => ({ node, incarnation })) });
    }
    return found;
  });
}

/** Alive under that incarnation, or on a disk that is in the present configuration and so will learn of the next. */
function mayEnter(world: World, seat: Seat, present: Configuration): boolean {
  const process = world.processes.get(seat.node);
  const inside = process?.isAlive ? process.member?.inspect : undefined;
  if (inside) return inside.self.incarnation === seat.incarnation;
  const disk = world.diskOf(seat.node);
  return disk.holds([seat]) && disk.isIn(present);
}

function isKeeper(world: World, node: string, configuration: Configuration): boolean {
  const process = world.processes.get(node);
  const inside = process?.isAlive ? process.member?.inspect : undefined;
  if (!inside) return world.diskOf(node).isIn(configuration);
  return isVoter(configuration, inside.self) && (configuration.id === 1 || inside.replica?.configuration.id === configuration.id);
}
