/** A group in the virtual world with a log of few slots, and members of it that lag behind. */
import { checkGroupState } from '../../src/group/group-invariants.ts';
import type { MemberMessage } from '../../src/group/member-message.ts';
import { lockOp } from '../../src/lock/command.ts';
import { World } from './world.ts';
import type { Process, WorldOptions } from './world.ts';

export const logSlotsMax = 40;
const limits = { slotsKept: 10, logSlotsMax };

export function founded(options: WorldOptions = {}): World {
  const world = new World({ ...limits, clients: ['d'], ...options });
  world.until('everyone has a session', () => world.leader() !== undefined && world.everyoneHasASession());
  return world;
}

/** Locks that stay, a slot each. */
export function traffic(world: World, locks: number, name = 'l'): void {
  for (let lock = 0; lock < locks; lock += 1) {
    world.request('d', (seq) => [lockOp.acquire, seq, `l/${name}${lock}`, 0, 0, 'x'.repeat(200)]);
    world.run(30);
  }
}

/** How many messages of a type were sent from now on. */
export function count(world: World, type: MemberMessage['type']): () => number {
  let seen = 0;
  world.network.swallows = (message) => {
    if (message.type === type) seen += 1;
    return false;
  };
  return () => seen;
}

export function followers(world: World): readonly Process[] {
  const leader = world.leader();
  return world.livingVoters.filter((process) => process !== leader);
}

/** In slots, as they are kept. */
export function logLength({ member }: Process): number {
  const { replica } = member.inspect;
  return replica ? replica.log.chosenIndex - replica.log.floor : 0;
}

export function isCaughtUp(world: World, { node }: Process): boolean {
  const mine = world.process(node).member.inspect.state;
  const leaders = world.leader()?.member.inspect.state;
  return mine !== null && leaders !== undefined && leaders !== null && mine.appliedIndex === leaders.appliedIndex;
}

export function sameStates(world: World): void {
  world.until('all have applied the same', () => world.isSettled());
  const states = world.livingVoters.map(({ member }) => member.inspect.state);
  expect(new Set(states.map((state) => state?.hash())).size).toBe(1);
  for (const state of states) if (state) expect(checkGroupState(state)).toEqual([]);
}
