/**
 * What processes held, when and under which token, and the two promises that can be read from it: exclusion and rising tokens.
 * Times are the machine's monotonic clock, which all its processes share.
 */

/** Told by a process: right after it got a lease, and right before it gave it up. */
export interface Hold {
  readonly node: string;
  readonly lock: string;
  readonly token: number;
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  /** The last moment at which it is known to have held it: of its release, of its death, or of its last look at a valid lease. */
  readonly heldUntilMs: number;
}

/** The faults, each as a sentence; none in a group that keeps its promises. */
export function faultsIn(holds: readonly Hold[]): string[] {
  return [...overlaps(holds), ...repeatedTokens(holds), ...fallingTokens(holds)];
}

/** On one lock, in the order of tokens, each holder begins after the one before has ended. */
function overlaps(holds: readonly Hold[]): string[] {
  const faults: string[] = [];
  for (const onLock of groupedByLock(holds).values()) {
    const inOrder = [...onLock].sort((a, b) => a.token - b.token);
    let latest: Hold | undefined;
    for (const hold of inOrder) {
      if (latest && hold.grantedAtMs < latest.heldUntilMs) {
        faults.push(
          `${textOf(hold)} was granted ${(latest.heldUntilMs - hold.grantedAtMs).toFixed(3)} ms before the end of ${textOf(latest)}`,
        );
      }
      if (!latest || hold.heldUntilMs > latest.heldUntilMs) latest = hold;
    }
  }
  return faults;
}

function repeatedTokens(holds: readonly Hold[]): string[] {
  const byToken = new Map<number, Hold>();
  const faults: string[] = [];
  for (const hold of holds) {
    const other = byToken.get(hold.token);
    if (other) faults.push(`${textOf(hold)} has the token of ${textOf(other)}`);
    byToken.set(hold.token, hold);
  }
  return faults;
}

/** Whatever was asked for after a grant was seen has a larger token than that grant, on any lock. */
function fallingTokens(holds: readonly Hold[]): string[] {
  const byGrant = [...holds].sort((a, b) => a.grantedAtMs - b.grantedAtMs);
  const byRequest = [...holds].sort((a, b) => a.askedAtMs - b.askedAtMs);
  const faults: string[] = [];
  let highest: Hold | undefined;
  let next = 0;
  for (const hold of byRequest) {
    for (let granted = byGrant[next]; granted && granted.grantedAtMs < hold.askedAtMs; granted = byGrant[++next]) {
      if (!highest || granted.token > highest.token) highest = granted;
    }
    if (highest && hold.token <= highest.token) faults.push(`${textOf(hold)} was asked for after ${textOf(highest)} was granted`);
  }
  return faults;
}

function groupedByLock(holds: readonly Hold[]): Map<string, Hold[]> {
  const groups = new Map<string, Hold[]>();
  for (const hold of holds) {
    const group = groups.get(hold.lock);
    if (group) group.push(hold);
    else groups.set(hold.lock, [hold]);
  }
  return groups;
}

function textOf({ node, lock, token }: Hold): string {
  return `${node}'s hold of ${lock} with token ${token}`;
}
