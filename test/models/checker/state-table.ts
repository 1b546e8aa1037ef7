/** Which states were seen and how each was first reached, in a few bytes per state: enough to tell the shortest way again. */
import { createHash } from 'node:crypto';

/** Longer keys are kept as 160-bit digests; a collision among a million states has a chance of about 10^-36. */
const keyLengthMax = 40;

/** Whole numbers that are appended and never removed. */
class NumberList {
  private numbers = new Int32Array(1024);
  length = 0;

  push(number: number): void {
    if (this.length === this.numbers.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.length] = number;
    this.length += 1;
  }

  at(index: number): number {
    return this.numbers[index] ?? -1;
  }
}

export class StateTable {
  private readonly ids = new Map<string, number>();
  private readonly parents = new NumberList();
  private readonly ordinals = new NumberList();
  private readonly edgesFrom = new NumberList();
  private readonly edgesTo = new NumberList();

  get size(): number {
    return this.ids.size;
  }

  /** The number of the state, and whether it is a new one: reached from `parent` by its `ordinal`-th step. */
  add(key: string, parent: number, ordinal: number): { readonly id: number; readonly isNew: boolean } {
    const short = key.length <= keyLengthMax ? key : createHash('sha1').update(key).digest('base64url');
    const known = this.ids.get(short);
    if (known !== undefined) return { id: known, isNew: false };
    const id = this.ids.size;
    this.ids.set(short, id);
    this.parents.push(parent);
    this.ordinals.push(ordinal);
    return { id, isNew: true };
  }

  addEdge(from: number, to: number): void {
    this.edgesFrom.push(from);
    this.edgesTo.push(to);
  }

  /** The first state on the shortest way to `id`, and which step was taken out of each state on it. */
  wayTo(id: number): { readonly root: number; readonly ordinals: readonly number[] } {
    const ordinals: number[] = [];
    let at = id;
    for (; this.parents.at(at) >= 0; at = this.parents.at(at)) ordinals.push(this.ordinals.at(at));
    return { root: at, ordinals: ordinals.reverse() };
  }

  /** For each state whether one of `goals` can be reached from it, over the edges noted. */
  reaching(goals: readonly number[]): Uint8Array {
    const { first, next } = this.edgesByTarget();
    const reaches = new Uint8Array(this.size);
    const queue = [...goals];
    for (const goal of goals) reaches[goal] = 1;
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (let edge = first[id] ?? -1; edge >= 0; edge = next[edge] ?? -1) {
        const from = this.edgesFrom.at(edge);
        if (reaches[from] === 1) continue;
        reaches[from] = 1;
        queue.push(from);
      }
    }
    return reaches;
  }

  /** Edges as linked lists, one for each target. */
  private edgesByTarget(): { readonly first: Int32Array; readonly next: Int32Array } {
    const first = new Int32Array(this.size).fill(-1);
    const next = new Int32Array(this.edgesFrom.length);
    for (let edge = 0; edge < this.edgesFrom.length; edge += 1) {
      const to = this.edgesTo.at(edge);
      next[edge] = first[to] ?? -1;
      first[to] = edge;
    }
    return { first, next };
  }
}
