/** A virtual world for members: clock, network and chance from one seed, so that a run can be told again. */
import { Member } from '../../src/group/member.ts';
import type { MemberEvent, MemberInput, MemberMemory, MemberOutput, MemberRecord } from '../../src/group/member.ts';
import type { MemberFrame, MemberMessage } from '../../src/group/member-message.ts';
import type { LockOp, LockResult, LockState } from '../../src/lock/command.ts';
import type { FoundingRecord } from '../../src/paxos/founding-message.ts';
import { zeroBallot } from '../../src/paxos/ballot.ts';
import type { Ballot } from '../../src/paxos/ballot.ts';
import type { Vote } from '../../src/paxos/message.ts';
import type { GroupBatch } from '../../src/group/member-message.ts';
import type { Instant } from '../../src/time/clock.ts';
import { seededRandom } from '../../src/time/random.ts';
import type { Random } from '../../src/time/random.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly voters?: readonly string[];
  readonly clients?: readonly string[];
  readonly loss?: number;
  readonly duplication?: number;
  readonly delayMs?: readonly [number, number];
  readonly firstFounding?: boolean;
  readonly sessionTtlMs?: number;
  readonly reads?: 'lease' | 'quorum';
}

export interface Process {
  readonly node: string;
  readonly incarnation: string;
  readonly run: number;
  readonly member: Member;
  readonly results: LockResult[];
  readonly states: LockState[];
  readonly events: { readonly atMs: number; readonly event: MemberEvent }[];
  readonly disk: MemberRecord[];
  alive: boolean;
  pausedUntilMs: number;
  dueMs: number;
}

interface Parcel {
  readonly atMs: number;
  readonly order: number;
  readonly to: string;
  readonly frame: MemberFrame;
}

export const worldTiming = { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 };

export class World {
  nowMs = 1_000;
  readonly processes = new Map<string, Process>();
  /** Directed links that lose everything, as `from>to`. */
  readonly cut = new Set<string>();
  readonly random: Random;
  loss: number;
  duplication: number;
  frames = 0;
  private readonly voters: readonly string[];
  private parcels: Parcel[] = [];
  private order = 0;
  private births = 0;

  constructor(private readonly options: WorldOptions = {}) {
    this.random = seededRandom(options.seed ?? 1);
    this.loss = options.loss ?? 0;
    this.duplication = options.duplication ?? 0;
    this.voters = [...(options.voters ?? ['a', 'b', 'c'])].sort();
    for (const node of [...this.voters, ...(options.clients ?? [])]) this.start(node);
  }

  /** Starts a process with empty memory, or with what its last run wrote. */
  start(node: string, memory?: { readonly disk: readonly MemberRecord[]; readonly incarnation: string; readonly run: number }): Process {
    this.births += 1;
    const incarnation = memory?.incarnation ?? `${node}#${this.births}`;
    const run = (memory?.run ?? 0) + 1;
    const ttlMs = this.options.sessionTtlMs ?? 4_000;
    const member = new Member({
      self: { node, incarnation, run },
      voters: this.voters,
      timing: worldTiming,
      sessionTtlMs: ttlMs,
      maxSessionTtlMs: ttlMs,
      firstFounding: this.options.firstFounding ?? true,
      reads: this.options.reads ?? 'lease',
      random: seededRandom((this.options.seed ?? 1) * 7919 + this.births),
      limits: { batchBytesMax: () => 65_536, sizeOfEntry: () => 64, sizeOfBatch: () => 256, outstandingMax: 4_096 },
      at: this.at(),
      memory: memory && memoryOf(memory.disk),
    });
    const process: Process = {
      node,
      incarnation,
      run,
      member,
      results: [],
      states: [],
      events: [],
      disk: memory ? [...memory.disk] : [],
      alive: true,
      pausedUntilMs: 0,
      dueMs: this.nowMs,
    };
    this.processes.set(node, process);
    this.give(process, { type: 'open', at: this.at() });
    return process;
  }

  process(node: string): Process {
    const process = this.processes.get(node);
    if (!process) throw new Error(`no process ${node}`);
    return process;
  }

  kill(node: string): Process {
    const process = this.process(node);
    process.alive = false;
    return process;
  }

  restartWithMemory(node: string): Process {
    const { disk, incarnation, run } = this.kill(node);
    return this.start(node, { disk, incarnation, run });
  }

  isolate(node: string): void {
    for (const other of this.processes.keys()) {
      if (other === node) continue;
      this.cut.add(`${node}>${other}`);
      this.cut.add(`${other}>${node}`);
    }
  }

  heal(): void {
    this.cut.clear();
    this.loss = 0;
    this.duplication = 0;
  }

  request(node: string, build: (seq: number) => LockOp): number {
    const process = this.process(node);
    const seq = process.member.request(build);
    if (seq === null) throw new Error(`${node} has no session`);
    this.give(process, { type: 'flush', at: this.at() });
    return seq;
  }

  give(process: Process, input: MemberInput): void {
    this.carryOut(process, process.member.step(input));
    if (input.type !== 'flush') this.carryOut(process, process.member.step({ type: 'flush', at: this.at() }));
    process.dueMs = process.member.nextDeadlineMs;
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

  /** The one process that serves as leader, if there is one. */
  leader(): Process | undefined {
    return [...this.processes.values()].find((process) => process.alive && process.member.status(this.at()).role === 'leader');
  }

  everyoneHasASession(): boolean {
    return [...this.processes.values()].every((process) => !process.alive || process.member.session !== null);
  }

  at(): Instant {
    return { monotonicMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs };
  }

  eventsOf(type: MemberEvent['type']): { readonly node: string; readonly atMs: number; readonly event: MemberEvent }[] {
    const all = [...this.processes.values()].flatMap(({ node, events }) => events.map((entry) => ({ node, ...entry })));
    return all.filter(({ event }) => event.type === type);
  }

  describe(): string {
    return [...this.processes.values()]
      .map(
        ({ node, member, alive }) => `${node}${alive ? '' : ' dead'} ${JSON.stringify(member.status(this.at()))} session ${member.session}`,
      )
      .join('\n');
  }

  private advance(endMs: number): void {
    const parcel = this.parcels[0];
    let next: Process | undefined;
    let dueMs = Infinity;
    for (const process of this.processes.values()) {
      const at = Math.max(process.dueMs, process.pausedUntilMs);
      if (process.alive && at < dueMs) {
        next = process;
        dueMs = at;
      }
    }
    if (parcel && parcel.atMs <= dueMs) {
      if (parcel.atMs > endMs) return void (this.nowMs = endMs);
      this.parcels.shift();
      this.nowMs = Math.max(this.nowMs, parcel.atMs);
      this.deliver(parcel);
      return;
    }
    if (!next || dueMs > endMs) return void (this.nowMs = endMs);
    this.nowMs = Math.max(this.nowMs, dueMs);
    this.give(next, { type: 'tick', at: this.at() });
    if (next.dueMs <= this.nowMs) next.dueMs = this.nowMs + 1;
  }

  private deliver({ to, frame }: Parcel): void {
    const process = this.processes.get(to);
    if (!process?.alive) return;
    if (process.pausedUntilMs > this.nowMs) return this.post(to, frame, process.pausedUntilMs - this.nowMs);
    this.frames += 1;
    this.give(process, { type: 'frame', frame, at: this.at() });
  }

  private carryOut(process: Process, output: MemberOutput): void {
    process.disk.push(...output.persist);
    process.results.push(...output.results);
    process.states.push(...output.states);
    for (const event of output.events) process.events.push({ atMs: this.nowMs, event });
    const byTarget = new Map<string, MemberMessage[]>();
    for (const { to, message } of output.send) {
      const targets = to.type === 'all' ? [...this.processes.keys()] : to.type === 'voters' ? this.voters : [to.node];
      for (const target of targets) {
        if (target === process.node) continue;
        const messages = byTarget.get(target) ?? [];
        messages.push(structuredClone(message));
        byTarget.set(target, messages);
      }
    }
    const configuration = process.member.inspect.record?.configuration;
    const { node, incarnation, run } = process;
    for (const [target, messages] of byTarget) {
      if (this.cut.has(`${node}>${target}`)) continue;
      const frame: MemberFrame = {
        founding: configuration?.founding ?? '',
        configuration: configuration?.id ?? 0,
        from: { node, incarnation, run },
        messages,
      };
      const copies = this.random.next() < this.duplication ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) if (this.random.next() >= this.loss) this.post(target, frame, this.delayMs());
    }
    if (output.events.some(({ type }) => type === 'gaveUp')) this.start(node);
  }

  private delayMs(): number {
    const [least, most] = this.options.delayMs ?? [0.1, 2];
    return least + this.random.next() * (most - least);
  }

  private post(to: string, frame: MemberFrame, delayMs: number): void {
    const parcel: Parcel = { atMs: this.nowMs + delayMs, order: (this.order += 1), to, frame };
    let low = 0;
    let high = this.parcels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.parcels[middle];
      if (other && (other.atMs < parcel.atMs || (other.atMs === parcel.atMs && other.order < parcel.order))) low = middle + 1;
      else high = middle;
    }
    this.parcels.splice(low, 0, parcel);
  }
}

/** Folds the records of an earlier run, as a storage does at load. */
function memoryOf(disk: readonly MemberRecord[]): MemberMemory {
  let record: FoundingRecord | null = null;
  let complete = false;
  let promised: Ballot = zeroBallot;
  let chosenIndex = 0;
  const votes = new Map<number, Vote<GroupBatch>>();
  const learned = new Map<number, GroupBatch | null>();
  for (const entry of disk) {
    if (entry.type === 'founding') ({ record, complete } = entry);
    else if (entry.type === 'promised') promised = entry.ballot;
    else if (entry.type === 'voted') votes.set(entry.slot, entry);
    else if (entry.type === 'chosen') chosenIndex = entry.upTo;
    else if (entry.type === 'learned') learned.set(entry.slot, entry.value);
  }
  return {
    founder: { record, complete, tokenSecond: 0 },
    replica: {
      floor: 0,
      promised,
      chosenIndex,
      votes: [...votes.values()],
      learned: [...learned].map(([slot, value]) => ({ slot, value })),
    },
  };
}
