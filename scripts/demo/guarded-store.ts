/** A store that checks fencing tokens, as a database does with `where fence <= $token`: it refuses what comes from an older holder. */
export class GuardedStore {
  /** The largest token that a write was taken with; 0 before the first. */
  fence = 0;
  accepted = 0;
  refused = 0;

  /** True if the write was taken. */
  write(token: number): boolean {
    if (token < this.fence) {
      this.refused += 1;
      return false;
    }
    this.fence = token;
    this.accepted += 1;
    return true;
  }
}
