/**
 * The history of a run: what each process called, what came back and when, as lines of JSON that an independent checker reads.
 * A call is on file before it is made, so that a process killed in the middle leaves a call whose outcome is unknown.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

export type Operation = 'acquire' | 'release' | 'write' | 'read' | 'lost' | 'lead' | 'unlead';

/** One line of a history. Times are nanoseconds of the machine's monotonic clock, which all its processes share. */
export interface HistoryLine {
  readonly process: string;
  /** Tokens are compared within a group only. */
  readonly group: string;
  readonly op: Operation;
  readonly key: string;
  readonly token: number | null;
  readonly value: number | null;
  readonly call: number;
  /** Null where the outcome is unknown. */
  readonly return: number | null;
  readonly ok: boolean | null;
  readonly error: string | null;
  /** Of whoever holds a lease: until when it may rely on it if it hears nothing more. A later line of the same token extends it. */
  readonly validUntil?: number;
  /** Of an acquire: when its process saw itself waiting in the queue. */
  readonly queuedAt?: number;
  /** A `lead` that tells of a term once more, to say how long it is valid now. */
  readonly renewal?: true;
}

/** What is known of an operation when it begins. */
export type Call = Pick<HistoryLine, 'op' | 'key'> & Partial<Pick<HistoryLine, 'token' | 'value' | 'validUntil' | 'renewal'>>;

/** What is known of it once it is over. */
export type Outcome = Pick<HistoryLine, 'ok'> & Partial<Pick<HistoryLine, 'error' | 'token' | 'value' | 'validUntil' | 'queuedAt'>>;

export interface Recorded {
  readonly callNs: number;
  end(outcome: Outcome): void;
}

export interface Author {
  readonly process: string;
  readonly group: string;
}

export function machineTimeNs(): number {
  return Number(process.hrtime.bigint());
}

/** Writes one process's part of one episode. Each line is handed to the system before the next step, so `kill -9` takes none back. */
export class HistoryRecorder {
  private readonly fd: number;
  private nextId = 1;
  private isClosed = false;

  constructor(
    file: string,
    private readonly author: Author,
  ) {
    this.fd = openSync(file, 'a');
  }

  begin(call: Call): Recorded {
    const id = this.nextId++;
    const callNs = machineTimeNs();
    this.write({ id, ...this.author, ...call, call: callNs });
    return { callNs, end: (outcome) => this.write({ id, ...outcome, return: machineTimeNs() }) };
  }

  /** Something that is told rather than asked: it begins and ends now. */
  moment(call: Call): void {
    const at = machineTimeNs();
    this.write({ id: this.nextId++, ...this.author, ...call, call: at, return: at, ok: true });
  }

  /** What is told after this belongs to no episode. */
  close(): void {
    this.isClosed = true;
    closeSync(this.fd);
  }

  private write(line: object): void {
    if (!this.isClosed) writeSync(this.fd, `${JSON.stringify(line)}\n`);
  }
}

interface Part extends Partial<HistoryLine> {
  readonly id: number;
}

/** Joins calls with their outcomes. The last line of a killed process may be cut short: it never became a fact. */
export function joinParts(text: string): HistoryLine[] {
  const lines = new Map<number, Part>();
  for (const row of text.split('\n')) {
    const part = parse(row);
    if (part) lines.set(part.id, { ...lines.get(part.id), ...part });
  }
  return [...lines.values()].flatMap((part) => (part.op === undefined ? [] : [lineOf(part)]));
}

function parse(row: string): Part | undefined {
  if (row === '') return undefined;
  try {
    return JSON.parse(row) as Part;
  } catch {
    return undefined;
  }
}

function lineOf(part: Part): HistoryLine {
  const { process: author = '', group = '', op = 'read', key = '', call = 0, token = null, value = null, ok = null, error = null } = part;
  const line = { process: author, group, op, key, token, value, call, return: part.return ?? null, ok, error };
  const { validUntil, queuedAt, renewal } = part;
  return {
    ...line,
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(queuedAt === undefined ? {} : { queuedAt }),
    ...(renewal === undefined ? {} : { renewal }),
  };
}

/** All parts of an episode, in the order of their calls. */
export function mergeHistory(files: readonly string[]): HistoryLine[] {
  const parts = files.filter((file) => existsSync(file)).flatMap((file) => joinParts(readFileSync(file, 'utf8')));
  return parts.sort((a, b) => a.call - b.call);
}

export function linesOf(history: readonly HistoryLine[]): string {
  return history.map((line) => `${JSON.stringify(line)}\n`).join('');
}
