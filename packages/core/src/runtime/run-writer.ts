/**
 * The writes of a member, one at a time, and how long it may act on the last of them. Where another process can take the seat over
 * unnoticed, only a write that succeeds shows that none has: the safety rule 19.
 */
import type { TurnStore } from './turn-store.ts';
import type { MemberRecord, Storage } from '../storage/storage.ts';
import { elapsedForOwnRightMs, readClock, usableLengthMs } from '../time/clock.ts';
import type { Clock, Instant } from '../time/clock.ts';

/** A run that is idle writes once in this part of the time that it may act on a write. */
const renewalPart = 0.5;

/**
 * 1. A turn is taken within `zombieMs` of the beginning of a write that succeeded, by whichever clock says that more time has passed.
 * 2. A lease that is granted in a turn counts from a heartbeat sent before it: a pause within the turn lengthens nothing.
 */
export class RunWriter {
  /** Nothing is stepped meanwhile. */
  isBusy = false;
  #beside: Promise<void> | null = null;
  /** When the last write that succeeded was begun. */
  #writtenAt: Instant | undefined;

  constructor(
    private readonly storage: Pick<Storage, 'append' | 'zombieMs'>,
    private readonly clock: Clock,
    /** `onIdle`: a write that had to be waited for is done. After a failure the writer stays busy. */
    private readonly listener: { onIdle(): void; onFailure(cause: unknown): void },
  ) {}

  /** Takes the turn at once where the last write is young enough, else behind one that is. */
  whenFresh(at: Instant, turn: (at: Instant) => void): void {
    if (this.#isOlder(at, renewalPart)) this.#renew(at, turn);
    else turn(at);
  }

  write(records: readonly MemberRecord[], began: Instant, then: () => void): void {
    this.store({ write: () => this.storage.append(records), compacts: false, beside: null }, began, then);
  }

  /** `then` follows at once where the write is done at once. */
  store({ write, compacts, beside }: TurnStore, began: Instant, then: () => void): void {
    const done = (): void => {
      this.isBusy = false;
      this.#writtenAt = began;
      then();
    };
    const written = compacts && this.#beside ? this.#beside.then(write) : write();
    if (beside) this.#writeBeside(beside);
    if (written === undefined) return done();
    this.isBusy = true;
    written.then(
      () => {
        done();
        this.listener.onIdle();
      },
      (cause: unknown) => this.listener.onFailure(cause),
    );
  }

  /** One at a time: while one is under way the next is left out, for another follows. */
  #writeBeside(write: () => Promise<void>): void {
    if (this.#beside !== null) return;
    const onDone = (): void => void (this.#beside = null);
    this.#beside = write().then(onDone, (failure: unknown) => this.listener.onFailure(failure));
  }

  /** Nothing of an incarnation that is over is written after what it kept was discarded. */
  async settled(): Promise<void> {
    await this.#beside;
  }

  /** A store slower than `zombieMs` keeps its member silent for as long as it is. */
  #renew(began: Instant, turn: (at: Instant) => void): void {
    this.write([], began, () => {
      const at = readClock(this.clock);
      if (this.#isOlder(at, 1)) this.#renew(at, turn);
      else turn(at);
    });
  }

  #isOlder(at: Instant, part: number): boolean {
    const { zombieMs } = this.storage;
    if (zombieMs === undefined) return false;
    return this.#writtenAt === undefined || elapsedForOwnRightMs(this.#writtenAt, at) >= usableLengthMs(zombieMs) * part;
  }
}
