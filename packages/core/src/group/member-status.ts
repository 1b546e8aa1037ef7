/** What a member is to its group at this moment. */
import type { Configuration } from '../paxos/configuration.ts';
import type { MemberOptions, MemberStatus, Readiness } from './member-io.ts';
import type { Place } from './place.ts';

interface Seen {
  readonly options: Pick<MemberOptions, 'self' | 'voters'>;
  readonly leader: string | null;
  readonly connected: readonly string[];
  readonly opensInMs: number;
  readonly candidates: MemberStatus['candidates'];
  readonly hasSession: boolean;
  readonly level: number;
  readonly majorityLost: MemberStatus['majorityLost'];
}

export function memberStatus(place: Place, seen: Seen): MemberStatus {
  const { record, seat, state } = place;
  const { leader, connected, opensInMs, hasSession, options } = seen;
  return {
    role: seat?.isServing ? 'leader' : seat ? 'voter' : place.isStandby ? 'standby' : 'client',
    leader,
    connected,
    founding: record?.configuration.founding ?? null,
    candidates: record ? null : seen.candidates,
    majorityLost: seen.majorityLost,
    configuration: record?.configuration.id ?? 0,
    voters: record?.configuration.voters.map(({ node }) => node) ?? options.voters,
    readiness: readinessOf(place, seen),
    stage: !record ? 'founding' : leader === null ? 'electing' : hasSession ? 'open' : 'opening',
    opensInMs,
    appliedIndex: state?.appliedIndex ?? 0,
    level: seen.level,
  };
}

function isAwaitingItsSeat({ voters }: Configuration, { self, voters: named }: Seen['options']): boolean {
  // Where nobody is named, whoever has its own name in the configuration had that seat.
  return (named.length === 0 || named.includes(self.node)) && voters.some(({ node }) => node === self.node);
}

function readinessOf({ record, seat, isStandby, stores }: Place, { leader, hasSession, options, majorityLost }: Seen): Readiness {
  if (majorityLost) return 'majority lost';
  if (!record) return 'founding';
  if (seat && stores.isInDoubt) return 'recollecting';
  if (leader === null) return 'no leader';
  // A rollout waits for a seat that an earlier incarnation has, and for none that others were given.
  if (isStandby && isAwaitingItsSeat(record.configuration, options)) return 'standing by';
  // The leader names whoever answered its heartbeats in this configuration, and nobody does before it holds the state up to its beginning.
  if (seat) return seat.isServing || seat.replica.connected.includes(options.self.node) ? 'ready' : 'catching up';
  return hasSession ? 'ready' : 'no session';
}
