/** How a fault comes over a world, and how it passes. Each is whole in itself, so that a story can be shortened by leaving some out. */
import { unreachable } from '../errors.ts';
import { theLeader } from './circumstances.ts';
import type { Fault, TimedFault, Victim } from './circumstances.ts';
import type { Mark } from './marks.ts';
import { bearsLossOf } from './survival.ts';
import type { SimulatedProcess, World } from './world.ts';

/** Plans all faults of the world's circumstances. */
export function planFaults(world: World): void {
  for (const fault of world.circumstances.faults) world.schedule.at(fault.atMs, () => bring(world, fault));
}

function bring(world: World, fault: TimedFault): void {
  if (world.isPeace) return;
  const { mark, undo } = apply(world, fault);
  if (mark !== null) world.marks.reach(mark);
  if (undo === undefined || !('forMs' in fault)) return;
  world.schedule.after(fault.forMs, () => {
    if (!world.isPeace) undo();
  });
}

interface Brought {
  /** Null where the fault found nobody to come over. */
  readonly mark: Mark | null;
  /** Absent where there is nothing to undo. */
  readonly undo?: () => void;
}

function apply(world: World, fault: Fault): Brought {
  const { network } = world;
  switch (fault.type) {
    case 'cut':
      return { mark: 'linkCut', undo: cutAll(world, [[nodeOf(world, fault.from), nodeOf(world, fault.to)]]) };
    case 'isolate': {
      const node = nodeOf(world, fault.node);
      const others = world.nodes.filter((other) => other !== node);
      const links = [...others.map((other) => [node, other] as const), ...others.map((other) => [other, node] as const)];
      return { mark: 'nodeIsolated', undo: cutAll(world, links) };
    }
    case 'deaf': {
      const node = nodeOf(world, fault.node);
      const links = world.nodes.filter((other) => other !== node).map((other) => [other, node] as const);
      return { mark: 'nodeDeafened', undo: cutAll(world, links) };
    }
    case 'split': {
      const outside = world.nodes.filter((node) => !fault.side.includes(node));
      const links = fault.side.flatMap((one) =>
        outside.flatMap((other): Link[] => [
          [one, other],
          [other, one],
        ]),
      );
      return { mark: links.length > 0 ? 'nodesSplit' : null, undo: cutAll(world, links) };
    }
    case 'clog': {
      const [from, to] = [nodeOf(world, fault.from), nodeOf(world, fault.to)];
      world.tell(`the link ${from} > ${to} clogs`);
      return { mark: 'linkClogged', undo: network.clog(from, to) };
    }
    case 'weather': {
      const before = network.weather;
      world.tell(`weather: ${JSON.stringify(fault.weather)}`);
      network.weather = fault.weather;
      // What it does to frames is marked by what becomes of them.
      return { mark: null, undo: () => void (network.weather = before) };
    }
    case 'stop':
      return stop(world, fault);
    case 'crash':
      return { mark: crash(world, fault) };
    case 'leave':
      return { mark: leave(world, fault) };
    case 'clockJump': {
      const node = nodeOf(world, fault.node);
      world.tell(`the calendar clock of ${node} jumps by ${fault.byMs} ms`);
      const process = livingAt(world, node);
      process?.host.jumpWall(fault.byMs);
      return { mark: process ? 'calendarJumped' : null };
    }
    case 'clockRate': {
      const node = nodeOf(world, fault.node);
      const host = livingAt(world, node)?.host;
      world.tell(`the monotonic clock of ${node} runs at ${fault.rate}`);
      host?.setRate(fault.rate);
      const undo = (): void => host?.setRate(world.circumstances.clocks[node]?.rate ?? 1);
      return { mark: host ? 'clockRateChanged' : null, undo };
    }
    case 'brokerRestart':
      world.tell(`the broker restarts, for ${fault.downMs} ms`);
      network.restartBroker(fault.downMs);
      return { mark: 'brokerRestarted' };
    case 'replay': {
      world.tell(`${fault.count} old frames come again`);
      const before = network.repeated;
      network.replay(fault.count);
      return { mark: network.repeated > before ? 'oldFramesReplayed' : null };
    }
    case 'slowDisk': {
      const node = nodeOf(world, fault.node);
      const disk = world.diskOf(node);
      world.tell(`the disk of ${node} takes ${fault.delayMs} ms a write`);
      disk.delayMs = fault.delayMs;
      return { mark: 'diskSlowed', undo: () => void (disk.delayMs = 1) };
    }
    case 'diskFailure': {
      const node = nodeOf(world, fault.node);
      world.tell(`the next write of ${node} fails${fault.written ? ', though it is written' : ''}`);
      world.diskOf(node).failsNext = fault.written ? 'written' : 'unwritten';
      return { mark: 'writeMadeToFail' };
    }
    default:
      return unreachable(fault);
  }
}

type Link = readonly [from: string, to: string];

function cutAll(world: World, links: readonly Link[]): () => void {
  world.tell(`cut: ${links.map(([from, to]) => `${from}>${to}`).join(' ')}`);
  const undos = links.map(([from, to]) => world.network.cut(from, to));
  return () => {
    world.tell(`healed: ${links.map(([from, to]) => `${from}>${to}`).join(' ')}`);
    for (const undo of undos) undo();
  };
}

function stop(world: World, fault: Extract<Fault, { type: 'stop' }>): Brought {
  const { forMs, suspended } = fault;
  const node = nodeOf(world, fault.node);
  world.tell(`${node} ${suspended ? 'is suspended' : 'stands still'} for ${forMs} ms`);
  const process = livingAt(world, node);
  process?.host.standStill(forMs, suspended);
  if (!process) return { mark: null };
  if (suspended) return { mark: 'machineSuspended' };
  return { mark: forMs > world.circumstances.sessionTtlMs ? 'processStoppedBeyondTtl' : 'processStopped' };
}

function crash(world: World, fault: Extract<Fault, { type: 'crash' }>): Mark | null {
  const node = nodeOf(world, fault.node);
  if (!mayWipe(world, node, fault.wiped)) return null;
  const isVoter = livingAt(world, node) !== undefined && world.mayVote(node);
  world.crash(node, fault.wiped);
  startAgain(world, node, fault.downMs);
  if (!isVoter) return null;
  return fault.wiped || !world.diskOf(node).keepsMemory ? 'crashedWiped' : 'crashedWithMemory';
}

/** In good order: leases given back, leadership handed over. */
function leave(world: World, { node, awayMs }: Extract<Fault, { type: 'leave' }>): Mark | null {
  const process = world.processes.get(node);
  if (!process?.isAlive || !process.quorate || process.host.standsStill || !mayWipe(world, node, false)) return null;
  world.tell(`${node} leaves`);
  world.leaving.add(node);
  const gone = (): void => {
    if (!process.isAlive || world.processes.get(node) !== process) return;
    world.leaving.delete(node);
    world.tell(`${node} has left`);
    const disk = world.diskOf(node);
    world.bury(process);
    if (!disk.keepsMemory && world.mayVote(node)) world.wipes += 1;
    startAgain(world, node, awayMs);
  };
  process.quorate
    .close({ timeoutMs: 1_000 })
    .then(gone, (error: unknown) => world.fail('API contract', `close rejected: ${String(error)}`));
  return 'leftInOrder';
}

/**
 * A group of n survives that (n - 1) / 2 voters have lost their memory and not been swapped in again; beyond that nothing but safety is
 * promised.
 */
function mayWipe(world: World, node: string, wiped: boolean): boolean {
  if (world.circumstances.mayLoseMajority || !world.mayVote(node)) return true;
  const isWipe = wiped || !world.diskOf(node).keepsMemory;
  // Until every founder has confirmed, the loss of one is a matter of founding anew, or of waiting for it.
  return !isWipe || (world.confirmed.size > 0 && bearsLossOf(world, node));
}

function startAgain(world: World, node: string, downMs: number): void {
  const dead = world.processes.get(node);
  world.schedule.after(downMs, () => {
    if (world.processes.get(node) === dead) world.start(node);
  });
}

function livingAt(world: World, node: string): SimulatedProcess | undefined {
  const process = world.processes.get(node);
  return process?.isAlive === true ? process : undefined;
}

function nodeOf(world: World, victim: Victim): string {
  return victim === theLeader ? (world.leader?.node ?? (world.nodes[0] as string)) : victim;
}
