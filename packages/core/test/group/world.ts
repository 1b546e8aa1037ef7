/** A virtual world for members: clocks, network and chance from one seed, so that a run can be told again. */
import { rowCodec } from '../../src/codec/snapshot-codec.ts';
import { keptRecords } from '../../src/group/kept-records.ts';
import type { StoredSnapshot } from '../../src/group/stored-snapshot.ts';
import { Member } from '../../src/group/member.ts';
import type { MemberEvent, MemberInput, MemberOutput, MemberRecord } from '../../src/group/member.ts';
import type { MemberFrame, MemberMessage } from '../../src/group/member-message.ts';
import type { Operation, OperationResult, WatchedState } from '../../src/operation.ts';
import { successionOf } from '../../src/runtime/next-incarnation.ts';
import { foldRecords } from '../../src/storage/begin-run.ts';
import type { ArbiterAnswer, ArbiterRequest, FoundingEntry } from '../../src/paxos/founding-log.ts';
import type { Instant } from '../../src/time/clock.ts';
import { seededRandom } from '../../src/time/random.ts';
import type { Random } from '../../src/time/random.ts';
import { Network } from './network.ts';
import { Marks } from '../../src/simulation/marks.ts';
import { Observer } from '../../src/simulation/observer.ts';
import type { Observed } from '../../src/simulation/observer.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly voters?: readonly string[];
  /** Founded by so many of the standbys, as the log of foundings decides; nobody is named. */
  readonly count?: number;
  readonly clients?: readonly string[];
  /** Named by nobody, and ready for a seat. */
  readonly standbys?: readonly string[];
  readonly replaceAfterMs?: number;
  /** Started by the test itself, one by one, instead of all at once. */
  readonly startLater?: boolean;
  readonly loss?: number;
  readonly duplication?: number;
  readonly delayMs?: readonly [number, number];
  readonly firstFounding?: boolean;
  readonly whenMajorityIsLost?: 'stop' | 'refound';
  readonly sessionTtlMs?: number;
  readonly reads?: 'lease' | 'quorum';
  readonly batchBytesMax?: number;
  readonly storedEverySlots?: number;
  readonly logSlotsMax?: number;
  readonly logBytesMax?: number;
  /** Of what all voters applied; 8,192 unless said. */
  readonly slotsKept?: number;
  /** How much faster or slower than true time a node's monotonic clock runs; 1 unless said. */
  readonly clockRate?: (node: string) => number;
  /** How far a node's calendar clock is off. */
  readonly wallSkewMs?: (node: string) => number;
}

export interface StartOptions {
  readonly memory?: {
    readonly disk: readonly MemberRecord[];
    readonly stored?: StoredSnapshot | undefined;
    readonly incarnation: string;
    readonly run: number;
  };
  /** The member that it goes on for. */
  readonly before?: Member;
  /** What this process believes the voters to be, where it differs. */
  readonly voters?: readonly string[];
}

export interface Process extends Observed {
  readonly id: number;
  readonly incarnation: string;
  readonly run: number;
  readonly member: Member;
  readonly clock: ProcessClock;
  readonly results: OperationResult[];
  readonly states: WatchedState[];
  readonly events: { readonly atMs: number; readonly event: MemberEvent }[];
  readonly disk: MemberRecord[];
  stored: StoredSnapshot | undefined;
  isAlive: boolean;
  pausedUntilMs: number;
  dueMs: number;
}

/** The clocks of one process start: the monotonic one has an origin and a rate of its own. */
export class ProcessClock {
  constructor(
    private readonly originMs: number,
    private readonly rate: number,
    private readonly wallSkewMs: number,
  ) {}

  read(trueMs: number): Instant {
    return { monotonicMs: this.originMs + trueMs * this.rate, wallMs: 1_700_000_000_000 + trueMs + this.wallSkewMs };
  }

  trueMsOf(monotonicMs: number): number {
    return (monotonicMs - this.originMs) / this.rate;
  }
}

export const worldTiming = { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 };

const beginsAnew: ReadonlySet<MemberEvent['type']> = new Set(['gaveUp', 'seatGiven', 'foundingEnded', 'refounding', 'storeWentBack']);

export class World {
  nowMs = 1_000;
  readonly random: Random;
  readonly network: Network;
  readonly observer: Observer;
  readonly voters: readonly string[];
  /** Every process ever started, the dead ones too. */
  readonly processes: Process[] = [];
  /** The broker's log of foundings. */
  readonly foundings: FoundingEntry[] = [];

  constructor(readonly options: WorldOptions = {}) {
    this.random = seededRandom(options.seed ?? 1);
    this.network = new Network(this.random, options);
    this.observer = new Observer({ nowMs: () => this.nowMs, driftIsBounded: true, marks: new Marks() });
    this.voters = [...(options.voters ?? (options.count === undefined ? ['a', 'b', 'c'] : []))].sort();
    if (options.startLater) return;
    for (const node of [...this.voters, ...(options.clients ?? []), ...(options.standbys ?? [])]) this.start(node);
  }

  /** Starts a process with empty memory, or with what its last run wrote. */
  start(node: string, { memory, voters, before }: StartOptions = {}): Process {
    const id = this.processes.length + 1;
    const incarnation = memory?.incarnation ?? `${node}#${id}`;
    const run = (memory?.run ?? 0) + 1;
    const { options } = this;
    const seed = (options.seed ?? 1) * 7919 + id;
    const clock = new ProcessClock(id * 1e6, options.clockRate?.(node) ?? 1, options.wallSkewMs?.(node) ?? 0);
    const ttlMs = options.sessionTtlMs ?? 4_000;
    const member = new Member({
      self: { node, incarnation, run },
      voters: voters ?? this.voters,
      count: options.count,
      timing: worldTiming,
      sessionTtlMs: ttlMs,
      maxSessionTtlMs: ttlMs,
      firstFounding: options.firstFounding ?? true,
      whenMajorityIsLost: options.whenMajorityIsLost,
      standsBy: options.standbys?.includes(node) ?? false,
      replaceAfterMs: options.replaceAfterMs ?? Infinity,
      reads: options.reads ?? 'lease',
      random: seededRandom(seed),
      limits: {
        batchBytesMax: () => options.batchBytesMax ?? 65_536,
        sizeOfEntry: () => 64,
        sizeOfTuple: () => 64,
        sizeOfBatch: (batch) => 8 + 64 * batch[1].length,
        outstandingMax: 4_096,
        logSlotsMax: options.logSlotsMax ?? 100_000,
        logBytesMax: options.logBytesMax ?? 1e9,
        slotsKept: options.slotsKept ?? 8_192,
        storedEverySlots: options.storedEverySlots ?? Infinity,
      },
      rowCodec,
      at: clock.read(this.nowMs),
      memory: memory && foldRecords(memory.disk, memory.stored),
      before: before?.inspect,
    });
    const process: Process = {
      id,
      node,
      incarnation,
      run,
      member,
      clock,
      results: [],
      states: [],
      events: [],
      disk: memory ? [...memory.disk] : [],
      stored: memory?.stored,
      isAlive: true,
      now: () => clock.read(this.nowMs),
      pausedUntilMs: 0,
      dueMs: this.nowMs,
    };
    this.processes.push(process);
    this.give(process, { type: 'open', at: this.at(process) });
    return process;
  }

  /** The newest process of that name. */
  process(node: string): Process {
    const process = this.processes.findLast((other) => other.node === node);
    if (!process) throw new Error(`no process ${node}`);
    return process;
  }

  get living(): readonly Process[] {
    return this.processes.filter(({ isAlive }) => isAlive);
  }

  get livingVoters(): readonly Process[] {
    return this.living.filter(({ node }) => this.voters.includes(node));
  }

  kill(node: string): Process {
    const process = this.process(node);
    process.isAlive = false;
    return process;
  }

  restartWithMemory(node: string): Process {
    const { disk, stored, incarnation, run } = this.kill(node);
    return this.start(node, { memory: { disk, stored, incarnation, run } });
  }

  /** As after `kill -9` of a diskless pod. */
  restartEmpty(node: string): Process {
    this.kill(node);
    return this.start(node);
  }

  pause(node: string, forMs: number): void {
    this.process(node).pausedUntilMs = this.nowMs + forMs;
  }

  isolate(node: string): void {
    for (const other of new Set(this.processes.map((process) => process.node))) if (other !== node) this.network.cutBetween(node, other);
  }

  heal(): void {
    this.network.heal();
  }

  /** Asks for something under the process's session, at once. */
  request(node: string, build: (seq: number) => Operation): number {
    const process = this.process(node);
    const { session } = process.member;
    let asked: Operation | undefined;
    const seq = process.member.request((next) => (asked = build(next)));
    if (seq === null || session === null || !asked) throw new Error(`${node} has no session`);
    this.observer.onRequest(process, process.member, session, asked);
    this.give(process, { type: 'flush', at: this.at(process) });
    return seq;
  }

  give(process: Process, input: MemberInput): void {
    this.carryOut(process, process.member.step(input));
    if (input.type !== 'flush') this.carryOut(process, process.member.step({ type: 'flush', at: this.at(process) }));
    process.dueMs = process.clock.trueMsOf(process.member.nextDeadlineMs);
  }

  /** Runs until the predicate holds; throws when it does not within `limitMs` of virtual time. */
  until(what: string, predicate: () => boolean, limitMs = 60_000): void {
    const endMs = this.nowMs + limitMs;
    while (!predicate()) {
      if (this.nowMs >= endMs) throw new Error(`not within ${limitMs} ms: ${what}; ${this.describe()}`);
      this.advance(endMs);
    }
  }

  run(forMs: number, afterEach?: () => void): void {
    const endMs = this.nowMs + forMs;
    while (this.nowMs < endMs) {
      this.advance(endMs);
      afterEach?.();
    }
  }

  /** A process that serves as leader, if there is one. */
  leader(): Process | undefined {
    return this.living.find((process) => process.member.status(this.at(process)).role === 'leader');
  }

  everyoneHasASession(): boolean {
    return this.living.every((process) => process.member.session !== null);
  }

  /** All living voters of the founding have applied the same log. */
  isSettled(): boolean {
    const states = this.livingVoters.map(({ member }) => member.inspect.state).filter((state) => state !== null);
    return states.every(({ appliedIndex }) => appliedIndex > 0 && appliedIndex === states[0]?.appliedIndex);
  }

  at(process: Process): Instant {
    return process.clock.read(this.nowMs);
  }

  eventsOf(type: MemberEvent['type']): { readonly node: string; readonly atMs: number; readonly event: MemberEvent }[] {
    const all = this.processes.flatMap(({ node, events }) => events.map((entry) => ({ node, ...entry })));
    return all.filter(({ event }) => event.type === type).sort((a, b) => a.atMs - b.atMs);
  }

  describe(): string {
    const lines = this.processes.map((process) => {
      const { node, member, isAlive } = process;
      return `${node}${isAlive ? '' : ' dead'} ${JSON.stringify(member.status(this.at(process)))} session ${member.session}`;
    });
    return [`at ${this.nowMs}`, ...lines].join('\n');
  }

  private advance(endMs: number): void {
    const parcelMs = this.network.nextMs;
    let next: Process | undefined;
    let dueMs = Infinity;
    for (const process of this.processes) {
      if (!process.isAlive) continue;
      const at = Math.max(process.dueMs, process.pausedUntilMs);
      if (at < dueMs) {
        next = process;
        dueMs = at;
      }
    }
    if (Math.min(parcelMs, dueMs) > endMs) return void (this.nowMs = endMs);
    this.nowMs = Math.max(this.nowMs, Math.min(parcelMs, dueMs));
    if (parcelMs <= dueMs) return this.deliver();
    if (!next) return;
    this.give(next, { type: 'tick', at: this.at(next) });
    if (next.dueMs <= this.nowMs) next.dueMs = this.nowMs + 1;
  }

  private deliver(): void {
    const { to, sender, frame } = this.network.take();
    for (const process of this.processes) {
      if (!process.isAlive || process.node !== to || process.id === sender) continue;
      // What arrives while a process stands still is read when it goes on.
      if (process.pausedUntilMs > this.nowMs) this.network.post(to, sender, frame, process.pausedUntilMs);
      else this.give(process, { type: 'frame', frame, at: this.at(process) });
    }
  }

  private carryOut(process: Process, output: MemberOutput): void {
    const stored = output.installed ?? output.written;
    if (stored) {
      process.stored = stored;
      process.disk.splice(0, process.disk.length, ...keptRecords(process.member.inspect, stored));
    } else process.disk.push(...output.persist);
    process.results.push(...output.results);
    process.states.push(...output.states);
    for (const event of output.events) process.events.push({ atMs: this.nowMs, event });
    this.observer.onStep(process, process.member, output);
    this.send(process, output);
    if (output.arbitrate) this.give(process, { type: 'arbiter', answer: this.arbitrate(output.arbitrate), at: this.at(process) });
    for (const event of output.events) {
      if (!beginsAnew.has(event.type)) continue;
      process.isAlive = false;
      this.startAnew(process, event);
    }
  }

  /** At once, whoever is cut off. */
  private arbitrate(request: ArbiterRequest): ArbiterAnswer {
    if (request.type === 'append' && request.position === this.foundings.length) this.foundings.push(request.entry);
    return { type: 'log', entries: [...this.foundings] };
  }

  /** As the loop does it: it hands on what it knows, and keeps its session. */
  private startAnew({ node, member, id }: Process, event: MemberEvent): void {
    const { inherits, before } = successionOf(event, member) ?? {};
    if (!inherits) return void this.start(node, { before });
    const disk: readonly MemberRecord[] = [{ type: 'inherited', ...inherits }];
    this.start(node, { memory: { disk, incarnation: `${node}#${id}+`, run: 0 }, before: member });
  }

  /** One frame per destination, as a turn of the real loop sends. */
  private send(process: Process, { send, configuration }: MemberOutput): void {
    if (send.length === 0) return;
    const byTarget = new Map<string, MemberMessage[]>();
    for (const { to, message } of send) {
      const everyone = (): string[] => [...new Set(this.processes.map(({ node }) => node))];
      const targets = to.type === 'all' ? everyone() : to.type === 'voters' ? this.voters : [to.node];
      const copy = structuredClone(message);
      for (const target of targets) {
        const messages = byTarget.get(target);
        if (messages) messages.push(copy);
        else byTarget.set(target, [copy]);
      }
    }
    const founding = process.member.inspect.record?.configuration.founding ?? '';
    const { node, incarnation, run } = process;
    for (const [target, messages] of byTarget) {
      const frame: MemberFrame = {
        founding,
        configuration,
        from: { node, incarnation, run },
        messages,
      };
      this.network.send({ from: node, to: target, sender: process.id, frame, nowMs: this.nowMs });
    }
  }
}
