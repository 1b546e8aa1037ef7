/**
 * Each life of a process keeps a file of what it believed to own and what it did: a line is with the system before the next step, so
 * that `kill -9` takes none back. The files are compared when all is over.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Piece } from './piece.ts';

interface OfTenure {
  readonly at: number;
  readonly partition: number;
  readonly token: number;
}

/** Times are the machine's monotonic nanoseconds. */
export type TenureLine =
  | (OfTenure & { readonly type: 'granted' })
  /** Its handler has settled because the partition was to be given up. */
  | (OfTenure & { readonly type: 'settled' })
  /** What it may rely on if it hears nothing more: partition, token, until when. The clock was read first, so it claims no more than it has. */
  | {
      readonly type: 'looked';
      readonly at: number;
      readonly owned: readonly (readonly [partition: number, token: number, untilNs: number])[];
    }
  | (OfTenure & Piece & { readonly type: 'began' })
  | (OfTenure & Piece & { readonly type: 'done' });

export class TenureLog {
  private readonly fd: number;
  private isClosed = false;

  constructor(file: string) {
    this.fd = openSync(file, 'a');
  }

  write(line: TenureLine): void {
    if (!this.isClosed) writeSync(this.fd, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    this.isClosed = true;
    closeSync(this.fd);
  }
}

/** A time for which one life of a process owned a partition, as it saw it. */
export interface Tenure {
  readonly process: string;
  readonly partition: number;
  readonly token: number;
  readonly fromNs: number;
  /** Until then it would have relied on it, whatever became of its process. */
  readonly untilNs: number;
}

/** One life of a process, by its file. */
export interface Life {
  readonly process: string;
  readonly tenures: readonly Tenure[];
  /** Begun, and never done. */
  readonly unfinished: readonly Piece[];
}

/** The last line of a killed process may be cut short: it never became a fact. */
export function readLife(process: string, file: string): Life {
  return lifeOf(process, existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(lineOf) : []);
}

function lineOf(row: string): TenureLine[] {
  try {
    return row === '' ? [] : [JSON.parse(row) as TenureLine];
  } catch {
    return [];
  }
}

export function lifeOf(process: string, lines: readonly TenureLine[]): Life {
  const tenures = new Map<number, { readonly partition: number; readonly fromNs: number; untilNs: number; settledNs: number }>();
  const begun = new Map<string, Piece>();
  for (const line of lines) {
    switch (line.type) {
      case 'granted': {
        // A handler that failed is started again under the same token.
        const known = tenures.get(line.token);
        if (!known) tenures.set(line.token, { partition: line.partition, fromNs: line.at, untilNs: line.at, settledNs: Infinity });
        break;
      }
      case 'settled': {
        const tenure = tenures.get(line.token);
        if (tenure) tenure.settledNs = line.at;
        break;
      }
      case 'looked':
        for (const [, token, untilNs] of line.owned) {
          const tenure = tenures.get(token);
          if (tenure) tenure.untilNs = Math.max(tenure.untilNs, untilNs);
        }
        break;
      case 'began':
        begun.set(nameOf(line), line);
        break;
      case 'done':
        begun.delete(nameOf(line));
        break;
    }
  }
  return {
    process,
    tenures: Array.from(tenures, ([token, { partition, fromNs, untilNs, settledNs }]) => {
      return { process, partition, token, fromNs, untilNs: Math.min(untilNs, settledNs) };
    }),
    unfinished: Array.from(begun.values(), ({ partition, key, number }) => ({ partition, key, number })),
  };
}

function nameOf({ key, number }: Piece): string {
  return `${key}/${number}`;
}
