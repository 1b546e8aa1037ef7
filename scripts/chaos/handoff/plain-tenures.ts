/** What a worker believes to own where nobody hands out tokens: what its client was assigned, or each piece while it works on it. */
import { machineTimeNs } from '../history.ts';
import type { TenureLog } from './tenure-log.ts';

export class PlainTenures {
  private readonly assigned = new Map<number, number>();
  private last = 0;

  constructor(
    private readonly log: TenureLog,
    private readonly how: 'assigned' | 'perPiece',
  ) {}

  assign(partitions: readonly number[]): void {
    for (const [partition, token] of this.assigned) if (!partitions.includes(partition)) this.settle(partition, token);
    for (const partition of partitions) if (!this.assigned.has(partition)) this.assigned.set(partition, this.grant(partition));
  }

  /** It is believed for as long as nothing else was heard: the belief lasts to the last look at least. */
  look(): void {
    const at = machineTimeNs();
    const owned = Array.from(this.assigned, ([partition, token]) => [partition, token, at] as const);
    if (owned.length > 0) this.log.write({ type: 'looked', at, owned });
  }

  begin(partition: number): number {
    return this.how === 'perPiece' ? this.grant(partition) : (this.assigned.get(partition) ?? 0);
  }

  end(partition: number, token: number): void {
    const at = machineTimeNs();
    if (this.how === 'perPiece') this.log.write({ type: 'looked', at, owned: [[partition, token, at]] });
  }

  private grant(partition: number): number {
    this.last += 1;
    this.log.write({ type: 'granted', at: machineTimeNs(), partition, token: this.last });
    return this.last;
  }

  private settle(partition: number, token: number): void {
    this.assigned.delete(partition);
    this.log.write({ type: 'settled', at: machineTimeNs(), partition, token });
  }
}
