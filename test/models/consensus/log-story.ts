/** What voters say to one another, for stories. */
import type { Ballot } from '../../../packages/core/src/paxos/ballot.ts';
import type { PaxosMessage } from '../../../packages/core/src/paxos/message.ts';
import { valueName } from './log-node.ts';
import type { Value } from './log-node.ts';

export function describeLogMessage(message: PaxosMessage<Value>): string {
  switch (message.type) {
    case 'promise':
      return `a promise of ${ballotName(message.ballot)}, knowing ${message.chosenIndex} slots and voting for [${message.votes
        .map(({ slot, value, ballot }) => `${slot}=${valueName(value)} in ${ballotName(ballot)}`)
        .join(', ')}]`;
    case 'accept':
      return `accept ${ballotName(message.ballot)} ${message.slot}=${valueName(message.value)}`;
    case 'accepted':
      return `that ${ballotName(message.ballot)} is accepted up to ${[message.upTo, ...message.beyond].join(', ')}`;
    case 'heartbeat':
      return `heartbeat ${message.id} of ${ballotName(message.ballot)}, ${message.chosenIndex} chosen, ${message.compactTo} to forget`;
    case 'fetch':
      return `a fetch of ${message.from} to ${message.to}`;
    case 'chosen':
      return `that from ${message.from} on [${message.values.map(valueName).join(', ')}] are chosen`;
    default:
      return `${message.type} ${ballotName(message.ballot)}`;
  }
}

export function ballotName({ round, node, run }: Ballot): string {
  return `${round}${node}${run > 1 ? `/${run}` : ''}`;
}
