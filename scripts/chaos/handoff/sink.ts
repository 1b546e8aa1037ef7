/** Reads the outputs behind a fence, and keeps what passed: what a downstream consumer of the workers would have seen. */
import { fence, TokenFence } from '@quorate/core';
import { Subject } from 'rxjs';
import type { Accepted } from './judge.ts';
import type { Arrived } from './stream.ts';

export class Sink {
  readonly accepted: Accepted[] = [];
  /** Outputs, openings aside, that came with a token older than one seen before. */
  staleDropped = 0;
  /** Partitions that had an owner. */
  readonly opened = new Set<number>();
  private readonly arrived = new Subject<Arrived>();
  private readonly memory: TokenFence;
  private readonly firsts = new Set<string>();

  constructor(private readonly isFenced: boolean) {
    this.memory = new TokenFence({ onUnfenced: isFenced ? 'drop' : 'pass' });
    const onStale = ({ said }: Arrived): void => {
      if (!('isOpening' in said)) this.staleDropped += 1;
    };
    this.arrived.pipe(fence({ stamp: ({ stamp }) => stamp, memory: this.memory, onStale })).subscribe(({ said, stamp }) => {
      if ('isOpening' in said) return void this.opened.add(said.partition);
      this.accepted.push({ ...said, token: stamp?.token });
      this.firsts.add(`${said.key}/${said.number}`);
    });
  }

  take(arrived: Arrived): void {
    this.arrived.next(arrived);
  }

  /** How many different pieces came out. */
  get different(): number {
    return this.firsts.size;
  }

  /** Somebody has published for it under a newer token. Without tokens nobody can tell. */
  hasNewer(resource: string, token: number): boolean {
    return this.isFenced && (this.memory.newestOf(resource) ?? 0) > token;
  }
}
