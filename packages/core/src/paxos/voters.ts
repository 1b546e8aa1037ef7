/** Who is to vote at the founding of a group, as its processes were told: these names, or so many of whoever comes. */

export type Voters = readonly string[] | { readonly count: number };

export function isCounted(voters: Voters): voters is { readonly count: number } {
  return 'count' in voters;
}

export function sameVoters(a: Voters, b: Voters): boolean {
  if (isCounted(a) || isCounted(b)) return isCounted(a) && isCounted(b) && a.count === b.count;
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

/** In the middle of a sentence. */
export function votersText(voters: Voters): string {
  return isCounted(voters) ? `any ${voters.count}` : voters.join(', ');
}
