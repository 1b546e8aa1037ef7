/** Messages of sessions to tuples and back. `docs/protocol.md`, "Messages of sessions". */
import { unreachable } from '../errors.ts';
import type { LockState } from '../lock/command.ts';
import { isPartitionResource, isPartitionsState } from '../operation.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { OpenRefused, SessionMessage } from '../session/message.ts';
import { noteOrNull, readOps, readResults, resource } from './command-codec.ts';
import { count, each, identifier, list, milliseconds, name, tuple, word, type Tuple } from './field.ts';
import { messageCode } from './message-code.ts';
import { packTokens, partitionsTuple, readPartitions, readTokens } from './partition-codec.ts';

// openSession   => 64 nonce ttlMs replaces
// sessionOpened => 65 nonce session ttlMs
// openRefused   => 66 nonce reason waitMs
// closeSession  => 67 session
// submit        => 68 session floor [op]                          command-codec.ts
// replies       => 69 session [result]                            command-codec.ts
// keepAlive     => 70 session id floor [pendingSeq] watchVersion watchedIndex watchHeard
// keptAlive     => 71 session id [result] [unknownSeq] [token] watchVersion watchPart   tokens as differences, partition-codec.ts
// sessionEnded  => 72 session
// watch         => 73 session version since part [added] [removed]
// watched       => 74 version part since index [state]
// reason        => 0 closed | 1 nameTaken | 2 limit | 3 ttlTooLong
// state         => lock | partitions                              partition-codec.ts
// lock          => resource version [holder] [waitingNode] waiting (note | null)
// holder        => node session token sinceWallMs (value | null)

type AnySessionMessage = SessionMessage<Operation, OperationResult, WatchedState>;

const reasonCode: Readonly<Record<OpenRefused['reason'], number>> = { closed: 0, nameTaken: 1, limit: 2, ttlTooLong: 3 };

export function sessionTuple(message: AnySessionMessage): Tuple {
  switch (message.type) {
    case 'openSession':
      return [messageCode.openSession, message.nonce, message.ttlMs, message.replaces];
    case 'sessionOpened':
      return [messageCode.sessionOpened, message.nonce, message.session, message.ttlMs];
    case 'openRefused':
      return [messageCode.openRefused, message.nonce, reasonCode[message.reason], message.waitMs];
    case 'closeSession':
    case 'sessionEnded':
      return [messageCode[message.type], message.session];
    case 'submit':
      return [messageCode.submit, message.session, message.floor, message.ops];
    case 'replies':
      return [messageCode.replies, message.session, message.results];
    case 'keepAlive': {
      const { session, id, floor, pending, watchVersion, watchedIndex, watchHeard } = message;
      return [messageCode.keepAlive, session, id, floor, pending, watchVersion, watchedIndex, watchHeard];
    }
    case 'keptAlive': {
      const { session, id, results, unknown, covered, watch } = message;
      return [messageCode.keptAlive, session, id, results, unknown, packTokens(covered), watch.version, watch.part];
    }
    case 'watch':
      return [messageCode.watch, message.session, message.version, message.since, message.part, message.added, message.removed];
    case 'watched': {
      const { version, part, since, index, states } = message;
      return [messageCode.watched, version, part, since, index, states.map(stateTuple)];
    }
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message of sessions. */
export function readSessionMessage(code: number, fields: Tuple): AnySessionMessage | null {
  switch (code) {
    case messageCode.openSession: {
      const [, nonce, ttlMs, replaces] = tuple(fields, 4, 'openSession');
      return {
        type: 'openSession',
        nonce: identifier(nonce, 'openSession.nonce'),
        ttlMs: milliseconds(ttlMs, 'openSession.ttlMs'),
        replaces: count(replaces, 'openSession.replaces'),
      };
    }
    case messageCode.sessionOpened: {
      const [, nonce, session, ttlMs] = tuple(fields, 4, 'sessionOpened');
      return {
        type: 'sessionOpened',
        nonce: identifier(nonce, 'sessionOpened.nonce'),
        session: count(session, 'sessionOpened.session'),
        ttlMs: milliseconds(ttlMs, 'sessionOpened.ttlMs'),
      };
    }
    case messageCode.openRefused: {
      const [, nonce, reason, waitMs] = tuple(fields, 4, 'openRefused');
      return {
        type: 'openRefused',
        nonce: identifier(nonce, 'openRefused.nonce'),
        reason: word(reason, reasonCode, 'openRefused.reason'),
        waitMs: milliseconds(waitMs, 'openRefused.waitMs'),
      };
    }
    case messageCode.closeSession: {
      const [, session] = tuple(fields, 2, 'closeSession');
      return { type: 'closeSession', session: count(session, 'closeSession.session') };
    }
    case messageCode.submit: {
      const [, session, floor, ops] = tuple(fields, 4, 'submit');
      return {
        type: 'submit',
        session: count(session, 'submit.session'),
        floor: count(floor, 'submit.floor'),
        ops: readOps(ops, 'submit.ops'),
      };
    }
    case messageCode.replies: {
      const [, session, results] = tuple(fields, 3, 'replies');
      return { type: 'replies', session: count(session, 'replies.session'), results: readResults(results, 'replies.results') };
    }
    case messageCode.keepAlive: {
      const [, session, id, floor, pending, watchVersion, watchedIndex, watchHeard] = tuple(fields, 8, 'keepAlive');
      return {
        type: 'keepAlive',
        session: count(session, 'keepAlive.session'),
        id: count(id, 'keepAlive.id'),
        floor: count(floor, 'keepAlive.floor'),
        pending: each(pending, 'keepAlive.pending', count),
        watchVersion: count(watchVersion, 'keepAlive.watchVersion'),
        watchedIndex: count(watchedIndex, 'keepAlive.watchedIndex'),
        watchHeard: count(watchHeard, 'keepAlive.watchHeard'),
      };
    }
    case messageCode.keptAlive: {
      const [, session, id, results, unknownSequences, covered, watchVersion, watchPart] = tuple(fields, 8, 'keptAlive');
      return {
        type: 'keptAlive',
        session: count(session, 'keptAlive.session'),
        id: count(id, 'keptAlive.id'),
        results: readResults(results, 'keptAlive.results'),
        unknown: each(unknownSequences, 'keptAlive.unknown', count),
        covered: readTokens(covered, 'keptAlive.covered'),
        watch: { version: count(watchVersion, 'keptAlive.watchVersion'), part: count(watchPart, 'keptAlive.watchPart') },
      };
    }
    case messageCode.sessionEnded: {
      const [, session] = tuple(fields, 2, 'sessionEnded');
      return { type: 'sessionEnded', session: count(session, 'sessionEnded.session') };
    }
    case messageCode.watch: {
      const [, session, version, since, part, added, removed] = tuple(fields, 7, 'watch');
      return {
        type: 'watch',
        session: count(session, 'watch.session'),
        version: count(version, 'watch.version'),
        since: count(since, 'watch.since'),
        part: count(part, 'watch.part'),
        added: each(added, 'watch.added', resource),
        removed: each(removed, 'watch.removed', resource),
      };
    }
    case messageCode.watched: {
      const [, version, part, since, index, states] = tuple(fields, 6, 'watched');
      return {
        type: 'watched',
        version: count(version, 'watched.version'),
        part: count(part, 'watched.part'),
        since: count(since, 'watched.since'),
        index: count(index, 'watched.index'),
        states: each(states, 'watched.states', readState),
      };
    }
    default:
      return null;
  }
}

function stateTuple(state: WatchedState): Tuple {
  if (isPartitionsState(state)) return partitionsTuple(state);
  const holders = state.holders.map(({ node, session, token, sinceWallMs, value }) => [node, session, token, sinceWallMs, value]);
  return [state.resource, state.version, holders, state.waiters, state.waiting, state.note];
}

function readState(value: unknown, field: string): WatchedState {
  const fields = list(value, field);
  const known = resource(fields[0], 'state.resource');
  return isPartitionResource(known) ? readPartitions(fields, known) : readLock(fields, known, field);
}

function readLock(value: Tuple, known: string, field: string): LockState {
  const [, version, holders, waiters, waiting, note] = tuple(value, 6, field);
  return {
    resource: known,
    version: count(version, 'state.version'),
    holders: each(holders, 'state.holders', readHolder),
    waiters: each(waiters, 'state.waiters', name),
    waiting: count(waiting, 'state.waiting'),
    note: noteOrNull(note, 'state.note'),
  };
}

function readHolder(value: unknown, field: string): LockState['holders'][number] {
  const [node, session, token, sinceWallMs, proclaimed] = tuple(value, 5, field);
  return {
    node: name(node, field),
    session: count(session, field),
    token: count(token, field),
    sinceWallMs: milliseconds(sinceWallMs, field),
    value: noteOrNull(proclaimed, field),
  };
}
