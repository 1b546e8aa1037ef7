/** Who is in the group: those who vote, those who stand by for a seat, and those who take part without either. */
import type { Observable } from 'rxjs';
import { defer, distinctUntilChanged, endWith, ignoreElements, interval, map, merge, shareReplay, takeUntil } from 'rxjs';
import type { Engine } from '../runtime/engine.ts';
import { isOver } from './status.ts';

export interface Members {
  /** Rises by one with each change of voters; 0 before the group is known. */
  readonly configuration: number;
  /** In order of names. */
  readonly voters: readonly VoterInfo[];
  /** In order of names, by the leader's word: empty without a leader. */
  readonly standbys: readonly StandbyInfo[];
  /** Nodes with a session that neither vote nor stand by; undefined in a process that has no copy of the state, as a client has none. */
  readonly clients: readonly string[] | undefined;
}

export interface VoterInfo {
  readonly node: string;
  /** One life of its memory: a voter that lost its memory comes back under another. */
  readonly incarnation: string;
  /** By the leader's word, within an election timeout; by this process's own ears where there is no leader. False once it is closed. */
  readonly heard: boolean;
  readonly leads: boolean;
}

export interface StandbyInfo {
  readonly node: string;
  readonly incarnation: string;
  /** How many slots of the log it has yet to apply. */
  readonly lacking: number;
}

export function membersOf(engine: Engine): Members {
  const { configuration, voters, standbys, clients } = engine.members;
  const { status } = engine;
  const isDeaf = isOver(status);
  const leader = isDeaf ? null : status.leader;
  return {
    configuration,
    voters: voters.map(({ node, incarnation, isHeard }) => ({
      node,
      incarnation,
      heard: !isDeaf && (isHeard || node === leader),
      leads: node === leader,
    })),
    standbys: isDeaf ? [] : standbys.map(({ node, incarnation, lacking }) => ({ node, incarnation, lacking })),
    clients: clients ?? undefined,
  };
}

/** Nobody says so when a voter falls silent or a standby catches up: whoever watches has them looked at this often. */
const glanceMsMax = 1_000;

/** The present members, then each change of them; the last ones also to whoever subscribes after the end. */
export function membersStream(engine: Engine, electionTimeoutMs: number): Observable<Members> {
  return defer(() => {
    const ended$ = engine.status$.pipe(ignoreElements(), endWith(true));
    const glances$ = interval(Math.min(glanceMsMax, electionTimeoutMs)).pipe(takeUntil(ended$));
    return merge(engine.status$, glances$).pipe(endWith(null));
  }).pipe(
    map(() => membersOf(engine)),
    distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
}
