/** The disk of one seat: what was acknowledged survives a crash, what was not is lost, and a write may be slow, or fail and be the last. */
import { QuorateError } from '../errors.ts';
import type { MemberRecord } from '../group/member.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { beginRun, foldRecords } from '../storage/begin-run.ts';
import type { LoadedMember, Storage, StoredSnapshot } from '../storage/storage.ts';
import { BrokenPromise } from './observer.ts';
import type { Schedule } from './schedule.ts';

/** `none`: a diskless pod. `instant`: durable at once. `slow`: durable, and acknowledged, after `delayMs`. */
export type DiskKind = 'none' | 'instant' | 'slow';

export class VirtualDisk {
  delayMs = 1;
  /** The next write fails; half of the time it is durable all the same, as after a time-out. */
  failsNext: 'no' | 'unwritten' | 'written' = 'no';
  lostWrites = 0;
  /** When the writes that have begun are over. */
  busyUntilMs = 0;
  #incarnation = '';
  #run = 0;
  #records: MemberRecord[] = [];
  #snapshot: StoredSnapshot | undefined;
  /** Records of appends that have begun. */
  #underWay = 0;
  /** The process whose compaction is under way, or 0. */
  #compacting = 0;
  /** Of the process that has it open; a crashed one writes no more. */
  #opening = 0;
  /** The process whose write failed, or 0; it writes no more either. */
  #failed = 0;

  constructor(
    private readonly kind: DiskKind,
    private readonly schedule: Schedule,
  ) {}

  get keepsMemory(): boolean {
    return this.kind !== 'none';
  }

  get holdsMemory(): boolean {
    return this.#run > 0;
  }

  /** It knows itself as one of these. */
  holds(seats: readonly { readonly incarnation: string }[]): boolean {
    return seats.some(({ incarnation }) => incarnation === this.#incarnation);
  }

  /** It is the memory of a voter of this configuration. */
  isIn({ id, voters }: Configuration): boolean {
    return this.holds(voters) && (foldRecords(this.#records, this.#snapshot).record?.configuration.id ?? 1) === id;
  }

  wipe(): void {
    this.#incarnation = '';
    this.#run = 0;
    this.#records = [];
    this.#snapshot = undefined;
  }

  /** What is under way and not yet durable is lost with its process. */
  crash(): void {
    this.#opening += 1;
    this.#underWay = 0;
  }

  open(): Storage {
    this.#opening += 1;
    const opening = this.#opening;
    return {
      load: (mint) => Promise.resolve(this.#load(mint)),
      append: (records) => this.#append(records, opening),
      compact: (snapshot, records) => {
        if (this.#failed === opening) return Promise.reject(diskFailed());
        if (this.#compacting === opening) throw new BrokenPromise('storage contract', 'a second compaction at a time', this.schedule.nowMs);
        return this.#compact(snapshot, records, opening);
      },
      discard: () => {
        if (opening !== this.#opening) return new Promise(() => undefined);
        if (this.#failed === opening) return Promise.reject(diskFailed());
        this.wipe();
        return Promise.resolve();
      },
    };
  }

  #load(mint: () => string): LoadedMember {
    if (this.kind === 'none') return { identity: { incarnation: mint(), run: 1 } };
    const identity = { incarnation: this.#incarnation, run: this.#run };
    const kept = this.#run === 0 ? null : { identity, snapshot: this.#snapshot, records: this.#records };
    const { isFresh, ...loaded } = beginRun(kept, mint);
    if (isFresh) this.wipe();
    this.#incarnation = loaded.identity.incarnation;
    this.#run = loaded.identity.run;
    return loaded;
  }

  /** What is appended while it is written comes after it: the place in the order is that of the call. */
  async #compact(snapshot: StoredSnapshot, records: readonly MemberRecord[], opening: number): Promise<void> {
    if (this.kind === 'none') return;
    this.#compacting = opening;
    const replaced = this.#records.length + this.#underWay;
    if (this.kind === 'slow') await this.#written();
    if (opening !== this.#opening) return new Promise(() => undefined);
    if (this.#failed === opening) throw diskFailed();
    this.#snapshot = snapshot;
    this.#records.splice(0, replaced, ...records);
    this.#compacting = 0;
  }

  /** One write after all that have begun. */
  #written(): Promise<void> {
    const delayMs = Math.max(this.busyUntilMs - this.schedule.nowMs, 0) + this.delayMs;
    return new Promise((resolve) => void this.schedule.after(delayMs, resolve));
  }

  #append(records: readonly MemberRecord[], opening: number): void | Promise<void> {
    if (this.#failed === opening) return Promise.reject(diskFailed());
    if (this.failsNext !== 'no') {
      // Never without what was appended before it.
      if (this.failsNext === 'written' && this.#underWay === 0) this.#records.push(...records);
      this.failsNext = 'no';
      this.#failed = opening;
      return Promise.reject(diskFailed());
    }
    if (this.kind === 'none') return undefined;
    if (this.kind === 'instant') return void this.#records.push(...records);
    this.busyUntilMs = Math.max(this.busyUntilMs, this.schedule.nowMs + this.delayMs);
    this.#underWay += records.length;
    return new Promise((resolve) => {
      this.schedule.after(this.delayMs, () => {
        if (opening !== this.#opening) return void (this.lostWrites += records.length);
        this.#underWay -= records.length;
        this.#records.push(...records);
        resolve();
      });
    });
  }
}

function diskFailed(): QuorateError {
  return new QuorateError('STORAGE_FAILED', 'The disk failed.');
}
