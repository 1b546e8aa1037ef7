/**
 * What a change of voters has to fulfil before its stop-sign is proposed, whoever wants it: an operator, a voter that leaves, one that came
 * back, or the autopilot. The safety rules 14 and 16; `docs/protocol.md`, "Changes of voters".
 */
import { isOfOutsiders, isVoter, majorityOf, sameSeat } from '../paxos/configuration.ts';
import type { Configuration, Seat } from '../paxos/configuration.ts';
import type { LeaderTerm } from '../paxos/leader.ts';
import type { OrderAnswer } from '../paxos/voter-order.ts';
import type { GroupBatch } from './member-message.ts';
import type { Reading } from './standby-list.ts';
import { ballotStamp } from '../paxos/ballot.ts';
import { entryKind } from '../session/command.ts';
import type { SeatTuple, StopSignEntry } from '../session/command.ts';

/** Every decision waits for a majority of them. */
export const votersMax = 15;

/** `swap`: a name came back under another incarnation. `order`: an operator asked. `leaving`: a voter closes in good order. */
export type ChangeCause = 'swap' | 'order' | 'leaving' | 'autopilot';

export interface Change {
  readonly voters: readonly Seat[];
  readonly gone: readonly Seat[];
}

/** What the leader knows when it looks. */
export interface Circumspection extends Reading {
  readonly configuration: Configuration;
  readonly term: LeaderTerm<GroupBatch>;
  /** What the group was founded with; empty where it was founded without names. */
  readonly named: readonly string[];
  /** Whoever did not answer for so long is not counted on. */
  readonly silenceMs: number;
  /** A voter that was silent for so long is replaced; `Infinity` for never. */
  readonly replaceAfterMs: number;
  readonly nowMs: number;
}

/**
 * 1. One change at a time: none while this leader waits for a stop-sign of its own, or has yet to begin.
 * 2. A majority of the voters of now, and one of those of after it, is in touch with this leader, and none of these has begun anew since.
 *    Without the first no stop-sign is ever chosen, and to propose one is to fall silent.
 * 3. In a group founded by names no majority of the voters is of others.
 * 4. Whoever is to get a seat was found fit for one (`StandbyList`), and has none.
 */
export function changeTo(
  present: Circumspection,
  { enters, leaves }: { readonly enters?: Seat; readonly leaves?: Seat },
  hasEnded: (seat: Seat) => boolean,
): Change | OrderAnswer {
  const { configuration, term, named, silenceMs, nowMs } = present;
  if (term.stopSlot > 0 || term.beginSlot === 0) return 'underWay';
  // It was given the seat, and has yet to learn so: to name it beside its own end would be void.
  if (enters && isVoter(configuration, enters)) return 'seatInUse';
  const staying = configuration.voters.filter((seat) => !leaves || !sameSeat(seat, leaves));
  const voters = enters ? [...staying, enters].sort((a, b) => (a.node < b.node ? -1 : 1)) : staying;
  if (voters.length === 0) return 'lastVoter';
  if (voters.length > votersMax) return 'tooMany';
  if (isOfOutsiders({ voters }, named)) return 'outsiders';
  const connected = term.lease.connected(nowMs, silenceMs);
  const isThere = (seat: Seat): boolean => seat === enters || (connected.includes(seat.node) && !hasEnded(seat));
  if ([configuration, { voters }].some((all) => all.voters.filter(isThere).length < majorityOf(all))) return 'quorumAtRisk';
  return { voters, gone: leaves ? [leaves] : [] };
}

/** The entry that makes the change take effect where it is applied. */
export function stopSignFor({ voters, gone }: Change, { configuration, term, named }: Circumspection): StopSignEntry {
  const tuples = (seats: readonly Seat[]): SeatTuple[] => seats.map(({ node, incarnation }) => [node, incarnation]);
  return [entryKind.stopSign, ballotStamp(term.ballot), configuration.id + 1, tuples(voters), tuples(gone), named];
}
