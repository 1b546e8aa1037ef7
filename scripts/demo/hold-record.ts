/** Who held a lock when, on the one clock that all threads of a process share: overlaps and falling tokens show here. */
interface Hold {
  readonly node: string;
  readonly token: number;
  readonly fromNs: bigint;
  /** Absent while it is held, or when the holder was terminated: then nobody can say when it stopped. */
  toNs?: bigint;
}

export class HoldRecord {
  private readonly holds: Hold[] = [];
  tokensFell = 0;

  granted(node: string, token: number, atNs: bigint): void {
    const last = this.holds.at(-1);
    if (last && token <= last.token) this.tokensFell += 1;
    this.holds.push({ node, token, fromNs: atNs });
  }

  released(token: number, atNs: bigint): void {
    const hold = this.holds.find((one) => one.token === token);
    if (hold) hold.toNs = atNs;
  }

  /** The thread ended: whatever it held, it holds no more. */
  terminated(node: string, atNs: bigint): void {
    for (const hold of this.holds) if (hold.node === node) hold.toNs ??= atNs;
  }

  get grants(): number {
    return this.holds.length;
  }

  /** Pairs of holds that were valid at one moment. */
  get overlaps(): number {
    const inOrder = [...this.holds].sort((a, b) => (a.fromNs < b.fromNs ? -1 : 1));
    return inOrder.filter((hold, index) => {
      const before = inOrder[index - 1];
      return before !== undefined && (before.toNs === undefined || before.toNs > hold.fromNs);
    }).length;
  }
}
