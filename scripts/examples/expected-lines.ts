/**
 * What an example is expected to print, and where it differs. An expectation is a text of one regular expression per line, each for a
 * whole line. Neighbouring lines that begin with `~ ` come in any order. What `(?<name>…)` matched is meant by `\k<name>` in later lines.
 */

const anyOrderMark = '~ ';

/** The first difference, in words, or null. */
export function differenceFrom(expectation: string, printed: string): string | null {
  const remaining = linesOf(printed);
  const seen = new Map<string, string>();
  for (const block of blocksOf(linesOf(expectation))) {
    let open = [...block];
    while (open.length > 0) {
      const line = remaining.shift();
      if (line === undefined) return `nothing more was printed, where ${wanted(open)} was expected`;
      const matched = open.find((pattern) => takes(pattern, line, seen));
      if (matched === undefined) return `${JSON.stringify(line)} was printed, where ${wanted(open)} was expected`;
      open = open.filter((pattern) => pattern !== matched);
    }
  }
  const [surplus] = remaining;
  return surplus === undefined ? null : `${JSON.stringify(surplus)} was printed after all that was expected`;
}

function blocksOf(lines: readonly string[]): string[][] {
  const blocks: string[][] = [];
  let isAnyOrder = false;
  for (const line of lines) {
    const isMarked = line.startsWith(anyOrderMark);
    const last = blocks.at(-1);
    if (isMarked && isAnyOrder && last) last.push(line.slice(anyOrderMark.length));
    else blocks.push([isMarked ? line.slice(anyOrderMark.length) : line]);
    isAnyOrder = isMarked;
  }
  return blocks;
}

/** Remembers what named groups matched. */
function takes(pattern: string, line: string, seen: Map<string, string>): boolean {
  const resolved = pattern.replace(/\\k<(\w+)>/g, (reference, name: string) => escaped(seen.get(name)) ?? reference);
  const match = new RegExp(`^(?:${resolved})$`).exec(line);
  if (match === null) return false;
  for (const [name, value] of Object.entries(match.groups ?? {})) if (value !== undefined) seen.set(name, value);
  return true;
}

function escaped(text: string | undefined): string | undefined {
  return text?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function wanted(patterns: readonly string[]): string {
  return patterns.map((pattern) => JSON.stringify(pattern)).join(' or ');
}
