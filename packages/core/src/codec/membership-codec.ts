/** Messages about who votes to tuples and back. `docs/protocol.md`, "Configurations". */
import { unreachable } from '../errors.ts';
import type { MembershipMessage, OrderAnswer, StandbySeat, VoterOrder } from '../paxos/voter-order.ts';
import { Malformed } from './fault.ts';
import { count, each, identifier, name, tuple, word, type Tuple } from './field.ts';
import { configurationTuple, readConfiguration } from './founding-codec.ts';
import { ballotTuple, readBallot } from './log-codec.ts';
import { messageCode } from './message-code.ts';

// moved         => 13 configuration sealedAt                       founding-codec.ts
// standbySeen   => 14 ballot id appliedIndex                       log-codec.ts
// roster        => 15 ballot [standby]
// orderGiven    => 16 ballot id kind node (by | "")
// orderAnswered => 17 id answer
// standby       => node incarnation lacking
// kind          => 0 add | 1 remove | 2 replace | 3 leave | 4 lead
// answer        => 0 done | 1 proposed | 2 underWay | 3 notHeard | 4 notCaughtUp | 5 quorumAtRisk | 6 seatInUse | 7 outsiders | 8 notAVoter
//                  | 9 lastVoter | 10 tooMany | 11 noStandby

const orderCode: Readonly<Record<VoterOrder['type'], number>> = { add: 0, remove: 1, replace: 2, leave: 3, lead: 4 };
const answerCode: Readonly<Record<OrderAnswer, number>> = {
  done: 0,
  proposed: 1,
  underWay: 2,
  notHeard: 3,
  notCaughtUp: 4,
  quorumAtRisk: 5,
  seatInUse: 6,
  outsiders: 7,
  notAVoter: 8,
  lastVoter: 9,
  tooMany: 10,
  noStandby: 11,
};

export function membershipTuple(message: MembershipMessage): Tuple {
  switch (message.type) {
    case 'moved':
      return [messageCode.moved, configurationTuple(message.configuration), message.sealedAt];
    case 'standbySeen':
      return [messageCode.standbySeen, ballotTuple(message.ballot), message.id, message.appliedIndex];
    case 'roster': {
      const standbys = message.standbys.map(({ node, incarnation, lacking }) => [node, incarnation, lacking]);
      return [messageCode.roster, ballotTuple(message.ballot), standbys];
    }
    case 'orderGiven': {
      const { ballot, id, order } = message;
      return [messageCode.orderGiven, ballotTuple(ballot), id, orderCode[order.type], order.node, order.type === 'replace' ? order.by : ''];
    }
    case 'orderAnswered':
      return [messageCode.orderAnswered, message.id, answerCode[message.answer]];
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
    case messageCode.roster: {
      const [, ballot, standbys] = tuple(fields, 3, 'roster');
      return { type: 'roster', ballot: readBallot(ballot, 'roster.ballot'), standbys: each(standbys, 'roster.standbys', readStandby) };
    }
    case messageCode.orderGiven: {
      const [, ballot, id, kind, node, by] = tuple(fields, 6, 'orderGiven');
      return {
        type: 'orderGiven',
        ballot: readBallot(ballot, 'orderGiven.ballot'),
        id: count(id, 'orderGiven.id'),
        order: readOrder(word(kind, orderCode, 'orderGiven.kind'), name(node, 'orderGiven.node'), by),
      };
    }
    case messageCode.orderAnswered: {
      const [, id, answer] = tuple(fields, 3, 'orderAnswered');
      return {
        type: 'orderAnswered',
        id: count(id, 'orderAnswered.id'),
        answer: word(answer, answerCode, 'orderAnswered.answer'),
      };
    }
    default:
      return null;
  }
}

function readOrder(type: VoterOrder['type'], node: string, by: unknown): VoterOrder {
  if (type === 'replace') return { type, node, by: name(by, 'orderGiven.by') };
  if (by !== '') throw new Malformed('orderGiven.by has no meaning');
  return { type, node };
}

function readStandby(value: unknown, field: string): StandbySeat {
  const [node, incarnation, lacking] = tuple(value, 3, field);
  return { node: name(node, field), incarnation: identifier(incarnation, field), lacking: count(lacking, field) };
}
