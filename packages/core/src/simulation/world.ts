/**
 * A world in which a whole group lives: machines, disks and a broker, all from one seed, and in them the very `join` that users call.
 * Nothing in it waits for real time, and two runs of the same circumstances are the same to the byte.
 */
import { joinFrom } from '../api/join.ts';
import type { JoinOptions } from '../api/join-options.ts';
import type { Quorate } from '../api/quorate.ts';
import { isQuorateError } from '../errors.ts';
import type { QuorateError } from '../errors.ts';
import type { FeatureLevels } from '../group/feature-level.ts';
import type { Member, MemberEvent, MemberInput, MemberOutput } from '../group/member.ts';
import type { Versions } from '../runtime/versions.ts';
import { isOfOutsiders } from '../paxos/configuration.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { readClock } from '../time/clock.ts';
import type { Instant } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import type { Circumstances } from './circumstances.ts';
import { Marks } from './marks.ts';
import { markOutput, tellOutput } from './member-story.ts';
import { stepsOfMacrotasks } from './microtasks.ts';
import { BrokenPromise, Observer } from './observer.ts';
import type { Observed } from './observer.ts';
import { Schedule } from './schedule.ts';
import { Trace } from './trace.ts';
import { VirtualDisk } from './virtual-disk.ts';
import { boundedRate, VirtualHost } from './virtual-host.ts';
import { VirtualNetwork } from './virtual-network.ts';

/** One start of one node. */
export interface SimulatedProcess extends Observed {
  /** Counts the starts in the world, from 1. */
  readonly number: number;
  readonly host: VirtualHost;
  /** Where its own clock stood when it started with its memory; null for one that had none. */
  readonly rememberedAtMs: number | null;
  /** Chance of its own: what others do does not change it. */
  readonly random: Random;
  /** The present one: a founder that gives up goes on under another. */
  member: Member | null;
  quorate: Quorate | null;
  readonly joined: Promise<Quorate>;
  /** What its users are doing, in words, for whoever wonders why they do not come to an end. */
  readonly underWay: Set<string>;
  /** Settles when the program of this process has come to its end; never for a process that died. */
  readonly ended: Promise<void>;
}

/** What runs in every process of the world, from its start. It ends when `isPeace` asks it to. */
export type Program = (process: SimulatedProcess, quorate: Quorate) => Promise<void>;

export interface WorldOptions {
  readonly circumstances: Circumstances;
  readonly program: Program;
  /** Other builds than the present one: what that of a node can when it starts, and what the observer is to know. */
  readonly builds?: { readonly of: (node: string) => Versions; readonly observed: FeatureLevels };
  /** Keeps what happened in words. */
  readonly hasStory?: boolean;
}

const kinds = { delivery: 1, timer: 2, start: 3, crash: 4 } as const;
/** More happenings than this in one life are a loop that does not end. */
const eventsMax = 2_000_000;

export class World {
  readonly schedule = new Schedule();
  readonly marks = new Marks();
  readonly observer: Observer;
  readonly network: VirtualNetwork;
  readonly trace: Trace;
  readonly circumstances: Circumstances;
  readonly nodes: readonly string[];
  /** The newest start of each node, dead ones too. */
  readonly processes = new Map<string, SimulatedProcess>();
  readonly disks = new Map<string, VirtualDisk>();
  /** By founding: the incarnations that know that every founder confirmed it. One of them that leads can open the group without the others. */
  readonly confirmed = new Map<string, Set<string>>();
  /** Nodes on their way out: in good order, or because their disk failed. */
  readonly leaving = new Set<string>();
  /** Nodes that were not let in for their version. */
  readonly versionGaps = new Map<string, QuorateError>();
  events = 0;
  wipes = 0;
  isPeace = false;
  /** Settles when peace comes. */
  readonly whenPeace: Promise<void>;
  #onPeace: () => void = () => undefined;
  readonly #explanations: (() => string)[] = [];
  readonly #program: Program;
  readonly #builds: WorldOptions['builds'];
  /** Incarnations that a record of the log of foundings listed. */
  readonly #listed = new Set<string>();
  #starts = 0;
  #ready: (() => void)[] = [];
  #broken: BrokenPromise | null = null;
  #steppedAtMs = 0;

  constructor({ circumstances, program, builds, hasStory = false }: WorldOptions) {
    const { seed, heartbeatMs, electionTimeoutMs, sessionTtlMs, driftIsBounded } = circumstances;
    this.circumstances = circumstances;
    this.whenPeace = new Promise((resolve) => (this.#onPeace = resolve));
    this.#program = program;
    this.#builds = builds;
    this.trace = new Trace(hasStory);
    this.nodes = [...circumstances.voters, ...circumstances.clients, ...(circumstances.standing?.nodes ?? [])];
    this.observer = new Observer({ nowMs: () => this.#steppedAtMs, driftIsBounded, marks: this.marks, levels: builds?.observed });
    this.network = new VirtualNetwork({
      schedule: this.schedule,
      seed: seed * 31 + 5,
      timing: { heartbeatMs, electionTimeoutMs, sessionTtlMs },
      onDelivery: (to, bytes) => {
        this.trace.moment(kinds.delivery, this.schedule.nowMs, to);
        this.trace.bytes(bytes);
      },
    });
    this.network.weather = circumstances.weather;
    for (const node of this.nodes) this.disks.set(node, new VirtualDisk(circumstances.disk, this.schedule));
  }

  get nowMs(): number {
    return this.schedule.nowMs;
  }

  get living(): readonly SimulatedProcess[] {
    return [...this.processes.values()].filter(({ isAlive }) => isAlive);
  }

  /** Named as a voter, or ready to be one. */
  mayVote(node: string): boolean {
    return !this.circumstances.clients.includes(node);
  }

  diskOf(node: string): VirtualDisk {
    const disk = this.disks.get(node);
    if (disk === undefined) throw new Error(`no node ${node}`);
    return disk;
  }

  /** The process that serves as leader, if there is one. */
  get leader(): SimulatedProcess | undefined {
    return this.living.find(({ member, now }) => member?.status(now()).role === 'leader');
  }

  start(node: string): SimulatedProcess {
    const number = (this.#starts += 1);
    const { seed, clocks } = this.circumstances;
    const { rate, wallSkewMs } = clocks[node] ?? { rate: 1, wallSkewMs: 0 };
    const { schedule } = this;
    const host: VirtualHost = new VirtualHost({
      schedule,
      random: seededRandom(seed * 7_919 + number),
      rate: this.isPeace ? boundedRate(rate) : rate,
      wallSkewMs,
      originMs: number * 1e6,
      afterThis: (work) => this.#ready.push(work),
      onExit: () => schedule.after(0, () => this.crash(node, false)),
      onTimer: () => this.trace.moment(kinds.timer, schedule.nowMs, number),
    });
    let end: () => void = () => undefined;
    let onJoined: (quorate: Quorate) => void = () => undefined;
    const process: SimulatedProcess = {
      number,
      node,
      host,
      rememberedAtMs: this.diskOf(node).holdsMemory ? host.monotonicMs() : null,
      random: seededRandom(seed * 104_729 + number),
      member: null,
      quorate: null,
      underWay: new Set(),
      joined: new Promise((resolve) => (onJoined = resolve)),
      ended: new Promise((resolve) => (end = resolve)),
      get isAlive() {
        return host.isAlive;
      },
      now: (): Instant => readClock(host),
    };
    this.processes.set(node, process);
    this.trace.moment(kinds.start, this.nowMs, number);
    this.tell(`${node} starts (process ${number})`);
    if (this.diskOf(node).holdsMemory) this.marks.reach('restartedWithMemory');
    this.#live(process, onJoined).then(end, (error: unknown) => this.#onProgramError(process, error));
    return process;
  }

  /** As by `kill -9`: nothing is said to anybody, and what was not durable is lost. */
  crash(node: string, wiped: boolean): void {
    const process = this.processes.get(node);
    if (!process?.isAlive) return;
    this.trace.moment(kinds.crash, this.nowMs, process.number);
    const disk = this.diskOf(node);
    const isWiped = wiped || !disk.keepsMemory;
    this.tell(`${node} crashes${isWiped ? ' and loses its memory' : ''}`);
    this.bury(process);
    if (!isWiped) return;
    disk.wipe();
    if (this.mayVote(node)) this.wipes += 1;
  }

  /** Nothing happens to the process any more, and nothing of it remains but what its disk acknowledged. */
  bury(process: SimulatedProcess): void {
    process.host.kill();
    this.leaving.delete(process.node);
    this.network.detach(process.number);
    this.observer.forget(process);
    this.diskOf(process.node).crash();
  }

  tell(line: string): void {
    this.trace.tell(this.nowMs, line);
  }

  /** Adds to what is told of a world that does not come right. */
  explains(explanation: () => string): void {
    this.#explanations.push(explanation);
  }

  get explanation(): string {
    return this.#explanations.map((explain) => `; ${explain()}`).join('');
  }

  fail(promise: string, what: string): void {
    this.#broken ??= new BrokenPromise(promise, what, this.nowMs);
  }

  /** Resolves when so much time has passed on the process's own clock; never if it dies first. */
  sleep(process: SimulatedProcess, ms: number): Promise<void> {
    return new Promise((resolve) => process.host.startTimer(resolve, ms));
  }

  /** No more faults; every program is asked to end. */
  bringPeace(): void {
    this.isPeace = true;
    this.network.heal();
    for (const disk of this.disks.values()) {
      disk.delayMs = 1;
      disk.failsNext = 'no';
    }
    if ([...this.disks.values()].some(({ lostWrites }) => lostWrites > 0)) this.marks.reach('writeLost');
    if (this.network.lostByWeather > 0) this.marks.reach('frameLost');
    if (this.network.doubled > 0) this.marks.reach('frameDoubled');
    if (this.network.strayedFar > 0) this.marks.reach('frameStrayedFar');
    for (const { host } of this.living) host.heal();
    this.tell('peace');
    this.#onPeace();
  }

  /** Lets time pass until the moment given, or until `isEnough`. Rejects with the first broken promise. */
  run(untilMs: number, isEnough: () => boolean = () => false): Promise<void> {
    return stepsOfMacrotasks(() => {
      if (this.#broken) throw this.#broken;
      if (this.#ready.length > 0) return this.#follow();
      if (isEnough()) return 'done';
      const next = this.schedule.take(untilMs);
      if (next === undefined) return 'done';
      this.events += 1;
      if (this.events > eventsMax) this.fail('progress', `${eventsMax} events in one life`);
      this.#guard(next.happen);
      return this.#follow();
    });
  }

  // What runs.

  /** What follows from what just happened, at this same moment; what promises make of it comes after it. */
  #follow(): 'more' {
    const ready = this.#ready;
    this.#ready = [];
    for (const work of ready) this.#guard(work);
    return 'more';
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof BrokenPromise) this.#broken ??= error;
      else throw error;
    }
  }

  async #live(process: SimulatedProcess, onJoined: (quorate: Quorate) => void): Promise<void> {
    const quorate = await joinFrom(
      {
        host: process.host,
        storage: this.diskOf(process.node).open(),
        mailboxMax: this.circumstances.mailboxMax,
        versions: this.#builds?.of(process.node),
        logLimits: this.circumstances.logLimits,
        observer: {
          onTurn: (member, inputs, outputs) => {
            process.member = member;
            inputs.forEach((input, index) => this.#onStep(process, member, input, outputs[index] as MemberOutput));
          },
          onRequest: (member, session, op) => this.observer.onRequest(process, member, session, op),
        },
      },
      this.#joinOptions(process),
    );
    process.quorate = quorate;
    onJoined(quorate);
    quorate.events$.subscribe((event) => {
      if (event.type === 'stopped' && process.isAlive) this.#onStopped(process, event.error);
      if (event.type === 'overload') this.marks.reach('mailboxOverflowed');
    });
    await this.#program(process, quorate);
  }

  #joinOptions({ node, host, number }: SimulatedProcess): JoinOptions {
    const { voters, isCounted, heartbeatMs, electionTimeoutMs, sessionTtlMs, firstFounding, reads, isSealed, standing } =
      this.circumstances;
    const { replaceAfterMs = null } = standing ?? {};
    return {
      group: 'g',
      node,
      voters: isCounted === true ? { count: voters.length } : voters,
      // Where nobody is named, whoever is to be a client has to say so.
      standby: isCounted === true ? voters.includes(node) : (standing?.nodes.includes(node) ?? false),
      transport: this.network.transportOf(host, number),
      timing: { heartbeatMs, electionTimeoutMs, maxSessionTtlMs: sessionTtlMs },
      session: { ttlMs: sessionTtlMs },
      firstFounding,
      whenMajorityIsLost: this.circumstances.refounds === true && isCounted !== true ? 'refound' : 'stop',
      autopilot: replaceAfterMs === null ? false : { replaceAfterMs },
      reads,
      events: 'none',
      secrets: isSealed ? ['a secret of the simulation'] : [],
      timeoutMs: Infinity,
    };
  }

  #onStep(process: SimulatedProcess, member: Member, input: MemberInput, output: MemberOutput): void {
    if (output.events.length > 0 || output.results.length > 0) {
      markOutput(this.marks, output);
      for (const event of output.events) this.#noteFounding(event, member);
      for (const line of tellOutput(process.node, output)) this.tell(line);
    }
    for (const { message } of output.send) if (message.type === 'fetch') this.marks.reach('gapFetched');
    // A turn ends with a flush; one that does nothing changes nothing.
    if (input.type === 'flush' && output.persist.length === 0 && output.send.length === 0 && output.results.length === 0) return;
    this.#steppedAtMs = process.host.trueMsAt(input.at.monotonicMs);
    try {
      this.observer.onStep(process, member, output);
    } catch (error) {
      // The engine would take it for a fault of its member.
      if (!(error instanceof BrokenPromise)) throw error;
      this.#broken ??= error;
    }
  }

  #noteFounding(event: MemberEvent, member: Member): void {
    if (event.type === 'foundingConfirmed') this.#noteConfirmed(event.founding, member);
    if (event.type === 'votersChanged' && this.circumstances.isCounted !== true) this.#checkVoters(event.configuration);
    if (event.type !== 'foundingAccepted' || this.circumstances.isCounted !== true) return;
    const { incarnation } = member.inspect.self;
    if (this.#listed.has(incarnation)) this.marks.reach('recordReplaced');
    this.#listed.add(incarnation);
  }

  /** The safety rule 14, by what the world knows and the group is not asked. */
  #checkVoters(configuration: Configuration): void {
    const { voters: named } = this.circumstances;
    if (isOfOutsiders(configuration, named))
      this.fail('voters', `${configuration.voters.map(({ node }) => node).join()} vote, and most are not of ${named.join()}`);
    if (configuration.voters.some(({ node }) => !named.includes(node))) this.marks.reach('outsiderVotes');
  }

  #noteConfirmed(founding: string, { inspect }: Member): void {
    if (this.circumstances.isCounted === true) this.marks.reach('foundedByCount');
    const knowing = this.confirmed.get(founding) ?? new Set();
    this.confirmed.set(founding, knowing.add(inspect.self.incarnation));
  }

  /** A voter whose disk failed says nothing more; whoever watches over pods starts it again. */
  #onStopped(process: SimulatedProcess, error: Error): void {
    if (!isQuorateError(error, 'STORAGE_FAILED')) return this.fail('machine rule', `${process.node} stopped: ${error.message}`);
    this.marks.reach('writeFailed');
    this.tell(`${process.node} stops, for its disk failed`);
    this.leaving.add(process.node);
    this.schedule.after(50, () => {
      if (!process.isAlive) return;
      this.bury(process);
      this.start(process.node);
    });
  }

  /** It ends, as a process whose `join` rejects does. */
  #onVersionGap(process: SimulatedProcess, error: QuorateError): void {
    this.versionGaps.set(process.node, error);
    this.bury(process);
  }

  #onProgramError(process: SimulatedProcess, error: unknown): void {
    if (!process.isAlive) return;
    if (error instanceof BrokenPromise) this.#broken ??= error;
    else if (isQuorateError(error, 'STORAGE_FAILED')) this.#onStopped(process, error);
    else if (isQuorateError(error, 'VERSION_GAP')) this.#onVersionGap(process, error);
    else this.fail('program', `${process.node} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
