/** What an instance is to its group right now, for people and for programs. */
import type { Observable } from 'rxjs';
import { defer, distinctUntilChanged, endWith, ignoreElements, interval, map, merge, shareReplay, takeUntil } from 'rxjs';
import type { Engine, EngineStatus } from '../runtime/engine.ts';

export interface Status {
  /**
   * `leader`: this process leads the group. `voter`: it takes part in decisions. `standby`: it has a copy of the group's
   * state and waits for a seat. `client`: it asks those who vote.
   */
  readonly role: 'leader' | 'voter' | 'standby' | 'client';
  /** The node that leads the group; undefined where none is known, as once `stage` is `closed`. */
  readonly leader: string | undefined;
  /** True while a leader reaches a majority of the voters, so that locks can be granted. */
  readonly quorum: boolean;
  /** Voters that nobody here is in touch with. */
  readonly missing: readonly string[];
  readonly voters: readonly string[];
  readonly session: 'opening' | 'healthy' | 'jeopardy' | 'lost' | 'closed';
  /** `founding`: the voters agree to be a group. `electing`: no leader. `opening`: no session yet. `open`: at work. */
  readonly stage: 'founding' | 'electing' | 'opening' | 'open' | 'closed';
  /** How long until a new group grants anything, in milliseconds; 0 where nothing is waited for. */
  readonly opensInMs: number;
  readonly connection: 'connected' | 'disconnected' | 'closed';
  /**
   * `held` by a voter. `lost`: named as a voter, it came back without its memory and waits to be swapped in again, or others have its
   * seat. Undefined for those that are neither named nor vote.
   */
  readonly seat: 'held' | 'lost' | undefined;
  /** The version of the protocol that the group uses, as far as this process knows it; it rises once every process can the next. */
  readonly level: number;
  /**
   * Voters that came back without their memory, so many that the rest is no majority; empty where another voter says so. Undefined while
   * a majority may yet come back.
   */
  readonly majorityLost: readonly string[] | undefined;
  /** While a group is founded by count: how many there are to be, and how many this process sees, itself included. */
  readonly candidates: { readonly seen: number; readonly wanted: number } | undefined;
  /** For a readiness probe. A rolling restart waits until it is true: before that the group bears no second loss. */
  readonly ready: boolean;
  /** What stands against `ready`, in a few words; undefined where nothing does. */
  readonly notReady: string | undefined;
  /** All of it in a sentence. */
  readonly text: string;
}

/** What the status is told from beside the engine's. */
export interface OwnSeat {
  readonly node: string;
  readonly voters: readonly string[];
}

export function statusOf(told: EngineStatus, { node, voters }: OwnSeat): Status {
  // Through a closed client nobody is heard, whatever was heard last.
  const status = isOver(told) ? { ...told, leader: null, connected: [] } : told;
  const { founding, leader, connected, connection, session, opensInMs } = status;
  const isWithoutVote = status.role === 'client' || status.role === 'standby';
  const isLost = founding !== null && isWithoutVote;
  const seat = voters.includes(node) ? (isLost ? 'lost' : 'held') : isWithoutVote ? undefined : 'held';
  const notReady = isOver(status) ? 'closed' : readinessText[status.readiness];
  const facts = {
    role: seat === 'held' && status.role === 'client' ? ('voter' as const) : status.role,
    leader: leader ?? undefined,
    quorum: hasQuorum(status),
    missing: status.voters.filter((voter) => !connected.includes(voter) && voter !== (seat === 'held' ? node : undefined)),
    voters: status.voters,
    session,
    stage: isOver(status) ? ('closed' as const) : status.stage,
    opensInMs,
    connection,
    seat,
    level: status.level,
    majorityLost: status.majorityLost?.lost,
    candidates: status.candidates ?? undefined,
    ready: notReady === undefined,
    notReady,
  } as const;
  return { ...facts, text: textOf(facts, status) };
}

/** Null while nothing is wrong with the connection. While it is broken, who is not heard says nothing about them. */
export function brokenText({ connection, connectionError }: BrokenStatus): string | null {
  if (connection !== 'disconnected') return null;
  return `the transport is disconnected${connectionError === null ? '' : ` (${connectionError.message.replace(/[.]$/, '')})`}`;
}

/** Of a broken connection, for the details of an error. */
export function transportFacts({ connection, connectionError }: BrokenStatus): Readonly<Record<string, unknown>> {
  if (connection === 'connected') return {};
  return { connection, ...(connectionError && { transportError: connectionError.message }) };
}

type BrokenStatus = Pick<EngineStatus, 'connection' | 'connectionError'>;

const readinessText: Readonly<Record<EngineStatus['readiness'], string | undefined>> = {
  ready: undefined,
  founding: 'the group is being formed',
  'majority lost': 'a majority of the voters lost its memory',
  'no leader': 'no leader is known',
  'standing by': 'this process has no seat yet: it catches up and waits to be swapped in',
  recollecting: 'this voter came back, and asks the others whether its store forgot something',
  'catching up': 'the leader has not heard from this voter lately',
  'no session': 'no session is open',
};

export function isOver({ session, connection }: EngineStatus): boolean {
  return session === 'closed' || connection === 'closed';
}

/** A leader counts itself, even if its loop was blocked for so long that its own last heartbeat is old. */
export function hasQuorum({ leader, connected, voters, role }: EngineStatus): boolean {
  if (leader === null) return false;
  const reached = new Set(connected);
  if (role === 'leader') reached.add(leader);
  return reached.size > voters.length / 2;
}

/** Voters fall silent and openings come nearer without an event that says so: whoever watches has them looked at this often. */
const glanceMsMax = 1_000;

/** The present status, then each that differs; the last one, which is closed, also to whoever subscribes after it. */
export function statusStream(engine: Engine, seat: OwnSeat, electionTimeoutMs: number): Observable<Status> {
  return defer(() => {
    const ended$ = engine.status$.pipe(ignoreElements(), endWith(true));
    const glances$ = interval(Math.min(glanceMsMax, electionTimeoutMs)).pipe(takeUntil(ended$));
    return merge(engine.status$, glances$).pipe(endWith(null));
  }).pipe(
    map(() => statusOf(engine.status, seat)),
    distinctUntilChanged(looksSame),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
}

function textOf(facts: Omit<Status, 'text'>, status: BrokenStatus): string {
  const broken = facts.stage === 'closed' ? null : brokenText(status);
  return broken === null ? standingOf(facts) : `${broken}; ${standingOf({ ...facts, missing: [] })}`;
}

function standingOf(facts: Omit<Status, 'text'>): string {
  const { stage, missing, leader, opensInMs, role, session, candidates, majorityLost } = facts;
  const without = missing.length > 0 ? `; not heard: ${missing.join(', ')}` : '';
  if (majorityLost && stage !== 'closed') {
    const who = majorityLost.length > 0 ? `: ${majorityLost.join(', ')} came back without memory` : '';
    return `the majority of the group is lost${who}${without}`;
  }
  switch (stage) {
    case 'closed':
      return 'closed';
    case 'founding':
      return candidates === undefined
        ? `forming the group${without}`
        : `forming the group: ${candidates.seen} of ${candidates.wanted} candidates seen`;
    case 'electing':
      return `no leader${without}`;
    case 'opening':
      return opensInMs > 0 ? `opens in ${Math.ceil(opensInMs / 1_000)} s${without}` : `${leader} leads; opening a session${without}`;
    case 'open': {
      const who = role === 'leader' ? 'leading' : `${leader} leads`;
      return `${who}${session === 'jeopardy' ? '; the session is in jeopardy' : ''}${without}`;
    }
  }
}

function looksSame(a: Status, b: Status): boolean {
  return (
    a.text === b.text &&
    a.role === b.role &&
    a.leader === b.leader &&
    a.quorum === b.quorum &&
    a.session === b.session &&
    a.stage === b.stage &&
    a.connection === b.connection &&
    a.seat === b.seat &&
    a.level === b.level &&
    a.notReady === b.notReady &&
    a.majorityLost?.join() === b.majorityLost?.join() &&
    a.missing.join() === b.missing.join() &&
    a.voters.join() === b.voters.join()
  );
}
