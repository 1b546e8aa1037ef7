/** What an operator asks about who votes and who leads: asked until the leader says the last word, within a deadline. */
import { QuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { OrderEvent } from '../group/order-desk.ts';
import { orderAnswers } from '../paxos/voter-order.ts';
import type { VoterOrder } from '../paxos/voter-order.ts';
import { callTimeoutMsDefault, checkTimeout, startTimer } from './duration.ts';
import type { Instance } from './instance.ts';

export interface VoterChangeOptions {
  /** How long to wait for it, in milliseconds: for the standby to catch up, too. Default 30 s; `Infinity` may be written. */
  readonly timeoutMs?: number;
}

/** Each says what is to be, so one that was done already is done, and one that a deadline leaves in doubt may simply be asked again. */
export function giveOrder(instance: Instance, order: VoterOrder, options: VoterChangeOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const { refusal, engine } = instance;
    const timeoutMs = checkTimeout('timeoutMs', options.timeoutMs, callTimeoutMsDefault, 0);
    if (refusal) return reject(refusal);
    let standing: OrderEvent['standing'] = 'noLeader';
    const id = engine.host.randomBytes(6).readUIntBE(0, 6);
    const finish = (error: QuorateError | null): void => {
      if (!instance.waiting.delete(number)) return;
      engine.host.stopTimer(timer);
      events.unsubscribe();
      engine.order(id, null);
      if (error) reject(error);
      else resolve();
    };
    const number = instance.enlist({ fail: finish });
    const timer = startTimer(engine.host, timeoutMs, () => finish(refusalFor(order, standing, timeoutMs)));
    const events = engine.events$.subscribe((event) => {
      if (event.type !== 'voterOrder' || event.id !== id) return;
      ({ standing } = event);
      if (standing === 'done') finish(null);
      else if (standing !== 'noLeader' && orderAnswers[standing] === 'final') finish(refusalFor(order, standing));
    });
    engine.order(id, order);
  });
}

const refusals: Readonly<Record<Exclude<OrderEvent['standing'], 'done'>, readonly [code: ErrorCode, why: string]>> = {
  noLeader: ['NO_QUORUM', 'there is no leader'],
  proposed: ['CHANGE_UNDER_WAY', 'it was proposed, and no leader has confirmed it yet'],
  underWay: ['CHANGE_UNDER_WAY', 'another change of voters has yet to end'],
  notHeard: ['NOT_HEARD', 'the leader hears no such standby or voter'],
  notCaughtUp: ['NOT_CAUGHT_UP', 'the standby has yet to catch up with the log'],
  noStandby: ['NOT_HEARD', 'nobody stands by'],
  quorumAtRisk: ['QUORUM_AT_RISK', 'too few of the voters before or after it are heard'],
  lastVoter: ['QUORUM_AT_RISK', 'nobody would be left to vote'],
  seatInUse: ['SEAT_IN_USE', 'the incarnation that has the seat lives'],
  outsiders: ['TOO_FEW_NAMED_VOTERS', 'a majority would be of names that the group was not founded with'],
  notAVoter: ['NOT_A_VOTER', 'no voter has that name'],
  tooMany: ['LIMIT_REACHED', 'so many voters cannot decide together'],
};

function refusalFor(order: VoterOrder, standing: OrderEvent['standing'], timeoutMs?: number): QuorateError {
  const [code, why] = standing === 'done' ? refusals.proposed : refusals[standing];
  const after = timeoutMs === undefined ? '' : ` within ${timeoutMs} ms`;
  return new QuorateError(code, `${wordsFor(order)} was not done${after}: ${why}.`, { details: { ...order, standing } });
}

export function wordsFor(order: VoterOrder): string {
  switch (order.type) {
    case 'add':
      return `To give ${order.node} a vote`;
    case 'remove':
      return `To take the vote of ${order.node} away`;
    case 'replace':
      return `To give the seat of ${order.node} to ${order.by}`;
    case 'leave':
      return `To have somebody take the seat of ${order.node}`;
    case 'lead':
      return `To have ${order.node} lead`;
  }
}
