/**
 * Histories that a group which keeps its promises could have left: drawn from a seed, with holders that release, stall, crash and
 * lose their lease, two locks with their registers, and an election. Times are made up; only their order matters.
 */
import { seededRandom } from '../../packages/core/src/time/random.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import type { HistoryLine } from '../../scripts/chaos/history.ts';

export type End = 'release' | 'stall' | 'crash' | 'lost';

/** One grant, and the lines that tell of it. */
export interface Turn {
  readonly key: string;
  readonly process: string;
  readonly end: End;
  /** When the group decided it. */
  readonly decidedAt: number;
  /** From when on the group may decide the next. */
  readonly overAt: number;
  token: number;
  readonly grant: Line;
  readonly renewals: Line[];
  readonly read: Line | undefined;
  readonly write: Line | undefined;
  readonly over: Line | undefined;
}

/** A line that a test may spoil. */
export type Line = { -readonly [K in keyof HistoryLine]: HistoryLine[K] };

export interface HonestHistory {
  readonly turns: readonly Turn[];
  readonly lines: Line[];
}

export const group = 'honest';
export const locks = ['1/x', '1/y'] as const;
export const election = '1/e';
const processes = ['v1', 'v2', 'v3', 'c1'];
const turnsPerKey = 24;
const firstToken = 900_000_000_000;

export function honestHistory(seed: number): HonestHistory {
  const random = seededRandom(seed);
  const turns = [...locks, election].flatMap((key) => turnsOn(key, random));
  const byDecision = [...turns].sort((a, b) => a.decidedAt - b.decidedAt);
  for (const [index, turn] of byDecision.entries()) nameToken(turn, firstToken + index);
  for (const lock of locks) serve(turns.filter(({ key }) => key === lock));
  const lines = turns.flatMap(({ grant, renewals, read, write, over }) => [grant, ...renewals, read, write, over].filter(isLine));
  return { turns, lines: [...lines, ...failures(random)].sort((a, b) => a.call - b.call) };
}

function isLine(line: Line | undefined): line is Line {
  return line !== undefined;
}

/** Turns of one key follow one another, in the order in which they were asked for. */
function turnsOn(key: string, random: Random): Turn[] {
  const turns: Turn[] = [];
  const freeAt = new Map<string, number>();
  const lives = new Map<string, number>();
  let askedAt = 1_000;
  for (let index = 0; index < turnsPerKey; index++) {
    const before = turns.at(-1);
    const node = processes[index % processes.length] ?? '';
    const life = lives.get(node) ?? 1;
    // Each end comes up, whatever the seed.
    const end =
      (['release', 'release', 'stall', 'lost', 'release', 'crash', 'release'] as const)[(index + random.below(2)) % 7] ?? 'release';
    askedAt = Math.max(askedAt + 10, freeAt.get(node) ?? 0, (before?.grant.return ?? 0) - 30 + random.below(60));
    const turn = turnOf({ key, process: life === 1 ? node : `${node}/${life}`, end, askedAt, before, random });
    turns.push(turn);
    if (end === 'crash') lives.set(node, life + 1);
    freeAt.set(node, (turn.over?.return ?? turn.overAt) + 5);
  }
  return turns;
}

interface Draft {
  readonly key: string;
  readonly process: string;
  readonly end: End;
  readonly askedAt: number;
  readonly before: Turn | undefined;
  readonly random: Random;
}

function turnOf({ key, process, end, askedAt, before, random }: Draft): Turn {
  const pause = (): number => 5 + random.below(20);
  const isTerm = key === election;
  const waits = before !== undefined && before.overAt > askedAt + 20;
  const queued = waits ? { queuedAt: askedAt + 8 } : {};
  const decidedAt = Math.max(askedAt + pause(), (before?.overAt ?? 0) + pause());
  const grantedAt = decidedAt + pause();
  const line = (of: Partial<Line> & Pick<Line, 'op' | 'call'>): Line => ({
    ...{ process, group, key, token: null, value: null, return: null, ok: null, error: null },
    ...of,
  });
  const readAt = grantedAt + pause();
  const stopAt = readAt + 10 + pause();
  const validUntil = stopAt + 100 + pause();
  const grant = line({ op: isTerm ? 'lead' : 'acquire', call: askedAt, return: grantedAt, ok: true, validUntil: stopAt + 50, ...queued });
  const read = isTerm ? undefined : line({ op: 'read', call: readAt, return: readAt + 4, ok: true });
  // A stalled holder writes long after its lease, when the next one has written; a crashed one may have written or not.
  const isLate = end === 'stall';
  const writeAt = isLate ? validUntil + 250 : stopAt;
  const write = isTerm
    ? undefined
    : line({ op: 'write', call: writeAt, return: end === 'crash' ? null : writeAt + 6, validUntil, value: random.below(1_000_000_000) });
  const renewals = isTerm ? [line({ op: 'lead', call: stopAt, return: stopAt, ok: true, validUntil, renewal: true })] : [];
  const endAt = isLate ? writeAt + 20 : stopAt + 20 + pause();
  const givesBack = end === 'release';
  const over = {
    release: line({ op: isTerm ? 'unlead' : 'release', call: endAt, return: endAt + 10, ok: true }),
    stall: line({ op: isTerm ? 'unlead' : 'release', call: endAt, return: endAt + 3, ok: false, error: 'LOST' }),
    lost: line({ op: 'lost', call: endAt, return: endAt, ok: true }),
    crash: undefined,
  }[end];
  const overAt = givesBack ? endAt + 2 : end === 'lost' ? endAt + 5 : validUntil + 5;
  return { key, process, end, decidedAt, overAt, token: 0, grant, renewals, read, write, over };
}

/** Gives the turn's token to all of its lines. */
export function nameToken(turn: Turn, token: number): void {
  turn.token = token;
  for (const line of [turn.grant, ...turn.renewals, turn.read, turn.write, turn.over]) if (line) line.token = token;
}

/** What the guarded register answers, if each operation is served in the middle of its call. Of two writes of unknown outcome one is never served. */
function serve(turns: readonly Turn[]): void {
  let stored: { token: number; value: number | null } | undefined;
  const operations = turns.flatMap(({ read, write }) => [read, write].filter(isLine)).sort((a, b) => a.call - b.call);
  let unknown = 0;
  for (const operation of operations) {
    const { op, token, value } = operation;
    if (op === 'read') {
      operation.value = stored?.value ?? null;
      continue;
    }
    if (operation.return === null && unknown++ % 2 === 1) continue;
    const isTaken = (token ?? 0) >= (stored?.token ?? 0);
    if (isTaken) stored = { token: token ?? 0, value };
    if (operation.return === null) continue;
    operation.ok = isTaken;
    operation.error = isTaken ? null : 'STALE_TOKEN';
  }
}

/** Requests that came to nothing, and one that nobody knows the end of. */
function failures(random: Random): Line[] {
  return Array.from({ length: 6 }, (_, index) => {
    const call = 500 + random.below(4_000);
    const ended = index === 0 ? { return: null, ok: null, error: null } : { return: call + 300, ok: false, error: 'LOCK_TIMEOUT' };
    return { process: 'c2', group, op: 'acquire', key: locks[index % 2] ?? '', token: null, value: null, call, ...ended };
  });
}
