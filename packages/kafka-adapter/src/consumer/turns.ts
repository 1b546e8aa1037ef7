/** How many handlers run at once in this process: as many as there are partitions, unless the user says fewer. First come, first served. */

export class Turns {
  #free: number;
  readonly #queue = new Set<() => void>();

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Settles as the work does. False, with nothing begun, where the signal fires first: whoever is to leave does not wait for others. */
  async take(work: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) this.#free--;
    else if (!(await this.#wait(signal))) return false;
    try {
      return await work();
    } finally {
      const [next] = this.#queue;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** True when it is its turn, and false when the signal fires before. */
  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isTurn: boolean): void => {
        this.#queue.delete(onTurn);
        signal.removeEventListener('abort', onAbort);
        resolve(isTurn);
      };
      const onTurn = (): void => settle(true);
      const onAbort = (): void => settle(false);
      this.#queue.add(onTurn);
      signal.addEventListener('abort', onAbort);
    });
  }
}
