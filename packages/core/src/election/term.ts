/**
 * Elections are exclusive locks whose holder proclaims a value: this reads terms out of lock states and lock events.
 * `docs/protocol.md`, "Elections".
 */

/** Resources of elections begin with it. */
export const electionPrefix = 'e/';

/** Somebody leads: which node, under which fencing token, and what it proclaims. */
export interface Term {
  readonly leader: string;
  readonly token: number;
  readonly value: string | null;
}

/** The part of a lock's state that a term is read from. */
export interface HeldState {
  readonly resource: string;
  readonly version: number;
  readonly holders: readonly { readonly node: string; readonly token: number; readonly value: string | null }[];
}

/** `null` while nobody leads. */
export function termOf(state: HeldState): Term | null {
  const holder = state.holders[0];
  return holder === undefined ? null : { leader: holder.node, token: holder.token, value: holder.value };
}

/** The election's own name, or `null` if the resource is none. */
export function electionOf(resource: string): string | null {
  return resource.startsWith(electionPrefix) ? resource.slice(electionPrefix.length) : null;
}

/** What the table tells of one lock. */
export interface HeldEvent {
  readonly type: 'granted' | 'released' | 'expired' | 'waiting' | 'withdrawn' | 'proclaimed';
  readonly resource: string;
  readonly node: string;
  readonly token: number;
  readonly value: string | null;
}

export interface ElectionEvent extends Term {
  /** `resigned`: released by the leader itself, or with its session when it closed. `lost`: its session ran out, for the group or for the leader. */
  readonly type: 'elected' | 'resigned' | 'lost' | 'proclaimed';
  readonly election: string;
}

/** What a lock's event means to its election; `null` for candidates that come and go, and for what is no election. */
export function electionEventOf(event: HeldEvent): ElectionEvent | null {
  const election = electionOf(event.resource);
  const type = meaningOf(event.type);
  if (election === null || type === null) return null;
  return { type, election, leader: event.node, token: event.token, value: event.value };
}

function meaningOf(type: HeldEvent['type']): ElectionEvent['type'] | null {
  switch (type) {
    case 'granted':
      return 'elected';
    case 'released':
      return 'resigned';
    case 'expired':
      return 'lost';
    case 'proclaimed':
      return 'proclaimed';
    default:
      return null;
  }
}
