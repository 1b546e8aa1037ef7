/** Messages about a founding to tuples and back. `docs/protocol.md`, "Founding". */
import { unreachable } from '../errors.ts';
import type { Configuration, Seat } from '../paxos/configuration.ts';
import type { FoundingMessage, FoundingRecord, Standing } from '../paxos/founding-message.ts';
import { isCounted } from '../paxos/voters.ts';
import type { Voters } from '../paxos/voters.ts';
import { tokenSeconds } from './command-codec.ts';
import { Malformed } from './fault.ts';
import { count, countBetween, each, flag, identifier, milliseconds, name, tuple, word, type Tuple } from './field.ts';
import { messageCode } from './message-code.ts';

// hello             => 32 nonce voters wallMs
// greeting          => 33 nonce voters wallMs tokenSecond longestTtlMs standing (record | null) [replaces]
// found             => 34 record
// foundingAccepted  => 35 founding
// foundingConfirmed => 36 founding
// record            => configuration tokenSecond maxSessionTtlMs firstFounding [replaces]             the last only where there is one
// voters            => [node] | count
// configuration     => founding id [seat]                         seats in order of their nodes, each node once
// seat              => node incarnation
// standing          => 0 unfounded | 1 accepted | 2 founded | 3 led | 4 live | 5 bereft

const standingCode: Readonly<Record<Standing, number>> = { unfounded: 0, accepted: 1, founded: 2, led: 3, live: 4, bereft: 5 };

export function foundingTuple(message: FoundingMessage): Tuple {
  switch (message.type) {
    case 'hello':
      return [messageCode.hello, message.nonce, votersField(message.voters), message.wallMs];
    case 'greeting': {
      const { nonce, voters, wallMs, tokenSecond, longestTtlMs, standing, record, replaces } = message;
      const recorded = record === null ? null : recordTuple(record);
      const head = [messageCode.greeting, nonce, votersField(voters), wallMs, tokenSecond, longestTtlMs];
      return [...head, standingCode[standing], recorded, ...replacesField(replaces)];
    }
    case 'found':
      return [messageCode.found, recordTuple(message.record)];
    case 'foundingAccepted':
    case 'foundingConfirmed':
      return [messageCode[message.type], message.founding];
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message about a founding. */
export function readFoundingMessage(code: number, fields: Tuple): FoundingMessage | null {
  switch (code) {
    case messageCode.hello: {
      const [, nonce, voters, wallMs] = tuple(fields, 4, 'hello');
      return {
        type: 'hello',
        nonce: identifier(nonce, 'hello.nonce'),
        voters: readVoters(voters, 'hello.voters'),
        wallMs: milliseconds(wallMs, 'hello.wallMs'),
      };
    }
    case messageCode.greeting: {
      const [, nonce, voters, wallMs, tokenSecond, longestTtlMs, standing, record, replaces] = tupleWithReplaces(fields, 8, 'greeting');
      return {
        type: 'greeting',
        nonce: identifier(nonce, 'greeting.nonce'),
        voters: readVoters(voters, 'greeting.voters'),
        wallMs: milliseconds(wallMs, 'greeting.wallMs'),
        tokenSecond: countBetween(tokenSecond, tokenSeconds, 'greeting.tokenSecond'),
        longestTtlMs: milliseconds(longestTtlMs, 'greeting.longestTtlMs'),
        standing: word(standing, standingCode, 'greeting.standing'),
        record: record === null ? null : readRecord(record, 'greeting.record'),
        ...readReplaces(replaces, 'greeting.replaces'),
      };
    }
    case messageCode.found: {
      const [, record] = tuple(fields, 2, 'found');
      return { type: 'found', record: readRecord(record, 'found.record') };
    }
    case messageCode.foundingAccepted: {
      const [, founding] = tuple(fields, 2, 'foundingAccepted');
      return { type: 'foundingAccepted', founding: identifier(founding, 'foundingAccepted.founding') };
    }
    case messageCode.foundingConfirmed: {
      const [, founding] = tuple(fields, 2, 'foundingConfirmed');
      return { type: 'foundingConfirmed', founding: identifier(founding, 'foundingConfirmed.founding') };
    }
    default:
      return null;
  }
}

function votersField(voters: Voters): readonly string[] | number {
  return isCounted(voters) ? voters.count : voters;
}

function readVoters(value: unknown, field: string): Voters {
  return typeof value === 'number' ? { count: count(value, field) } : each(value, field, name);
}

export function recordTuple(record: FoundingRecord): Tuple {
  return [
    configurationTuple(record.configuration),
    record.tokenSecond,
    record.maxSessionTtlMs,
    record.firstFounding,
    ...replacesField(record.replaces),
  ];
}

export function readRecord(value: unknown, field: string): FoundingRecord {
  const [configuration, tokenSecond, maxSessionTtlMs, firstFounding, replaces] = tupleWithReplaces(value, 4, field);
  return {
    configuration: readConfiguration(configuration, 'configuration'),
    tokenSecond: countBetween(tokenSecond, tokenSeconds, 'record.tokenSecond'),
    maxSessionTtlMs: milliseconds(maxSessionTtlMs, 'record.maxSessionTtlMs'),
    firstFounding: flag(firstFounding, 'record.firstFounding'),
    ...readReplaces(replaces, 'record.replaces'),
  };
}

function replacesField(replaces: string | undefined): Tuple {
  return replaces === undefined ? [] : [replaces];
}

/** Its last field is left out where no founding is replaced, as in all that was written before there was one. */
function tupleWithReplaces(value: unknown, length: number, field: string): Tuple {
  return tuple(value, Array.isArray(value) && value.length === length + 1 ? length + 1 : length, field);
}

function readReplaces(value: unknown, field: string): { readonly replaces?: string } {
  return value === undefined ? {} : { replaces: identifier(value, field) };
}

export function configurationTuple({ founding, id, voters }: Configuration): Tuple {
  return [founding, id, voters.map(seatTuple)];
}

export function seatTuple({ node, incarnation }: Seat): Tuple {
  return [node, incarnation];
}

export function readConfiguration(value: unknown, field: string): Configuration {
  const [founding, id, voters] = tuple(value, 3, field);
  const seats = each(voters, 'configuration.voters', readSeat);
  seats.forEach((seat, index) => {
    const before = seats[index - 1];
    if (before !== undefined && !(before.node < seat.node)) throw new Malformed('configuration.voters are not in order');
  });
  return { founding: identifier(founding, 'configuration.founding'), id: count(id, 'configuration.id'), voters: seats };
}

export function readSeat(value: unknown, field: string): Seat {
  const [node, incarnation] = tuple(value, 2, field);
  return { node: name(node, field), incarnation: identifier(incarnation, field) };
}
