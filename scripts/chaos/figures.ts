/** Progress figures of an episode, read from its history: how long the group served nobody, and how long a dead holder was missed. */
import { quantile } from '../bench/latency.ts';
import type { HistoryLine } from './history.ts';
import { stallsMax } from './nemesis.ts';
import type { Strike } from './nemesis.ts';
import type { ChaosTiming } from './timing.ts';
import { voterNames } from './troupe.ts';

export interface Spread {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

const settlingMs = 1_000;

export type ElectionTiming = Pick<ChaosTiming, 'electionTimeoutMs'>;

export interface Progress {
  /** From the death or the stop of the group's leader to the first grant that was asked for after it, where nothing else was wrong. */
  readonly takeoverMs: readonly number[];
  /** The same where something else was: with a second voter stopped, say, nobody can take over before it goes on. */
  readonly hamperedTakeoverMs: readonly number[];
  /** From the end of one elected leader's right to the next one's election. */
  readonly withoutLeaderMs: readonly number[];
  /** From the death of a holder to the next grant of its lock. */
  readonly handOverMs: readonly number[];
}

export function progressOf(history: readonly HistoryLine[], strikes: readonly Strike[], timing: ElectionTiming): Progress {
  const grants = history.filter(isGrant);
  const takeovers = strikes.filter((strike) => endsLeader(strike, timing)).flatMap((strike) => takeoverAfter(grants, strike, strikes));
  const msOf = (isHampered: boolean): number[] => takeovers.filter((one) => one.isHampered === isHampered).map(({ ms }) => ms);
  return {
    takeoverMs: msOf(false),
    hamperedTakeoverMs: msOf(true),
    withoutLeaderMs: gapsBetweenLeaders(history),
    handOverMs: strikes.filter(isDeath).flatMap((strike) => handOvers(history, grants, strike)),
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const at = (fraction: number): number | null => (values.length === 0 ? null : Math.round(quantile(values, fraction)));
  return { count: values.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

type Grant = HistoryLine & { readonly return: number; readonly token: number };

function isGrant(line: HistoryLine): line is Grant {
  return line.op === 'acquire' && line.ok === true && line.return !== null && line.token !== null;
}

/** A leader that is stopped for less than the longest election timeout may lead on. */
function endsLeader(strike: Strike, { electionTimeoutMs }: ElectionTiming): boolean {
  if (!strike.wasLeader) return false;
  if (isDeath(strike)) return true;
  return (strike.type === 'pause' || strike.type === 'pauseHolder') && strike.forMs >= 2 * electionTimeoutMs;
}

function isDeath({ type }: Strike): boolean {
  return type === 'kill' || type === 'killHolder';
}

interface Takeover {
  readonly ms: number;
  readonly isHampered: boolean;
}

function takeoverAfter(grants: readonly Grant[], strike: Strike, strikes: readonly Strike[]): Takeover[] {
  const { atNs, process } = strike;
  const after = grants.filter((grant) => grant.call > atNs && nodeOf(grant) !== process).map((grant) => grant.return);
  if (after.length === 0) return [];
  const servedNs = Math.min(...after);
  const isHampered = strikes.some((other) => other !== strike && isInTheWay(other) && other.atNs < servedNs && endOfStrike(other) > atNs);
  return [{ ms: (servedNs - atNs) / 1e6, isHampered }];
}

/** Clients decide nothing. */
function isInTheWay({ process }: Strike): boolean {
  return process === undefined || voterNames.some((voter) => voter === process);
}

/**
 * A voter that died votes no more. A holder may be stopped for longer than was planned, and what was broken takes its time to
 * be used again.
 */
function endOfStrike(strike: Strike): number {
  return isDeath(strike) ? Infinity : strike.atNs + (stallsMax * strike.forMs + settlingMs) * 1e6;
}

function handOvers(history: readonly HistoryLine[], grants: readonly Grant[], { atNs, process }: Strike): number[] {
  return grants.flatMap((held) => {
    const isOwn = held.key.startsWith('own-');
    if (isOwn || nodeOf(held) !== process || held.return > atNs || endOf(history, held) <= atNs) return [];
    const next = grants.filter((grant) => grant.key === held.key && grant.token > held.token).map((grant) => grant.return);
    return next.length === 0 ? [] : [(Math.min(...next) - atNs) / 1e6];
  });
}

/** A holder has given up when it calls for the release, not when the answer comes. */
function endOf(history: readonly HistoryLine[], { key, token }: Grant): number {
  const ends = history.filter((line) => line.key === key && line.token === token && (line.op === 'release' || line.op === 'lost'));
  return Math.min(Infinity, ...ends.map(({ call }) => call));
}

function gapsBetweenLeaders(history: readonly HistoryLine[]): number[] {
  const terms = new Map<number, { begin: number; end: number; validUntil: number }>();
  for (const { op, token, ok, call, return: returned, validUntil } of history) {
    if (token === null) continue;
    const term = terms.get(token);
    if (op === 'lead' && ok === true && returned !== null) {
      const until = Math.max(validUntil ?? 0, term?.validUntil ?? 0);
      terms.set(token, { begin: Math.min(term?.begin ?? Infinity, returned), end: term?.end ?? Infinity, validUntil: until });
    } else if (term && (op === 'unlead' || op === 'lost')) terms.set(token, { ...term, end: Math.min(term.end, call) });
  }
  const inOrder = [...terms.entries()].sort(([a], [b]) => a - b).map(([, term]) => term);
  return inOrder.slice(1).map((term, index) => {
    const before = inOrder[index];
    const end = before === undefined ? term.begin : Math.min(before.end, before.validUntil);
    return Math.max(0, (term.begin - end) / 1e6);
  });
}

/** `v1/2` is the second life of `v1`. */
function nodeOf({ process }: HistoryLine): string {
  return process.split('/')[0] ?? process;
}
