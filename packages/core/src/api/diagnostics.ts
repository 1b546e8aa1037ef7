/**
 * The names under `node:diagnostics_channel` on which tools may listen without touching the program. Nothing is built for a
 * channel that nobody listens to.
 */
import { channel } from 'node:diagnostics_channel';
import type { QuorateEvent, ResourceKind } from './events.ts';

/** Of `quorate:lock:*`, `quorate:term:*` and `quorate:lease:lost`. */
export interface LeaseMessage {
  readonly group: string;
  readonly node: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly token: number;
  /** How long it was waited for (`granted`, `began`) or held (`released`, `ended`, `lost`). */
  readonly forMs: number;
}

/** Of the other channels: the event of `events$`. */
export interface EventMessage {
  readonly group: string;
  readonly node: string;
  readonly event: QuorateEvent;
}

export const diagnosticsChannels = {
  lockGranted: 'quorate:lock:granted',
  lockReleased: 'quorate:lock:released',
  termBegan: 'quorate:term:began',
  termEnded: 'quorate:term:ended',
  leaseLost: 'quorate:lease:lost',
  leaderChanged: 'quorate:leader:changed',
  sessionOpened: 'quorate:session:opened',
  sessionJeopardy: 'quorate:session:jeopardy',
  sessionLost: 'quorate:session:lost',
} as const;

const granted = { lock: channel(diagnosticsChannels.lockGranted), election: channel(diagnosticsChannels.termBegan) };
const released = { lock: channel(diagnosticsChannels.lockReleased), election: channel(diagnosticsChannels.termEnded) };
const leaseLost = channel(diagnosticsChannels.leaseLost);
const byEvent = {
  leaderChanged: channel(diagnosticsChannels.leaderChanged),
  sessionOpened: channel(diagnosticsChannels.sessionOpened),
  sessionJeopardy: channel(diagnosticsChannels.sessionJeopardy),
  sessionLost: channel(diagnosticsChannels.sessionLost),
} as const;

export interface Publisher {
  readonly group: string;
  readonly node: string;
}

export interface LeaseFacts {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly token: number;
}

export function publishLease(what: 'granted' | 'released' | 'lost', { group, node }: Publisher, lease: LeaseFacts, forMs: number): void {
  const { kind, name, token } = lease;
  const target = what === 'granted' ? granted[kind] : what === 'released' ? released[kind] : leaseLost;
  if (!target.hasSubscribers) return;
  const message: LeaseMessage = { group, node, kind, name, token, forMs };
  target.publish(message);
}

export function publishEvent({ group, node }: Publisher, event: QuorateEvent): void {
  switch (event.type) {
    case 'leaderChanged':
    case 'sessionOpened':
    case 'sessionJeopardy':
    case 'sessionLost': {
      const message: EventMessage = { group, node, event };
      if (byEvent[event.type].hasSubscribers) byEvent[event.type].publish(message);
      return;
    }
    default:
      return;
  }
}
