/** Messages of the log to tuples and back. `docs/protocol.md`, "Messages of the log". */
import { unreachable } from '../errors.ts';
import type { Operation } from '../operation.ts';
import type { Ballot } from '../paxos/ballot.ts';
import type { PaxosMessage, Vote } from '../paxos/message.ts';
import type { Batch } from '../session/command.ts';
import { readValue } from './command-codec.ts';
import { count, countBetween, each, identifier, milliseconds, name, nameOrNobody, tuple, type Tuple } from './field.ts';
import { messageCode } from './message-code.ts';

// canvass       => 1 ballot
// support       => 2 ballot
// prepare       => 3 ballot chosenIndex
// promise       => 4 ballot chosenIndex floor part parts [vote]
// reject        => 5 ballot promised leaseRemainingMs             promised is a ballot
// accept        => 6 ballot slot value firstSlot chosenIndex
// accepted      => 7 ballot upTo [slot]
// heartbeat     => 8 ballot id chosenIndex leaseMs [node] compactTo
// heartbeatSeen => 9 ballot id appliedIndex
// fetch         => 10 from to
// chosen        => 11 from [value] chosenIndex floor
// abdicate      => 12 ballot (successor | "")                     successor is a node
// ballot        => round node incarnation run
// vote          => slot ballot value
// value         => null | batch                                   command-codec.ts

type LogMessage = PaxosMessage<Batch<Operation>>;

export function logTuple(message: LogMessage): Tuple {
  switch (message.type) {
    case 'canvass':
    case 'support':
      return [messageCode[message.type], ballotTuple(message.ballot)];
    case 'prepare':
      return [messageCode.prepare, ballotTuple(message.ballot), message.chosenIndex];
    case 'promise': {
      const { ballot, chosenIndex, floor, part, parts, votes } = message;
      return [messageCode.promise, ballotTuple(ballot), chosenIndex, floor, part, parts, votes.map(voteTuple)];
    }
    case 'reject':
      return [messageCode.reject, ballotTuple(message.ballot), ballotTuple(message.promised), message.leaseRemainingMs];
    case 'accept': {
      const { ballot, slot, value, firstSlot, chosenIndex } = message;
      return [messageCode.accept, ballotTuple(ballot), slot, value, firstSlot, chosenIndex];
    }
    case 'accepted':
      return [messageCode.accepted, ballotTuple(message.ballot), message.upTo, message.beyond];
    case 'heartbeat': {
      const { ballot, id, chosenIndex, leaseMs, connected, compactTo } = message;
      return [messageCode.heartbeat, ballotTuple(ballot), id, chosenIndex, leaseMs, connected, compactTo];
    }
    case 'heartbeatSeen':
      return [messageCode.heartbeatSeen, ballotTuple(message.ballot), message.id, message.appliedIndex];
    case 'abdicate':
      return [messageCode.abdicate, ballotTuple(message.ballot), message.successor];
    case 'fetch':
      return [messageCode.fetch, message.from, message.to];
    case 'chosen':
      return [messageCode.chosen, message.from, message.values, message.chosenIndex, message.floor];
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message of the log. */
export function readLogMessage(code: number, fields: Tuple): LogMessage | null {
  switch (code) {
    case messageCode.canvass: {
      const [, ballot] = tuple(fields, 2, 'canvass');
      return { type: 'canvass', ballot: readBallot(ballot, 'canvass.ballot') };
    }
    case messageCode.support: {
      const [, ballot] = tuple(fields, 2, 'support');
      return { type: 'support', ballot: readBallot(ballot, 'support.ballot') };
    }
    case messageCode.prepare: {
      const [, ballot, chosenIndex] = tuple(fields, 3, 'prepare');
      return { type: 'prepare', ballot: readBallot(ballot, 'prepare.ballot'), chosenIndex: count(chosenIndex, 'prepare.chosenIndex') };
    }
    case messageCode.promise: {
      const [, ballot, chosenIndex, floor, part, parts, votes] = tuple(fields, 7, 'promise');
      const partsInAll = countBetween(parts, { least: 1, most: Number.MAX_SAFE_INTEGER }, 'promise.parts');
      return {
        type: 'promise',
        ballot: readBallot(ballot, 'promise.ballot'),
        chosenIndex: count(chosenIndex, 'promise.chosenIndex'),
        floor: count(floor, 'promise.floor'),
        part: countBetween(part, { least: 0, most: partsInAll - 1 }, 'promise.part'),
        parts: partsInAll,
        votes: each(votes, 'promise.votes', readVote),
      };
    }
    case messageCode.reject: {
      const [, ballot, promised, leaseRemainingMs] = tuple(fields, 4, 'reject');
      return {
        type: 'reject',
        ballot: readBallot(ballot, 'reject.ballot'),
        promised: readBallot(promised, 'reject.promised'),
        leaseRemainingMs: milliseconds(leaseRemainingMs, 'reject.leaseRemainingMs'),
      };
    }
    case messageCode.accept: {
      const [, ballot, slot, value, firstSlot, chosenIndex] = tuple(fields, 6, 'accept');
      return {
        type: 'accept',
        ballot: readBallot(ballot, 'accept.ballot'),
        slot: count(slot, 'accept.slot'),
        value: readValue(value, 'accept.value'),
        firstSlot: count(firstSlot, 'accept.firstSlot'),
        chosenIndex: count(chosenIndex, 'accept.chosenIndex'),
      };
    }
    case messageCode.accepted: {
      const [, ballot, upTo, beyond] = tuple(fields, 4, 'accepted');
      return {
        type: 'accepted',
        ballot: readBallot(ballot, 'accepted.ballot'),
        upTo: count(upTo, 'accepted.upTo'),
        beyond: each(beyond, 'accepted.beyond', count),
      };
    }
    case messageCode.heartbeat: {
      const [, ballot, id, chosenIndex, leaseMs, connected, compactTo] = tuple(fields, 7, 'heartbeat');
      return {
        type: 'heartbeat',
        ballot: readBallot(ballot, 'heartbeat.ballot'),
        id: count(id, 'heartbeat.id'),
        chosenIndex: count(chosenIndex, 'heartbeat.chosenIndex'),
        leaseMs: milliseconds(leaseMs, 'heartbeat.leaseMs'),
        connected: each(connected, 'heartbeat.connected', name),
        compactTo: count(compactTo, 'heartbeat.compactTo'),
      };
    }
    case messageCode.heartbeatSeen: {
      const [, ballot, id, appliedIndex] = tuple(fields, 4, 'heartbeatSeen');
      return {
        type: 'heartbeatSeen',
        ballot: readBallot(ballot, 'heartbeatSeen.ballot'),
        id: count(id, 'heartbeatSeen.id'),
        appliedIndex: count(appliedIndex, 'heartbeatSeen.appliedIndex'),
      };
    }
    case messageCode.abdicate: {
      const [, ballot, successor] = tuple(fields, 3, 'abdicate');
      return {
        type: 'abdicate',
        ballot: readBallot(ballot, 'abdicate.ballot'),
        successor: nameOrNobody(successor, 'abdicate.successor'),
      };
    }
    case messageCode.fetch: {
      const [, from, to] = tuple(fields, 3, 'fetch');
      return { type: 'fetch', from: count(from, 'fetch.from'), to: count(to, 'fetch.to') };
    }
    case messageCode.chosen: {
      const [, from, values, chosenIndex, floor] = tuple(fields, 5, 'chosen');
      return {
        type: 'chosen',
        from: count(from, 'chosen.from'),
        values: each(values, 'chosen.values', readValue),
        chosenIndex: count(chosenIndex, 'chosen.chosenIndex'),
        floor: count(floor, 'chosen.floor'),
      };
    }
    default:
      return null;
  }
}

export function ballotTuple(ballot: Ballot): Tuple {
  return [ballot.round, ballot.node, ballot.incarnation, ballot.run];
}

/** The node and the incarnation are empty in the ballot below all others. */
export function readBallot(value: unknown, field: string): Ballot {
  const [round, node, incarnation, run] = tuple(value, 4, field);
  return {
    round: count(round, field),
    node: nameOrNobody(node, field),
    incarnation: identifier(incarnation, field),
    run: count(run, field),
  };
}

function voteTuple(vote: Vote<Batch<Operation>>): Tuple {
  return [vote.slot, ballotTuple(vote.ballot), vote.value];
}

function readVote(value: unknown, field: string): Vote<Batch<Operation>> {
  const [slot, ballot, batch] = tuple(value, 3, field);
  return { slot: count(slot, field), ballot: readBallot(ballot, field), value: readValue(batch, field) };
}
