/** Every error a caller must handle: a code to test by, what happened, what it means and what to do. */

/** What each code means and what helps. The README's table of errors is checked against this one. */
export const errorCodes = {
  INVALID_NAME: {
    retriable: false,
    means: 'A group, node, lock or election name is not usable.',
    remedy: 'Use a non-empty string of at most 256 bytes in UTF-8.',
  },
  INVALID_OPTIONS: {
    retriable: false,
    means: 'The options contradict each other or a bound.',
    remedy: 'Change the option that the message names.',
  },
  VOTERS_DIFFER: {
    retriable: false,
    means: 'This process names other voters than the group was formed with.',
    remedy: 'Start every process of the group with one list of voters.',
  },
  NODE_NAME_TAKEN: {
    retriable: false,
    means: 'A live process of the group already uses this node name.',
    remedy: 'Give every process its own node name (the pod name, for example).',
  },
  JOIN_TIMEOUT: {
    retriable: true,
    means: 'No session could be opened before the deadline.',
    remedy: 'Check the broker, start the voters that were not heard, or raise `timeoutMs`.',
  },
  NO_QUORUM: {
    retriable: true,
    means: 'No majority of the voters can be reached, so nothing can be decided.',
    remedy: 'Bring back the missing voters, or the connection where the message says that it is broken.',
  },
  MAJORITY_LOST: {
    retriable: true,
    means: 'So many voters came back without their memory that no majority is left which knows the group.',
    remedy:
      "Bring back a voter that still has its memory; or restart those that are left, with empty stores, so that all found the group anew; `whenMajorityIsLost: 'refound'` does it by itself.",
  },
  QUORUM_AT_RISK: {
    retriable: true,
    means: 'With this change the living voters would be too few to decide.',
    remedy: 'Bring back or replace the voters that are not heard first.',
  },
  CHANGE_UNDER_WAY: {
    retriable: true,
    means: 'Voters are changed one at a time, and one change has yet to end.',
    remedy: 'Ask again: what was done already counts as done.',
  },
  NOT_HEARD: {
    retriable: true,
    means: 'The leader has not heard lately from the process that the change needs.',
    remedy: 'Start it, with `standby: true` where it is to be given a seat, and look at `members`.',
  },
  NOT_CAUGHT_UP: {
    retriable: true,
    means: 'A standby is given a seat only once it has nearly all of the log.',
    remedy: 'Wait longer with `timeoutMs`; `members` says how much it lacks.',
  },
  SEAT_IN_USE: {
    retriable: false,
    means: 'The process that has the seat lives, so the next one of its name is not given it.',
    remedy: 'Stop that process first, or give the other one a node name of its own.',
  },
  NOT_A_VOTER: {
    retriable: false,
    means: 'The process has no vote.',
    remedy: 'Check the name against `members.voters`.',
  },
  TOO_FEW_NAMED_VOTERS: {
    retriable: false,
    means: 'A group founded by names keeps a majority from which those names cannot be left out.',
    remedy: 'Bring back a voter of the list that the group was founded with, or remove another outsider first.',
  },
  GROUP_LIVES: {
    retriable: false,
    means: 'A leader or a majority of the voters answers, so the group is not lost and is not founded anew.',
    remedy: 'Let the missing voters come back or be replaced; to begin anew all the same, stop those that answer first.',
  },
  TRANSPORT_CLOSED: {
    retriable: false,
    means: 'The connection that carries Quorate was closed for good.',
    remedy: 'Close Quorate before the client it runs on, or join again on a new client.',
  },
  TRANSPORT_FAILED: {
    retriable: true,
    means: 'The broker could not be reached or refused a request.',
    remedy: 'See `cause`; check the address and the broker.',
  },
  TRANSPORT_DENIED: {
    retriable: false,
    means: "The broker's permissions forbid a subject or topic that Quorate needs.",
    remedy: 'Grant the rights that the message names.',
  },
  TOPIC_MISSING: {
    retriable: false,
    means: 'The Kafka topic of the group does not exist and could not be created.',
    remedy: 'Create it with the command in the message.',
  },
  SESSION_LOST: {
    retriable: true,
    means: 'The session of this process ended, and every lease under it with it.',
    remedy: 'Nothing for the session (a new one opens by itself); take the lock again if it is still wanted.',
  },
  LEASE_LOST: {
    retriable: true,
    means: 'The lease ended before the work under it did; another holder may have started.',
    remedy: 'Rely on the fencing token for what was written, then decide whether to run again.',
  },
  LOCK_TIMEOUT: {
    retriable: true,
    means: 'The lock was not granted before the deadline.',
    remedy: 'Try again later, or wait longer with `timeoutMs`.',
  },
  NOT_HELD: {
    retriable: false,
    means: 'The lease no longer holds the lock or term.',
    remedy: 'Acquire again before changing anything under it.',
  },
  PARTITION_REVOKED: {
    retriable: false,
    means: 'The partition moves to another member.',
    remedy: 'Finish what is under way and return; the next owner starts then.',
  },
  NOT_OWNER: {
    retriable: true,
    means: 'Another process owns the partition, or nobody does yet.',
    remedy: 'Send the work to the owner that the details name, or try again when the partitions have settled.',
  },
  NOT_A_MEMBER: {
    retriable: false,
    means: 'No process of that name takes part in the set of partitions.',
    remedy: 'Check the name against `ownership.members`.',
  },
  HANDLER_ENDED: {
    retriable: true,
    means: 'A handler must work until its signal fires.',
    remedy: 'Await the signal at the end of the handler.',
  },
  ABORTED: { retriable: false, means: 'The caller aborted the request; nothing of it is left behind.', remedy: 'Nothing.' },
  QUEUE_FULL: {
    retriable: true,
    means: 'The queue of this lock has reached its limit of waiters.',
    remedy: 'Back off, use `tryAcquire`, or spread the work over more locks.',
  },
  LIMIT_REACHED: {
    retriable: true,
    means: 'A limit of this process, of the group (sessions, notes or outstanding requests) or of the broker is reached.',
    remedy: 'Slow down or release what is no longer needed; the message names the limit.',
  },
  MAILBOX_FULL: {
    retriable: true,
    means: 'More requests wait in this process than its mailbox holds.',
    remedy: 'Await earlier requests before making more.',
  },
  COMMAND_TOO_LARGE: {
    retriable: false,
    means: 'One request does not fit into a frame of this transport.',
    remedy: 'Use shorter names or values, or raise the largest message size of the broker.',
  },
  NOTE_TOO_LARGE: {
    retriable: false,
    means: 'A hand-over note or proclaimed value is larger than 1 KiB.',
    remedy: 'Keep a reference in it and the data elsewhere.',
  },
  STALE_OWNER: {
    retriable: false,
    means: 'A later owner of the partition is at work, so this one commits nothing more.',
    remedy:
      'Nothing where partitions move; if the group was founded anew with lower tokens, commit the offset once with an admin client (Kafka), or delete the durable that the message names (NATS).',
  },
  GROUP_HAS_MEMBERS: {
    retriable: true,
    means:
      'Other consumers, not of this group, read the same partitions: members of a Kafka group of the same id, or an overlapping consumer of a work queue.',
    remedy: 'Stop the old deployment; owned consumers go on by themselves once its members are gone.',
  },
  CLOSED: { retriable: false, means: 'This Quorate instance was closed.', remedy: 'Join again for a new one.' },
  UNSUPPORTED: { retriable: false, means: 'The group does not know this request.', remedy: 'Upgrade every voter first, then the callers.' },
  VERSION_GAP: {
    retriable: false,
    means: 'This process and the group have no version of the protocol in common.',
    remedy: 'Upgrade one version at a time: every process to the next, and only then on.',
  },
  STORAGE_FAILED: {
    retriable: false,
    means: 'The storage of this voter failed, and the voter stopped before saying anything it could not keep.',
    remedy: 'Repair the storage and start the process again.',
  },
  STORAGE_IN_USE: {
    retriable: true,
    means: 'Another process has the storage of this seat: a living one keeps later ones out, or a later one has taken over.',
    remedy: 'Stop the other process, or give this one a node name and a storage of its own.',
  },
  STORAGE_CORRUPT: {
    retriable: false,
    means: 'The storage of this voter holds what no crash can leave behind, so it cannot be trusted with a vote.',
    remedy: 'Look for what changed it; then delete it, and the voter comes back as one that lost its memory.',
  },
  STORAGE_VERSION: {
    retriable: false,
    means: 'The storage of this voter was written by a version that this one cannot read.',
    remedy: 'Start the version that wrote it, or a later one.',
  },
  ARBITER_MISSING: {
    retriable: false,
    means: 'The broker offers nothing that could decide which founding of a group counts.',
    remedy: 'Enable it there as the message says, or name the voters.',
  },
  ARBITER_CORRUPT: {
    retriable: false,
    means: 'The log of foundings in the broker is not whole, so nobody can tell whether there is a group.',
    remedy:
      'Look for what deleted or changed it. Once every process of the group is stopped, delete the whole stream or topic: the next start founds anew.',
  },
  INVARIANT: {
    retriable: false,
    means: 'An invariant of the protocol does not hold; this voter stopped to keep the others safe.',
    remedy: 'Report it with the events that led to it.',
  },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface QuorateErrorOptions {
  readonly cause?: unknown;
  /** Facts for programs: the holder, the place in the queue, the missing voters, … */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Told apart by `code`, not by `instanceof`: a CommonJS and an ES module copy of this package can meet in one process.
 */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: ErrorCode;
  /** True where the same call may succeed later. */
  readonly retriable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, happened: string, options: QuorateErrorOptions = {}) {
    const { means, remedy, retriable } = errorCodes[code];
    super(`${happened} ${means} ${remedy}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = retriable;
    this.details = options.details ?? {};
  }
}

/** True for a Quorate error of any copy of this package, with that code where one is given. */
export function isQuorateError(error: unknown, code?: ErrorCode): error is QuorateError {
  if (!(error instanceof Error) || error.name !== 'QuorateError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

/** The end of a switch over a tagged union: reached only if a case was forgotten. */
export function unreachable(value: never): never {
  throw new QuorateError('INVARIANT', `Unexpected variant ${JSON.stringify(value)}.`);
}

/** States what cannot be otherwise in a healthy replica; a failure stops it. */
export function invariant(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new QuorateError('INVARIANT', `Broken: ${claim}.`);
}
