/** Who works on which partition, as its handlers see it: what a hand-over may not do, and when all partitions have come right. */
import type { OwnedPartition } from '../api/partitions-contract.ts';
import type { PartitionMember, PartitionSet } from '../partition/partition-set.ts';
import { takesPart } from '../partition/partition-set.ts';
import { sharesOf } from '../ring/quota.ts';
import type { OwningPlan } from './owning-plan.ts';
import { isCovered } from './partition-observer.ts';
import type { SimulatedProcess, World } from './world.ts';

interface Work {
  readonly process: SimulatedProcess;
  readonly token: number;
  /** What works: the handler, or a call beside it. */
  readonly what: 'handler' | 'call';
}

interface Note {
  readonly value: string;
  isKept: boolean;
}

/** What one owner left behind, in the order in which the group would take it. */
interface Tenure {
  readonly notes: Note[];
  handOver: Note | null;
}

/**
 * 1. Work on a partition begins under a lease that lasts, and not while another owner's is under way whose lease lasts too.
 * 2. An owner that looks at its lease before it writes never writes after a later one.
 * 3. The next owner's note is the last one that was kept, or one that was asked for after it.
 */
export class Handovers {
  private readonly work = new Map<string, Set<Work>>();
  /** By founding and partition, then by token. */
  private readonly tenures = new Map<string, Map<number, Tenure>>();
  private readonly written = new Map<string, number>();
  private readonly wanting = new Map<string, Set<SimulatedProcess>>();
  private noteNumber = 0;
  private isRightOnce = false;

  constructor(
    private readonly world: World,
    private readonly plan: OwningPlan,
  ) {}

  /** Work begins; the function says that it has ended. */
  begins(process: SimulatedProcess, owned: OwnedPartition, what: Work['what']): () => void {
    const { resource, token } = owned;
    const all = this.work.get(resource) ?? new Set();
    this.work.set(resource, all);
    if (process.member && !isCovered(process, process.member, token)) {
      this.world.fail('hand-off', `a ${what} of ${process.node} begins on ${resource} under ${token}, whose lease is not there`);
    }
    for (const other of all) if (other.token !== token) this.checkOver(resource, other, process, token);
    const work: Work = { process, token, what };
    all.add(work);
    if (what === 'handler') this.takeOver(process, owned);
    return () => all.delete(work);
  }

  /** A write that a store would refuse under an older token than one that it has seen. */
  write({ resource, token, valid }: OwnedPartition): void {
    const newest = this.written.get(resource) ?? 0;
    this.written.set(resource, Math.max(newest, token));
    if (token >= newest) return;
    this.world.marks.reach('staleWriteRefused');
    if (valid && this.world.circumstances.driftIsBounded) {
      this.world.fail('hand-off', `${resource} is written to under a valid ${token}, after ${newest}`);
    }
  }

  /** A note that is asked for now; the function says that the group has it. */
  asks(process: SimulatedProcess, { resource, token }: OwnedPartition): { readonly value: string; kept(): void } {
    const note: Note = { value: `n${(this.noteNumber += 1)}`, isKept: false };
    this.tenureOf(process, resource, token).notes.push(note);
    return { value: note.value, kept: () => (note.isKept = true) };
  }

  /** A note that is to go with the release. */
  leaves(process: SimulatedProcess, { resource, token }: OwnedPartition): string {
    const note: Note = { value: `n${(this.noteNumber += 1)}`, isKept: false };
    this.tenureOf(process, resource, token).handOver = note;
    return note.value;
  }

  /** The group has confirmed that this process gave it back, and with it the note. */
  released(process: SimulatedProcess, resource: string, token: number): void {
    const { handOver } = this.tenureOf(process, resource, token);
    if (handOver) handOver.isKept = true;
  }

  /** This process takes part for good: it is waited for until all is right. */
  wants(process: SimulatedProcess, set: string): void {
    const processes = this.wanting.get(set) ?? new Set();
    this.wanting.set(set, processes.add(process));
  }

  /**
   * True once, in peace, every process that takes part is a member, nothing is on its way, what somebody is willing to own is owned and
   * worked on, and nobody has more than its weighted share rounded up.
   */
  get isRight(): boolean {
    this.isRightOnce ||= this.world.isPeace && this.whatIsWrong() === null;
    return this.isRightOnce;
  }

  whatIsWrong(): string | null {
    const state = this.world.leader?.member?.inspect.state;
    if (!state) return 'nobody leads';
    for (const { name } of this.plan.sets) {
      const set = state.tables.partitions.set(name);
      const wrong = this.whoIsMissing(name, set) ?? (set ? (this.whatIsUnowned(set) ?? whatIsUneven(set)) : null);
      if (wrong !== null) return `${name}: ${wrong}`;
    }
    return null;
  }

  private checkOver(resource: string, { process, token, what }: Work, next: SimulatedProcess, nextToken: number): void {
    if (!process.isAlive || process.member === null) return;
    const happened = `${next.node} begins on ${resource} under ${nextToken} beside a ${what} of ${process.node} under ${token}`;
    const { driftIsBounded, marks } = { driftIsBounded: this.world.circumstances.driftIsBounded, marks: this.world.marks };
    if (!isCovered(process, process.member, token)) marks.reach('startedBesideOverrun');
    else if (driftIsBounded) this.world.fail('hand-off', happened);
    else marks.reach('partitionOverlapBeyondDriftBound');
  }

  private takeOver(process: SimulatedProcess, { resource, token, previous }: OwnedPartition): void {
    const tenures = this.tenuresOf(process, resource);
    if (tenures.has(token)) return;
    const { droppedAt, perhapsDroppedAt } = this.world.observer.partitions;
    for (const earlier of tenures.keys()) if (earlier <= (droppedAt.get(resource) ?? 0)) tenures.delete(earlier);
    const before = [...tenures].filter(([earlier]) => earlier < token).sort(([a], [b]) => a - b);
    const notes = before.flatMap(([under, tenure]) => {
      return [...tenure.notes, ...(tenure.handOver ? [tenure.handOver] : [])].map((note) => ({ ...note, under }));
    });
    const lastKept = notes.findLastIndex(({ isKept }) => isKept);
    const allowed = notes.slice(Math.max(0, lastKept)).map(({ value }) => value);
    const mayBeNone = lastKept < 0 || (notes[lastKept]?.under ?? 0) <= (perhapsDroppedAt.get(resource) ?? 0);
    const isFine = previous === undefined ? mayBeNone : allowed.includes(previous);
    if (previous !== undefined) this.world.marks.reach('partitionNotePassed');
    if (!isFine) {
      const expected = mayBeNone ? `one of [${allowed.join()}] or none` : `one of [${allowed.join()}]`;
      this.world.fail('notes', `${process.node} gets the note ${previous ?? '(none)'} with ${resource} under ${token}, not ${expected}`);
    }
    tenures.set(token, { notes: [], handOver: null });
  }

  private tenureOf(process: SimulatedProcess, resource: string, token: number): Tenure {
    const tenures = this.tenuresOf(process, resource);
    const tenure = tenures.get(token) ?? { notes: [], handOver: null };
    tenures.set(token, tenure);
    return tenure;
  }

  private tenuresOf({ member }: SimulatedProcess, resource: string): Map<number, Tenure> {
    const key = `${member?.inspect.record?.configuration.founding ?? ''} ${resource}`;
    const tenures = this.tenures.get(key) ?? new Map<number, Tenure>();
    this.tenures.set(key, tenures);
    return tenures;
  }

  private whoIsMissing(name: string, set: PartitionSet | undefined): string | null {
    for (const process of this.world.living) {
      const { node, member } = process;
      if (this.plan.bystanders.includes(node)) continue;
      if (this.wanting.get(name)?.has(process) !== true) return `${node} does not take part yet`;
      if (!member || set?.members.get(node)?.session !== member.session) return `${node} is no member yet`;
    }
    return null;
  }

  private whatIsUnowned(set: PartitionSet): string | null {
    if (set.isUnsettled) return 'not assigned yet';
    if (set.partitions.length !== set.count) return `${set.partitions.length} partitions, not ${set.count}`;
    for (const { index, token, node, home, isRevoked } of set.partitions) {
      if (token === 0) {
        const willing = willingOf(set).find((member) => set.refusals.get(index)?.has(member.node) !== true);
        if (willing) return `nobody owns ${index}, and ${willing.node} would`;
        continue;
      }
      if (isRevoked || node !== home) return `${index} is on its way from ${node} to ${home || 'nobody'}`;
      const works = [...(this.work.get(`${set.name}/${index}`) ?? [])].some((work) => work.token === token && work.what === 'handler');
      if (!works) return `${node} owns ${index} and does not work on it`;
    }
    return null;
  }
}

/** Pins and refusals may leave no even assignment. */
function whatIsUneven(set: PartitionSet): string | null {
  if (set.pins.size > 0 || [...set.refusals.values()].some((nodes) => nodes.size > 0)) return null;
  const members = willingOf(set);
  const shares = sharesOf(
    set.count,
    members.map(({ weight }) => weight),
  );
  for (const [place, { node }] of members.entries()) {
    const load = set.partitions.filter((partition) => partition.node === node).length;
    const most = shares[place]?.ceil ?? 0;
    if (load > most) return `${node} owns ${load} of ${set.count}, more than ${most}`;
  }
  return null;
}

function willingOf(set: PartitionSet): readonly PartitionMember[] {
  return [...set.members.values()].filter((member) => member.session !== 0 && takesPart(set, member));
}
