/**
 * A map for numbers that rise and mostly leave as they came, as requests under way do. Its values stand in a ring.
 *
 * A `Map` would do the same, but not for long: each of its tables, once outgrown, still points to the next one, so that a single
 * table that became old keeps all later ones, and with them whatever they ever held, from being collected while young. Under load
 * that was a third of the processor.
 */

const capacityMin = 16;
/** Beyond this the ring grows no more. */
const capacityMax = 8_192;
/** A ring that was larger than this is given back when it is empty. */
const capacityKept = 256;
/** How many places the ring has for each value at least, before it grows: numbers have gaps. */
const placesPerValue = 4;
/** Numbers are not negative. */
const nobody = -1;

/**
 * 1. A value stands in the ring at its number modulo the length, a power of two, or aside. Never both.
 * 2. Whoever is overtaken by a number of the same place goes aside: a few live long while many come and go.
 * 3. Iteration is in the order of the numbers, whatever the history.
 */
export class SequenceMap<Value> {
  #numbers: number[] = freshRing(capacityMin, nobody);
  #values: (Value | undefined)[] = freshRing<Value | undefined>(capacityMin, undefined);
  #aside: Map<number, Value> | null = null;
  #size = 0;
  /** No number in the ring is lower, and none is higher. */
  #low = 0;
  #high = nobody;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return this.#isInRing(number) || (this.#aside?.has(number) ?? false);
  }

  get(number: number): Value | undefined {
    return this.#isInRing(number) ? this.#values[this.#placeOf(number)] : this.#aside?.get(number);
  }

  set(number: number, value: Value): void {
    if (this.#aside?.has(number)) return void this.#aside.set(number, value);
    if (!this.#isInRing(number)) this.#makeRoom(number);
    const place = this.#placeOf(number);
    this.#numbers[place] = number;
    this.#values[place] = value;
  }

  delete(number: number): boolean {
    if (this.#isInRing(number)) this.#empty(this.#placeOf(number));
    else if (!(this.#aside?.delete(number) ?? false)) return false;
    this.#size -= 1;
    if (this.#aside?.size === 0) this.#aside = null;
    if (this.#size === 0 && this.#numbers.length > capacityKept) this.clear();
    return true;
  }

  clear(): void {
    this.#numbers = freshRing(capacityMin, nobody);
    this.#values = freshRing<Value | undefined>(capacityMin, undefined);
    this.#aside = null;
    this.#size = 0;
    this.#high = nobody;
  }

  /** The lowest number, or `undefined` for none. */
  get lowest(): number | undefined {
    if (this.#size === 0) return undefined;
    this.#raiseLow();
    const inRing = this.#isInRing(this.#low) ? this.#low : Infinity;
    return this.#aside === null ? inRing : Math.min(inRing, ...this.#aside.keys());
  }

  numbers(): number[] {
    const inRing = this.#numbers.filter((number) => number !== nobody);
    return [...inRing, ...(this.#aside?.keys() ?? [])].sort((a, b) => a - b);
  }

  values(): Value[] {
    return this.numbers().map((number) => this.get(number) as Value);
  }

  /** The next number is near where they follow one another; where they do not, all are looked at. */
  #raiseLow(): void {
    const near = Math.min(this.#high, this.#low + this.#numbers.length);
    while (this.#low < near && !this.#isInRing(this.#low)) this.#low += 1;
    if (this.#isInRing(this.#low)) return;
    this.#low = this.#numbers.reduce((lowest, number) => (number === nobody ? lowest : Math.min(lowest, number)), this.#high);
  }

  #isInRing(number: number): boolean {
    return this.#numbers[this.#placeOf(number)] === number;
  }

  #placeOf(number: number): number {
    return number & (this.#numbers.length - 1);
  }

  /** Counts the newcomer, and sees that its place is free. */
  #makeRoom(number: number): void {
    this.#low = this.#size === 0 ? number : Math.min(this.#low, number);
    this.#high = Math.max(this.#high, number);
    this.#size += 1;
    const isTaken = (): boolean => this.#numbers[this.#placeOf(number)] !== nobody;
    while (isTaken() && this.#numbers.length < Math.min(capacityMax, this.#size * placesPerValue)) this.#grow();
    if (isTaken()) this.#putAside(this.#placeOf(number));
  }

  #putAside(place: number): void {
    this.#aside ??= new Map();
    this.#aside.set(this.#numbers[place] ?? nobody, this.#values[place] as Value);
    this.#empty(place);
  }

  #empty(place: number): void {
    this.#numbers[place] = nobody;
    this.#values[place] = undefined;
  }

  #grow(): void {
    const numbers = this.#numbers;
    const values = this.#values;
    this.#numbers = freshRing(numbers.length * 2, nobody);
    this.#values = freshRing<Value | undefined>(numbers.length * 2, undefined);
    numbers.forEach((number, at) => {
      if (number === nobody) return;
      this.#numbers[this.#placeOf(number)] = number;
      this.#values[this.#placeOf(number)] = values[at];
    });
  }
}

function freshRing<Item>(length: number, item: Item): Item[] {
  return new Array<Item>(length).fill(item);
}
