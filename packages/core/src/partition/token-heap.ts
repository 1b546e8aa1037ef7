/** Resources with the newest token of each, the smallest token on top: a binary heap in which every entry knows its place. */

export interface Newest {
  readonly resource: string;
  token: number;
  place: number;
}

/** 1. No entry has a smaller token than its parent. 2. `entries[entry.place]` is the entry. */
export class TokenHeap {
  readonly #entries: Newest[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(resource: string, token: number): Newest {
    const entry: Newest = { resource, token, place: this.#entries.length };
    this.#entries.push(entry);
    this.#rise(entry);
    return entry;
  }

  /** Tokens only rise, and what rises goes down in the heap. */
  raise(entry: Newest, token: number): void {
    entry.token = token;
    this.#sink(entry);
  }

  takeSmallest(): Newest | undefined {
    const smallest = this.#entries[0];
    const last = this.#entries.pop();
    if (smallest === undefined || last === undefined || last === smallest) return smallest;
    this.#put(last, 0);
    this.#sink(last);
    return smallest;
  }

  #rise(entry: Newest): void {
    for (;;) {
      const parent = this.#entries[(entry.place - 1) >> 1];
      if (entry.place === 0 || parent === undefined || parent.token <= entry.token) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Newest): void {
    for (;;) {
      const left = this.#entries[2 * entry.place + 1];
      const right = this.#entries[2 * entry.place + 2];
      const smaller = right !== undefined && left !== undefined && right.token < left.token ? right : left;
      if (smaller === undefined || smaller.token >= entry.token) return;
      this.#swap(entry, smaller);
    }
  }

  #swap(above: Newest, below: Newest): void {
    const place = above.place;
    this.#put(above, below.place);
    this.#put(below, place);
  }

  #put(entry: Newest, place: number): void {
    this.#entries[place] = entry;
    entry.place = place;
  }
}
