/** Messages about who votes to tuples and back. `docs/protocol.md`, "Configurations". */
import { unreachable } from '../errors.ts';
import type { Moved, StandbySeen } from '../paxos/message.ts';
import { count, tuple, type Tuple } from './field.ts';
import { configurationTuple, readConfiguration } from './founding-codec.ts';
import { ballotTuple, readBallot } from './log-codec.ts';
import { messageCode } from './message-code.ts';

// moved         => 13 configuration sealedAt                       founding-codec.ts
// standbySeen   => 14 ballot id appliedIndex                       log-codec.ts

type MembershipMessage = Moved | StandbySeen;

export function membershipTuple(message: MembershipMessage): Tuple {
  switch (message.type) {
    case 'moved':
      return [messageCode.moved, configurationTuple(message.configuration), message.sealedAt];
    case 'standbySeen':
      return [messageCode.standbySeen, ballotTuple(message.ballot), message.id, message.appliedIndex];
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message about who votes. */
export function readMembershipMessage(code: number, fields: Tuple): MembershipMessage | null {
  switch (code) {
    case messageCode.moved: {
      const [, configuration, sealedAt] = tuple(fields, 3, 'moved');
      return {
        type: 'moved',
        configuration: readConfiguration(configuration, 'moved.configuration'),
        sealedAt: count(sealedAt, 'moved.sealedAt'),
      };
    }
    case messageCode.standbySeen: {
      const [, ballot, id, appliedIndex] = tuple(fields, 4, 'standbySeen');
      return {
        type: 'standbySeen',
        ballot: readBallot(ballot, 'standbySeen.ballot'),
        id: count(id, 'standbySeen.id'),
        appliedIndex: count(appliedIndex, 'standbySeen.appliedIndex'),
      };
    }
    default:
      return null;
  }
}
