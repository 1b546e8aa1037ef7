/** What tests of whole groups ask of locks, and what they read of the answers. */
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { World } from './world.ts';
import type { Process, WorldOptions } from './world.ts';

export const acquire =
  (name: string) =>
  (seq: number): LockOp => [lockOp.acquire, seq, `l/${name}`, 0, 0, null];

export const release =
  (name: string, token: number) =>
  (seq: number): LockOp => [lockOp.release, seq, `l/${name}`, token, null];

/** A group whose processes all have a session. */
export function openedWorld(options: WorldOptions = {}): World {
  const world = new World(options);
  world.until('sessions are open', () => world.everyoneHasASession());
  return world;
}

/** The token of that request's newest grant; 0 before there is one. */
export function tokenOf({ results }: Process, target: number): number {
  return results.findLast(([seq, code]) => seq === target && code === resultCode.granted)?.[2] ?? 0;
}

/** Asks for the lock and waits for it. */
export function take(world: World, node: string, name: string, limitMs?: number): number {
  const process = world.process(node);
  const before = process.results.length;
  const seq = world.request(node, acquire(name));
  const grant = (): number => tokenOf({ ...process, results: process.results.slice(before) }, seq);
  world.until(`${node} is granted ${name}`, () => grant() > 0, limitMs);
  return grant();
}

/** Gives the lock back and waits until that is answered. */
export function giveBack(world: World, node: string, name: string, token: number): void {
  const process = world.process(node);
  const before = process.results.length;
  const seq = world.request(node, release(name, token));
  world.until(`${node} gave ${name} back`, () => process.results.slice(before).some(([answered]) => answered === seq));
}

/** Whoever holds the lock by the word of the present leader. */
export function holdersOf(world: World, name: string): readonly string[] {
  return (
    world
      .leader()
      ?.member.inspect.state?.lockState(`l/${name}`)
      .holders.map(({ node }) => node) ?? []
  );
}

export function lossesOf({ events }: Process): number {
  return events.filter(({ event }) => event.type === 'sessionLost').length;
}
