/** For how long the machine keeps threads from running when they are due: each adds to a number of its own in memory that all share. */
const tickMs = 20;
/** Timers of an idle machine are late by less. */
const usualMs = 5;

export class Lateness {
  private readonly lateMs: Int32Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.lateMs = new Int32Array(shared);
  }

  static of(threads: number): Lateness {
    return new Lateness(new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT));
  }

  /** In the thread that has this place: for as long as it lives. */
  watch(place: number): void {
    let dueMs = performance.now() + tickMs;
    setInterval(() => {
      const nowMs = performance.now();
      if (nowMs - dueMs > usualMs) Atomics.add(this.lateMs, place, Math.round(nowMs - dueMs));
      dueMs = nowMs + tickMs;
    }, tickMs).unref();
  }

  /** Of all threads since they began. */
  get totalMs(): number {
    return this.lateMs.reduce((sum, ms) => sum + ms, 0);
  }
}
