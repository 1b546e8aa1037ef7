/** One life of a group: a storm of faults, then peace, in which everything must come right within a stated time. */
import { isQuorateError } from '../errors.ts';
import type { PartitionSet } from '../partition/partition-set.ts';
import type { Circumstances } from './circumstances.ts';
import { planFaults } from './faults.ts';
import { hasWaited, LeadershipWatch } from './leadership-watch.ts';
import type { Mark } from './marks.ts';
import { BrokenPromise } from './observer.ts';
import { isToBeRefounded, keepersOf, presentOf } from './survival.ts';
import type { Program, SimulatedProcess } from './world.ts';
import { World } from './world.ts';

export interface LifeResult {
  readonly seed: number;
  /** Equal for two runs only if everything in them was the same. */
  readonly traceHash: string;
  readonly events: number;
  readonly simulatedMs: number;
  readonly broken: BrokenPromise | null;
  readonly story: readonly string[];
  readonly marks: ReadonlyMap<Mark, number>;
  readonly grants: number;
  /** Progress was promised and demanded: a majority of voters had kept its memory. */
  readonly progressDemanded: boolean;
  /** From the beginning of peace until all was right again. */
  readonly recoveryMs: number;
  /** The longest time of peace without a leader in which there should have been one. */
  readonly leaderlessMs: number;
}

export interface LifeOptions {
  readonly circumstances: Circumstances;
  readonly program: (world: World) => Program;
  /** The program ends when peace comes, and gives back what it holds: that is waited for, and nothing may be left in any queue. */
  readonly programEnds?: boolean;
  readonly hasStory?: boolean;
  /** What must hold after every event, the last one too, beside the promises: a sentence where it does not. */
  readonly check?: (world: World) => string | null;
}

/** Watched after everything came right: nothing may change by itself in peace. */
const quietMs = 1_500;
const probe = 'probe';

/**
 * In peace a group has a leader, every living process a session, and a lock that everybody takes in turn was taken by all:
 * frames that strayed longest have come, then a session that nobody keeps runs out, the leader that takes over gives all their full
 * time again, a refounded group waits once more, and elections take their four timeouts. Partitions then take what a handler that is stuck
 * does, the pauses of one that fails, and two rounds of members that come, drains, and leases that run out.
 */
export function recoveryBoundMs({ sessionTtlMs, electionTimeoutMs, weather, owning }: Circumstances): number {
  const strayMs = 5_000 + weather.delayMs[1];
  const handedOverMs = owning ? 3 * (owning.drainTimeoutMs + owning.settleMs) + owning.graceMs + 5 * sessionTtlMs + 4_000 : 0;
  return strayMs + 4 * sessionTtlMs + 8 * 2 * electionTimeoutMs + 2_000 + handedOverMs;
}

export async function liveOnce({ circumstances, program, programEnds = true, hasStory = false, check }: LifeOptions): Promise<LifeResult> {
  // The program needs the world, and the world the program.
  const world: World = new World({ circumstances, program: (process, quorate) => run(process, quorate), hasStory });
  const run = program(world);
  const life = new Life(world, programEnds, check);
  let broken: BrokenPromise | null = null;
  try {
    await life.storm();
    await life.peace();
  } catch (error) {
    if (!(error instanceof BrokenPromise)) throw error;
    broken = error;
    world.tell(`BROKEN: ${error.promise}: ${error.what}`);
  }
  return {
    seed: circumstances.seed,
    simulatedMs: world.nowMs,
    events: world.events,
    broken,
    story: world.trace.lines,
    traceHash: world.trace.digest(),
    marks: world.marks.counts,
    grants: [...world.observer.logs.values()].reduce((sum, log) => sum + log.grants.size, 0),
    progressDemanded: life.progressDemanded,
    recoveryMs: life.recoveryMs,
    leaderlessMs: life.leaderlessMs,
  };
}

class Life {
  progressDemanded = false;
  recoveryMs = 0;
  readonly #world: World;
  #leadership: LeadershipWatch | null = null;
  #peaceSinceMs = 0;
  readonly #check: (world: World) => string | null;

  constructor(
    world: World,
    private readonly programEnds: boolean,
    check: (world: World) => string | null = () => null,
  ) {
    this.#world = world;
    this.#check = check;
  }

  get leaderlessMs(): number {
    return this.#leadership?.longestMs ?? 0;
  }

  async storm(): Promise<void> {
    const world = this.#world;
    // A fault of the first moment may have killed it before, and started it again.
    const startOnce = (node: string): void => void (world.processes.has(node) || world.start(node));
    for (const node of world.nodes) world.schedule.at(world.nodes.indexOf(node) * 3, () => startOnce(node));
    planFaults(world);
    await this.#run(world.circumstances.stormMs);
  }

  async peace(): Promise<void> {
    const world = this.#world;
    world.bringPeace();
    const beganMs = world.nowMs;
    this.#peaceSinceMs = beganMs;
    const writtenMs = Math.max(...[...world.disks.values()].map(({ busyUntilMs }) => busyUntilMs));
    this.#leadership = new LeadershipWatch(world, Math.max(beganMs, writtenMs));
    const bound = recoveryBoundMs(world.circumstances);
    await this.#run(beganMs + bound, () => world.leaving.size === 0);
    for (const node of world.nodes) if (world.processes.get(node)?.isAlive !== true) world.start(node);
    this.progressDemanded = this.#canRecover();
    if (!this.progressDemanded) return this.#run(beganMs + bound / 4);
    let isRight = false;
    const rightAgain = this.#allComeRight().then(() => (isRight = true));
    rightAgain.catch((error: unknown) => world.fail('progress', `a probe failed: ${String(error)}`));
    await this.#run(beganMs + bound, () => isRight);
    if (!isRight && world.circumstances.mayLoseMajority && !this.#canRecover()) {
      // A stop-sign that was adopted in peace may seat a standby that was wiped before: a majority of the next voters was lost with it.
      this.progressDemanded = false;
      return;
    }
    if (!isRight) throw new BrokenPromise('progress', `not right ${bound} ms after the last fault: ${this.#describe()}`, world.nowMs);
    this.recoveryMs = world.nowMs - beganMs;
    await this.#stayRight();
  }

  async #run(untilMs: number, isEnough: () => boolean = () => false): Promise<void> {
    const world = this.#world;
    await world.run(untilMs, () => {
      const wrong = this.#check(world);
      if (wrong !== null) throw new BrokenPromise('invariant', wrong, world.nowMs);
      this.#leadership?.look();
      return isEnough();
    });
  }

  /**
   * A majority of a founding's present voters has what it needs to go on; without any founding, none was lost. A founder that was wiped
   * before all others heard it confirm is swapped in like any voter, and then the group opens.
   */
  #canRecover(): boolean {
    const world = this.#world;
    const logs = [...world.observer.logs.values()].filter(({ record }) => world.confirmed.has(record.configuration.founding));
    if (logs.length === 0) return world.wipes === 0 && world.observer.logs.size === 0;
    return logs.some((log) => {
      const configuration = presentOf(log);
      return keepersOf(world, configuration).length > configuration.voters.length / 2 || isToBeRefounded(world, configuration);
    });
  }

  /** Every process started at the end has taken a lock that all want, after its own program had ended. */
  async #allComeRight(): Promise<void> {
    const world = this.#world;
    await Promise.all(world.living.map((process) => this.#probe(process)));
  }

  async #probe(process: SimulatedProcess): Promise<void> {
    if (this.programEnds) await process.ended;
    const quorate = await process.joined;
    for (;;) {
      try {
        await quorate.lock(probe).run(() => undefined, { timeoutMs: Infinity });
        return;
      } catch (error) {
        // A voter that was cut off while the others went on may take them for lost, until it hears from them.
        if (isQuorateError(error, 'MAJORITY_LOST')) await this.#world.sleep(process, 100);
        else if (!isQuorateError(error, 'SESSION_LOST') && !isQuorateError(error, 'LEASE_LOST')) throw error;
      }
    }
  }

  async #stayRight(): Promise<void> {
    const world = this.#world;
    // A voter that was started again in peace votes for nobody at first: until it does, its leader may lose its majority once more.
    // So does one that has yet to be swapped in: its seat is given to it by a change of voters.
    // And a leader whom the last fault had cut off steps down yet, within an election timeout of its own clock.
    const silenceMs = 2 * world.circumstances.electionTimeoutMs;
    const mayStay = (): boolean => {
      if (world.nowMs < this.#peaceSinceMs + silenceMs) return false;
      const haveWaited = world.living.every((process) => hasWaited(process, world.circumstances));
      return world.leader !== undefined && haveWaited && this.#seatless().length === 0;
    };
    await this.#run(world.nowMs + recoveryBoundMs(world.circumstances), mayStay);
    const leader = world.leader;
    if (!leader) throw new BrokenPromise('progress', `nobody leads: ${this.#describe()}`, world.nowMs);
    if (this.#seatless().length > 0)
      throw new BrokenPromise('progress', `no seat for ${this.#seatless().join(', ')}: ${this.#describe()}`, world.nowMs);
    await this.#run(world.nowMs + quietMs);
    if (world.leader !== leader) {
      throw new BrokenPromise(
        'progress',
        `the leader changed in peace, from ${leader.node} to ${world.leader?.node ?? 'none'}`,
        world.nowMs,
      );
    }
    for (const { member } of world.living) if (member) world.observer.checkHash(member.inspect);
    const { state } = leader.member?.inspect ?? {};
    if (!this.programEnds) return;
    if (state && (state.counts.waiting > 0 || state.counts.locks > state.counts.notes)) {
      throw new BrokenPromise('no orphans', `in peace the group counts ${JSON.stringify(state.counts)}`, world.nowMs);
    }
    const sets = (): readonly PartitionSet[] => [...(state?.tables.partitions.sets() ?? [])];
    const emptyByMs = world.nowMs + Math.max(0, ...sets().map((set) => endsWithinMs(set, world.circumstances)));
    await this.#run(emptyByMs, () => sets().every(isEmptySet));
    for (const set of sets()) {
      const owned = set.partitions.filter(({ token }) => token !== 0);
      if (isEmptySet(set)) continue;
      const left = `${owned.length} partitions and ${[...set.members.keys()].join(', ') || 'no'} members`;
      throw new BrokenPromise('no orphans', `in peace ${set.name} has ${left}, though all have left`, world.nowMs);
    }
  }

  /** Whose name votes, and who does not vote itself. */
  #seatless(): readonly string[] {
    const { living, leader } = this.#world;
    const { voters = [] } = leader?.member?.inspect.record?.configuration ?? {};
    const isNamed = (name: string): boolean => voters.some(({ node }) => node === name);
    return living.filter(({ node, member }) => isNamed(node) && !member?.inspect.replica).map(({ node }) => node);
  }

  #describe(): string {
    const processes = this.#world.living
      .map(({ node, member, quorate, underWay, now }) => {
        const { role, leader, stage } = member?.status(now()) ?? {};
        const doing = [...underWay].join(', ') || 'nothing under way';
        return `${node} is ${role ?? 'starting'}, follows ${leader ?? 'nobody'}, ${stage ?? ''}, session ${quorate?.status.session ?? 'none'}, ${doing}`;
      })
      .join('; ');
    return processes + this.#world.explanation;
  }
}

/**
 * Whose session ended before it could leave keeps its place for the grace, and what was granted to one that was leaving has a fixed end:
 * after a drain and a TTL. Clocks may run slower than the world's.
 */
function endsWithinMs({ graceMs, settleMs, members }: PartitionSet, { sessionTtlMs }: Circumstances): number {
  const drainMs = Math.max(0, ...[...members.values()].map(({ drainTimeoutMs }) => drainTimeoutMs));
  return 1.25 * (graceMs + settleMs + drainMs + 2 * sessionTtlMs) + 1_000;
}

function isEmptySet({ members, partitions }: PartitionSet): boolean {
  return members.size === 0 && partitions.every(({ token }) => token === 0);
}
