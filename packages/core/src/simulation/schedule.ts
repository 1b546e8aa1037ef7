/** Virtual time: what will happen, in the order in which it happens. Time passes only from one happening to the next. */
export interface Happening {
  readonly atMs: number;
  /** Among happenings of one moment the one planned first comes first. */
  readonly order: number;
  readonly happen: () => void;
  isCancelled: boolean;
}

/** A binary heap by (time, order). */
export class Schedule {
  nowMs = 0;
  #heap: Happening[] = [];
  #order = 0;

  at(atMs: number, happen: () => void): Happening {
    const happening = { atMs: Math.max(atMs, this.nowMs), order: (this.#order += 1), happen, isCancelled: false };
    this.#heap.push(happening);
    this.#rise(this.#heap.length - 1);
    return happening;
  }

  after(delayMs: number, happen: () => void): Happening {
    return this.at(this.nowMs + delayMs, happen);
  }

  /** The next happening at or before `untilMs`, with time moved on to it; none moves time on to `untilMs`. */
  take(untilMs: number): Happening | undefined {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return undefined;
      }
      this.#removeFirst();
      if (next.isCancelled) continue;
      this.nowMs = next.atMs;
      return next;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const rising = heap[from] as Happening;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above] as Happening;
      if (!isBefore(rising, other)) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = rising;
  }

  #sink(): void {
    const heap = this.#heap;
    const sinking = heap[0] as Happening;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Happening, heap[below] as Happening)) below += 1;
      const other = heap[below] as Happening;
      if (!isBefore(other, sinking)) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = sinking;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
