/** A random life of a group, told by its seed: faults of every kind, locks in use, and at the end peace in which all must settle. */
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { Operation } from '../../src/operation.ts';
import { pick } from '../../src/simulation/circumstances.ts';
import type { Random } from '../../src/time/random.ts';
import { driftBound } from '../../src/time/clock.ts';
import { seededRandom } from '../../src/time/random.ts';
import { World } from './world.ts';
import type { Process } from './world.ts';

export interface TortureSummary {
  readonly grants: number;
  readonly leaders: number;
  readonly sessionsLost: number;
  readonly frames: number;
}

const resources = ['l/one', 'l/two', 'l/three'];

/** Throws at the first broken promise, and where a healed group does not come back. */
export function torture(seed: number): TortureSummary {
  const random = seededRandom(seed * 31 + 7);
  const voters = pick(random, [['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e'], ['a']]);
  const rates = new Map<string, number>();
  const world = new World({
    seed,
    voters,
    clients: ['x', 'y'],
    loss: pick(random, [0, 0, 0.05, 0.3]),
    duplication: pick(random, [0, 0.1, 0.5]),
    reads: pick(random, ['lease', 'lease', 'quorum']),
    firstFounding: random.below(4) > 0,
    batchBytesMax: pick(random, [128, 65_536]),
    // Any two clocks differ by less than the bound.
    clockRate: (node) => rates.get(node) ?? (rates.set(node, 1 + (random.next() - 0.5) * driftBound * 0.99), rates.get(node)) ?? 1,
    wallSkewMs: () => (random.next() - 0.5) * 1_500,
  });
  const life = new Life(world, random);
  for (let round = 0; round < 30; round += 1) {
    life.fault();
    for (let turn = 0; turn < 4; turn += 1) {
      life.use();
      world.run(pick(random, [1, 5, 50, 300]));
    }
  }
  world.heal();
  for (const process of world.living) process.pausedUntilMs = 0;
  world.run(3_000);
  world.until('it comes back in peace', () => world.leader() !== undefined && world.everyoneHasASession() && world.isSettled(), 120_000);
  life.checkPeace();
  const leaders = new Set(world.eventsOf('leading').map(({ event }) => JSON.stringify(event))).size;
  const grants = [...world.observer.logs.values()].reduce((sum, log) => sum + log.grants.size, 0);
  return { grants, leaders, sessionsLost: world.eventsOf('sessionLost').length, frames: world.network.sent };
}

/** Sequences begin anew with each session, so that only results that came later can be the answer. */
interface Asked {
  readonly session: number | null;
  readonly seq: number;
  readonly ends: boolean;
  readonly resultsBefore: number;
}

class Life {
  /** Voters that may yet lose their memory without the group's losing its majority for ever. */
  private wipesLeft: number;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.wipesLeft = Math.floor((world.voters.length - 1) / 2);
  }

  fault(): void {
    const { world, random } = this;
    const { network } = world;
    const voter = pick(random, world.voters);
    const anyone = pick(random, [...world.voters, 'x', 'y']);
    switch (random.below(16)) {
      case 0:
        return world.isolate(anyone);
      case 1:
        return void network.cut.add(`${voter}>${pick(random, world.voters)}`);
      case 2:
        return network.cutBetween(voter, anyone);
      case 3:
        return world.pause(anyone, pick(random, [20, 300, 1_000, 9_000]));
      case 4:
        return void world.restartWithMemory(voter);
      case 5:
        return this.maybeWipe(voter);
      case 6:
        return void world.restartEmpty(pick(random, ['x', 'y']));
      case 7:
        network.straying = pick(random, [0.01, 0.1]);
        network.strayMs = pick(random, [100, 1_000, 10_000]);
        return;
      case 8:
        network.loss = pick(random, [0, 0.1, 0.4]);
        network.duplication = pick(random, [0, 0.2, 0.7]);
        return;
      case 9: {
        const leader = world.leader();
        return leader && world.give(leader, { type: 'resign', at: world.at(leader) });
      }
      case 10: {
        const process = world.process(anyone);
        return world.give(process, { type: 'reconnected', at: world.at(process) });
      }
      case 11: {
        const leader = world.leader();
        return leader && world.pause(leader.node, pick(random, [400, 700, 5_000]));
      }
      default:
        return world.heal();
    }
  }

  /** Whoever has a session takes, frees, or changes its mind. */
  use(): void {
    for (const process of this.world.living) {
      if (this.random.below(2) === 0 || process.member.session === null || process.pausedUntilMs > this.world.nowMs) continue;
      const resource = pick(this.random, resources);
      const mine = this.mine.get(`${process.node} ${resource}`);
      if (mine?.session !== process.member.session || (mine.ends && hasResult(process, mine))) this.acquire(process, resource);
      else if (!mine.ends) this.letGo(process, resource, mine);
    }
  }

  checkPeace(): void {
    const { world } = this;
    for (const process of world.livingVoters) {
      world.observer.checkHash(process.member.inspect);
    }
    const leader = world.leader()?.node;
    world.run(5_000);
    if (world.leader()?.node !== leader)
      throw new Error(
        `the leader changed in peace, from ${leader} to ${world.leader()?.node}; ${JSON.stringify(world.eventsOf('steppedDown').at(-1))}\n${world.describe()}`,
      );
  }

  /** The last request of each process for each resource; `ends` where it was a release or a cancel. */
  private readonly mine = new Map<string, Asked>();

  private acquire(process: Process, resource: string): void {
    this.ask(process, resource, false, (seq) => [lockOp.acquire, seq, resource, 0, 0, null]);
  }

  /** Releases what was granted; now and then withdraws what still waits. One at a time, so that the order of arrival is no matter. */
  private letGo(process: Process, resource: string, { seq: target, resultsBefore }: Asked): void {
    const grant = process.results.slice(resultsBefore).find(([seq, code]) => seq === target && code === resultCode.granted);
    if (grant) this.ask(process, resource, true, (seq) => [lockOp.release, seq, resource, grant[2], null]);
    else if (this.random.below(4) === 0) this.ask(process, resource, true, (seq) => [lockOp.cancel, seq, target]);
  }

  private ask(process: Process, resource: string, ends: boolean, build: (seq: number) => Operation): void {
    const { session } = process.member;
    const resultsBefore = process.results.length;
    this.mine.set(`${process.node} ${resource}`, { session, seq: this.world.request(process.node, build), ends, resultsBefore });
  }

  private maybeWipe(voter: string): void {
    if (this.wipesLeft === 0 || !this.world.eventsOf('foundingConfirmed').length) return;
    if (this.world.livingVoters.some(({ events }) => !events.some(({ event }) => event.type === 'foundingConfirmed'))) return;
    this.wipesLeft -= 1;
    this.world.restartEmpty(voter);
  }
}

function hasResult({ results }: Process, { seq: target, resultsBefore }: Asked): boolean {
  return results.slice(resultsBefore).some(([seq]) => seq === target);
}
