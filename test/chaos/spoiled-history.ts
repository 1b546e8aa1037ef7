/** What can be wrong with a history: each entry spoils an honest one in one place, and names the rule that must find it. */
import type { HonestHistory, Line, Turn } from './honest-history.ts';
import { election, locks, nameToken } from './honest-history.ts';

export interface Spoiler {
  readonly name: string;
  readonly rule: string;
  readonly spoil: (history: HonestHistory) => void;
}

/** The first that will do; a history in which nothing can be spoiled would pass for a found one. */
function first<T>(all: readonly T[], fits: (one: T, index: number) => boolean): T {
  const found = all.find(fits);
  if (found === undefined) throw new Error('this history has no place for it');
  return found;
}

const onLocks = ({ turns }: HonestHistory): readonly Turn[] => turns.filter(({ key }) => key !== election);
const onElection = ({ turns }: HonestHistory): readonly Turn[] => turns.filter(({ key }) => key === election);

function nextOf(history: HonestHistory, turn: Turn): Turn | undefined {
  const onKey = history.turns.filter(({ key }) => key === turn.key);
  return onKey[onKey.indexOf(turn) + 1];
}

/** A turn that ended so, and the next of its key. */
function pair(history: HonestHistory, among: readonly Turn[], fits: (turn: Turn, next: Turn) => boolean): [Turn, Turn] {
  const isFit = (turn: Turn): boolean => {
    const next = nextOf(history, turn);
    return next !== undefined && fits(turn, next);
  };
  const turn = first(among, isFit);
  return [turn, nextOf(history, turn) as Turn];
}

/** The grant is in its holder's hands at this time. */
function grantAt(turn: Turn, at: number): void {
  turn.grant.call = Math.min(turn.grant.call, at - 20);
  turn.grant.return = at;
}

function line(turn: Turn, of: 'read' | 'write' | 'over'): Line {
  const found = turn[of];
  if (!found) throw new Error(`this turn has no ${of}`);
  return found;
}

const ended =
  (...ends: readonly Turn['end'][]) =>
  (turn: Turn): boolean =>
    ends.includes(turn.end);

const written = ({ write }: Turn): boolean => write?.ok === true;
const readable = ({ read }: Turn): boolean => read?.value !== null && read?.value !== undefined;

export const spoilers: readonly Spoiler[] = [
  {
    name: 'a lock granted before its holder called for the release',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('release'));
      grantAt(next, line(turn, 'over').call - 1);
    },
  },
  {
    name: 'a lock granted while a stalled holder may still rely on it',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('stall'));
      grantAt(next, (line(turn, 'write').validUntil ?? 0) - 1);
    },
  },
  {
    name: 'a lock granted while a dead holder might have relied on it',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('crash'));
      grantAt(next, (line(turn, 'write').validUntil ?? 0) - 1);
    },
  },
  {
    name: 'a lock granted before its holder heard that it had lost it',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('lost'));
      grantAt(next, line(turn, 'over').call - 1);
    },
  },
  {
    name: 'a release that the group confirmed after it had granted the lock again',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('release'));
      const over = line(turn, 'over');
      over.call = (next.grant.return ?? 0) + 1;
      over.return = over.call + 5;
    },
  },
  {
    name: 'a release that the group confirmed of a lock that it had granted again when its holder relied on it no more',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('release'));
      const write = line(turn, 'write');
      turn.grant.validUntil = write.validUntil = write.call + 1;
      grantAt(next, line(turn, 'over').call - 1);
    },
  },
  {
    name: 'a lease that its holder extended past the next grant',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('stall', 'crash'));
      line(turn, 'write').validUntil = (next.grant.return ?? 0) + 1;
    },
  },
  {
    name: 'a lock granted to two processes at the same moment',
    rule: 'overlap',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('release'));
      grantAt(next, (turn.grant.return ?? 0) + 1);
    },
  },
  {
    name: 'a lock of which nobody says how long it is valid, granted before its release',
    rule: 'overlap',
    spoil: (history) => {
      for (const one of history.lines) delete one.validUntil;
      const [turn, next] = pair(history, onLocks(history), ended('lost'));
      grantAt(next, line(turn, 'over').call - 1);
    },
  },
  {
    name: 'a leader elected before the last one resigned',
    rule: 'two leaders',
    spoil: (history) => {
      const [turn, next] = pair(history, onElection(history), ended('release'));
      grantAt(next, line(turn, 'over').call - 1);
    },
  },
  {
    name: 'a leader elected while a stalled one may still rely on its term',
    rule: 'two leaders',
    spoil: (history) => {
      const [turn, next] = pair(history, onElection(history), ended('stall', 'crash'));
      grantAt(next, (turn.renewals[0]?.validUntil ?? 0) - 1);
    },
  },
  {
    name: 'a term that its leader renewed past the next election',
    rule: 'two leaders',
    spoil: (history) => {
      const [turn, next] = pair(history, onElection(history), ended('crash'));
      const [renewal] = turn.renewals;
      if (renewal) renewal.validUntil = (next.grant.return ?? 0) + 1;
    },
  },
  {
    name: 'a token granted a second time on the same lock',
    rule: 'token twice',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), ended('release'));
      nameToken(next, turn.token);
    },
  },
  {
    name: 'a token granted on a lock and in an election',
    rule: 'token twice',
    spoil: (history) =>
      nameToken(
        first(onElection(history), () => true),
        first(onLocks(history), () => true).token,
      ),
  },
  {
    name: 'a later grant of a lock with a smaller token',
    rule: 'token order',
    spoil: (history) => {
      const [turn, next] = pair(history, onLocks(history), (one, other) => (one.grant.return ?? 0) < other.grant.call);
      const { token } = turn;
      nameToken(turn, next.token);
      nameToken(next, token);
    },
  },
  {
    name: 'a later grant of another lock with a smaller token',
    rule: 'token order',
    spoil: (history) => {
      const [x, y] = locks;
      const turn = first(history.turns, ({ key }) => key === x);
      const later = first(history.turns, ({ key, grant }) => key === y && grant.call > (turn.grant.return ?? 0));
      const { token } = turn;
      nameToken(turn, later.token);
      nameToken(later, token);
    },
  },
  {
    name: 'a later election with a smaller token than a lock',
    rule: 'token order',
    spoil: (history) => {
      const turn = first(onLocks(history), () => true);
      const later = first(onElection(history), ({ grant }) => grant.call > (turn.grant.return ?? 0));
      const { token } = turn;
      nameToken(turn, later.token);
      nameToken(later, token);
    },
  },
  {
    name: 'a waiter overtaken by one that came when it was queued',
    rule: 'fifo',
    spoil: (history) => {
      const isOvertakable = (one: Turn, other: Turn): boolean => {
        const { queuedAt } = one.grant;
        return queuedAt !== undefined && queuedAt < other.grant.call && other.grant.call < (one.grant.return ?? 0);
      };
      const [turn, next] = pair(history, onLocks(history), isOvertakable);
      const { call, queuedAt } = turn.grant;
      turn.grant.call = next.grant.call;
      delete turn.grant.queuedAt;
      next.grant.call = call;
      next.grant.queuedAt = queuedAt ?? call;
    },
  },
  {
    name: 'a waiter overtaken by a grant that was asked for long after',
    rule: 'fifo',
    spoil: (history) => {
      const onKey = onLocks(history).filter(({ key }) => key === locks[0]);
      const late = first(onKey, (_, index) => index === 9);
      const early = first(onKey, (_, index) => index === 4);
      late.grant.call = early.grant.call - 20;
      late.grant.queuedAt = early.grant.call - 10;
    },
  },
  {
    name: 'a stale write that the guarded store took',
    rule: 'register',
    spoil: (history) => {
      const write = line(
        first(onLocks(history), (turn) => turn.write?.ok === false),
        'write',
      );
      Object.assign(write, { ok: true, error: null });
    },
  },
  {
    name: 'a stale write that was taken and read',
    rule: 'register',
    spoil: (history) => {
      const stale = first(onLocks(history), (turn) => turn.write?.ok === false);
      const reader = first(onLocks(history), ({ key, read }) => key === stale.key && (read?.call ?? 0) > (stale.write?.return ?? Infinity));
      line(reader, 'read').value = line(stale, 'write').value;
    },
  },
  {
    name: 'a write of the newest holder that was refused',
    rule: 'register',
    spoil: (history) => {
      const turn = first(onLocks(history), (one) => one.end === 'release' && written(one));
      Object.assign(line(turn, 'write'), { ok: false, error: 'STALE_TOKEN' });
    },
  },
  {
    name: 'a write that was refused to a holder whose lease was valid',
    rule: 'refused while valid',
    spoil: (history) => {
      const turn = first(onLocks(history), (one) => one.end === 'release' && written(one));
      Object.assign(line(turn, 'write'), { ok: false, error: 'STALE_TOKEN' });
    },
  },
  {
    name: 'a read of a value that was overwritten before',
    rule: 'register',
    spoil: (history) => {
      const readers = onLocks(history).filter((turn) => turn.key === locks[0] && readable(turn));
      const [older] = readers;
      const newer = first(readers, (turn) => turn.read?.value !== older?.read?.value);
      line(newer, 'read').value = older?.read?.value ?? null;
    },
  },
  {
    name: 'a read of a value that nobody wrote',
    rule: 'register',
    spoil: (history) => void (line(first(onLocks(history), readable), 'read').value = -1),
  },
  {
    name: 'a read of nothing after something was written',
    rule: 'register',
    spoil: (history) => void (line(first(onLocks(history), readable), 'read').value = null),
  },
  {
    name: 'a read of a value that is written later',
    rule: 'register',
    spoil: (history) => {
      const reader = first(onLocks(history), readable);
      const later = first(onLocks(history), (turn) => turn.key === reader.key && turn.decidedAt > reader.decidedAt && written(turn));
      line(reader, 'read').value = line(later, 'write').value;
    },
  },
  {
    name: 'a write that was confirmed and never seen',
    rule: 'register',
    spoil: (history) => {
      const isSeen = (turn: Turn, next: Turn): boolean => written(turn) && next.read?.value === turn.write?.value;
      const [turn] = pair(history, onLocks(history), isSeen);
      line(turn, 'write').value = -2;
    },
  },
  {
    name: 'a write of unknown outcome that was seen, and then was not',
    rule: 'register',
    spoil: (history) => {
      const isSeen = (turn: Turn, next: Turn): boolean => turn.end === 'crash' && next.read?.value === turn.write?.value;
      const [turn, next] = pair(history, onLocks(history), isSeen);
      const before = line(turn, 'read').value;
      const seen = line(next, 'read');
      history.lines.push({ ...seen, call: (seen.return ?? 0) + 1, return: (seen.return ?? 0) + 2, value: before });
    },
  },
  {
    name: 'a write under a token that its process was not granted',
    rule: 'stray',
    spoil: (history) => void (line(first(onLocks(history), ended('release')), 'write').process = 'nobody'),
  },
  {
    name: 'a write before the grant that allows it',
    rule: 'stray',
    spoil: (history) => {
      const turn = first(onLocks(history), ended('release'));
      line(turn, 'write').call = (turn.grant.return ?? 0) - 1;
    },
  },
  {
    name: 'a release of a token that nobody was granted',
    rule: 'stray',
    spoil: (history) => void (line(first(onLocks(history), ended('release')), 'over').token = 7),
  },
  {
    name: 'an operation that returned before it was called',
    rule: 'format',
    spoil: (history) => void (first(history.lines, (one) => one.return !== null).return = 1),
  },
  {
    name: 'an operation that returned without an outcome',
    rule: 'format',
    spoil: (history) => void (first(history.lines, (one) => one.return !== null).ok = null),
  },
  {
    name: 'a grant without a token',
    rule: 'format',
    spoil: (history) => void (first(history.lines, (one) => one.op === 'acquire' && one.ok === true).token = null),
  },
  {
    name: 'an operation that is not known',
    rule: 'format',
    spoil: (history) =>
      void Object.assign(
        first(history.lines, () => true),
        { op: 'steal' },
      ),
  },
];
