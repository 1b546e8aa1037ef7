/** A first-in-first-out queue whose members can leave from the middle: an array with gaps, closed when they outnumber the rest. */

/** A member remembers where it stands; nobody else touches that. */
export interface Queued {
  position: number;
}

const gapsKept = 32;

/**
 * 1. Every member stands at its own `position`.
 * 2. `size` is how many there are.
 */
export class WaitQueue<Member extends Queued> {
  #places: (Member | null)[] = [];
  #size = 0;
  /** Nobody stands before it. */
  #head = 0;

  get size(): number {
    return this.#size;
  }

  push(member: Member): void {
    member.position = this.#places.length;
    this.#places.push(member);
    this.#size += 1;
  }

  first(): Member | null {
    while (this.#head < this.#places.length) {
      const member = this.#places[this.#head];
      if (member) return member;
      this.#head += 1;
    }
    return null;
  }

  delete(member: Member): void {
    this.#places[member.position] = null;
    this.#size -= 1;
    if (this.#places.length > gapsKept + 2 * this.#size) this.#closeGaps();
  }

  /** 1 for the first. */
  placeOf(member: Member): number {
    let place = 1;
    for (let position = this.#head; position < member.position; position += 1) {
      if (this.#places[position] !== null) place += 1;
    }
    return place;
  }

  /** In order, from the first. */
  *[Symbol.iterator](): IterableIterator<Member> {
    for (let position = this.#head; position < this.#places.length; position += 1) {
      const member = this.#places[position];
      if (member) yield member;
    }
  }

  #closeGaps(): void {
    this.#places = this.#places.filter((member) => member !== null);
    this.#places.forEach((member, position) => {
      if (member) member.position = position;
    });
    this.#head = 0;
  }
}
