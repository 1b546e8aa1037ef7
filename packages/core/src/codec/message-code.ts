/** The number that stands for each type of message on the wire. A number is never given to another type. */
import type { Message } from './frame.ts';

export const messageCode = {
  canvass: 1,
  support: 2,
  prepare: 3,
  promise: 4,
  reject: 5,
  accept: 6,
  accepted: 7,
  heartbeat: 8,
  heartbeatSeen: 9,
  fetch: 10,
  chosen: 11,
  abdicate: 12,
  moved: 13,
  standbySeen: 14,
  roster: 15,
  orderGiven: 16,
  orderAnswered: 17,

  hello: 32,
  greeting: 33,
  found: 34,
  foundingAccepted: 35,
  foundingConfirmed: 36,

  openSession: 64,
  sessionOpened: 65,
  openRefused: 66,
  closeSession: 67,
  submit: 68,
  replies: 69,
  keepAlive: 70,
  keptAlive: 71,
  sessionEnded: 72,
  watch: 73,
  watched: 74,

  fetchSnapshot: 128,
  snapshotOffer: 129,
  snapshotChunk: 130,
} as const satisfies Record<Message['type'], number>;
