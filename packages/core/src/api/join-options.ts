/** What `join` is told: one interface, its defaults, and the rules between its fields. */
import type { Arbiter } from '../arbiter/arbiter.ts';
import { QuorateError } from '../errors.ts';
import { checkSignal } from './signal.ts';
import { utf8Length } from '../note.ts';
import { keepAlivePeriodMs } from '../session/session-holder.ts';
import { volatileStorage } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import type { Transport } from '../transport/transport.ts';
import { callTimeoutMsDefault, checkDuration, checkTimeout, durationMsMax } from './duration.ts';
import type { Logger } from './logger.ts';
import { checkLogger } from './logger.ts';
import { checkName } from './names.ts';
import { kindOf, shown } from '../shown.ts';
import { checkOptions } from './check-options.ts';

export interface JoinOptions {
  /** The group to take part in; groups on one connection do not see each other. At most 256 bytes in UTF-8. */
  readonly group: string;
  /** This process's own name in the group, the pod name for example. At most 256 bytes in UTF-8. */
  readonly node: string;
  /**
   * The nodes that decide, the same in every process: their names, or how many there are to be where names are not known before. Three
   * survive the loss of one, five of two; at most 15. With names, a node that is not among them takes part as a client. With `{ count }`
   * the broker decides which of those that come are the first voters: on NATS by JetStream, on Kafka by a topic of its own.
   */
  readonly voters: readonly string[] | { readonly count: number };
  /** For `voters: { count }`: the broker's log of foundings. Default: the transport's. */
  readonly arbiter?: Arbiter;
  /** What carries the frames: `natsTransport(…)`, `kafkaTransport(…)`, `workerTransport()` or `memoryTransport()`. */
  readonly transport: Transport;
  /**
   * What a voter finds again after a restart: `lmdbStorage({ path })`, for example. With it a group that was stopped as a whole comes back
   * with its queues and tokens. One for each process. Default: nothing is kept, and a voter that restarts has lost its memory.
   */
  readonly storage?: Storage;
  /**
   * What this process does as the leader with a voter that it has not heard for `replaceAfterMs` (default 30 s, and at least eight election
   * timeouts): a standby gets its seat, where one has caught up, where a majority lives, and where a majority keeps names of `voters`. `false`: nothing.
   */
  readonly autopilot?: { readonly replaceAfterMs?: number } | false;
  /**
   * Keep a copy of the group's state and be ready for a seat, though not named among the voters: an operator's `addVoter` or `replaceVoter`,
   * the autopilot or a voter that leaves may give it one. A named voter without a seat stands by anyway. Default
   * false; with `voters: { count }` true, and a process with `false` takes no part in a founding either: it is a client.
   */
  readonly standby?: boolean;
  readonly session?: {
    /** How long leases outlive this process's last sign of life, in milliseconds. Default: what suits the transport. */
    readonly ttlMs?: number;
  };
  readonly timing?: TimingOptions;
  /**
   * Your word that this group had no earlier life, so that it opens at once. For demos and tests. It counts for nothing where somebody
   * answers that there was one; but a lone voter asks nobody. Default false.
   */
  readonly firstFounding?: boolean;
  /**
   * What a voter does once a majority of the group is lost for good: the names of so many seats came back without their memory that the rest
   * is no majority. `stop`: it says so, calls end with MAJORITY_LOST, and it keeps its word to the group for as long as it lives. `refound`: it gives its
   * seat up, and all voters together found the group anew, without its queues, with tokens above all before, after the wait. Silent voters
   * are never counted as lost. With names only; the same in every process. Default `stop`.
   */
  readonly whenMajorityIsLost?: 'stop' | 'refound';
  /** How leaders answer keep-alives: under their lease, or after asking a majority each time. Default `lease`. */
  readonly reads?: 'lease' | 'quorum';
  /** Which changes are published as lock events for readers outside the group. Default `leadership`. */
  readonly events?: 'none' | 'leadership' | 'all';
  /** Keys of at least 16 bytes that seal every frame: the first signs, all verify. Default none: frames are not sealed. */
  readonly secrets?: readonly (string | Uint8Array)[];
  /** Told of every event; pino fits. */
  readonly logger?: Logger;
  /** Aborting gives the joining up. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait for a session, in milliseconds; `Infinity` may be written. Default 30 s and the wait before a first opening
   * (`timing.maxSessionTtlMs`).
   */
  readonly timeoutMs?: number;
}

/** In milliseconds; defaults are the transport's. */
export interface TimingOptions {
  /** The period of heartbeats. */
  readonly heartbeatMs?: number;
  /** The shortest silence after which a voter stands for leader; the longest is twice that. At least two heartbeats. */
  readonly electionTimeoutMs?: number;
  /**
   * The longest session TTL that the group ever grants, a constant from its founding on; also how long a new group waits before it
   * opens. Default: the transport's TTL, or `session.ttlMs` where that is longer.
   */
  readonly maxSessionTtlMs?: number;
}

export interface ResolvedJoinOptions {
  readonly group: string;
  readonly node: string;
  /** Sorted by code unit; empty where `count` is given. */
  readonly voters: readonly string[];
  readonly count: number | undefined;
  readonly arbiter: Arbiter | undefined;
  readonly transport: Transport;
  readonly storage: Storage;
  readonly sessionTtlMs: number;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  readonly whenMajorityIsLost: 'stop' | 'refound';
  readonly standsBy: boolean;
  /** `Infinity` for never. */
  readonly replaceAfterMs: number;
  readonly reads: 'lease' | 'quorum';
  readonly events: 'none' | 'leadership' | 'all';
  readonly secrets: readonly (string | Uint8Array)[];
  readonly logger: Logger | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

export const joinDefaults = {
  standby: false,
  firstFounding: false,
  whenMajorityIsLost: 'stop',
  reads: 'lease',
  events: 'leadership',
  timeoutMs: callTimeoutMsDefault,
} as const;

/** Longer than a pod takes to restart, as a rule. */
const replaceAfterMsDefault = 30_000;

/** Every decision waits for a majority of them; whoever only takes part need not be one. */
export const votersMax = 15;

/** Shorter keys can be guessed. */
export const secretBytesMin = 16;

/** Throws `INVALID_NAME` or `INVALID_OPTIONS`; a message names the option and shows the values. */
export function resolveJoinOptions(options: JoinOptions): ResolvedJoinOptions {
  if (typeof options !== 'object' || options === null) throw invalid('`join` needs an object of options.');
  const transport = checkTransport(options.transport);
  const timing = resolveTiming(options, transport);
  const group = checkName('group', options.group);
  const storage = checkStorage(options.storage);
  return {
    group,
    node: checkName('node', options.node),
    ...resolveVoters(options, { group, transport, storage }),
    transport,
    storage,
    ...timing,
    firstFounding: checkFlag('firstFounding', options.firstFounding ?? joinDefaults.firstFounding),
    whenMajorityIsLost: checkMajorityLost(options),
    standsBy: checkFlag('standby', options.standby ?? (Array.isArray(options.voters) ? joinDefaults.standby : true)),
    replaceAfterMs: checkAutopilot(options.autopilot, timing.electionTimeoutMs),
    reads: checkChoice('reads', options.reads ?? joinDefaults.reads, ['lease', 'quorum']),
    events: checkChoice('events', options.events ?? joinDefaults.events, ['none', 'leadership', 'all']),
    secrets: checkSecrets(options.secrets ?? []),
    logger: checkLogger(options.logger),
    signal: checkSignal(options.signal),
    timeoutMs: checkTimeout('timeoutMs', options.timeoutMs, joinDefaults.timeoutMs + timing.maxSessionTtlMs),
  };
}

/**
 * 1. An election timeout is at least two heartbeats.
 * 2. A TTL is at least four of the longest election timeouts and two keep-alive periods: a leader's crash then costs no lease.
 * 3. No TTL is above the group's longest.
 */
function resolveTiming(
  { session, timing }: JoinOptions,
  transport: Transport,
): Pick<ResolvedJoinOptions, 'sessionTtlMs' | 'heartbeatMs' | 'electionTimeoutMs' | 'maxSessionTtlMs'> {
  checkOptions('session', session);
  checkOptions('timing', timing);
  const hints = transport.timing;
  const heartbeatMs = checkDuration('timing.heartbeatMs', timing?.heartbeatMs ?? hints.heartbeatMs);
  const electionTimeoutMs = checkDuration('timing.electionTimeoutMs', timing?.electionTimeoutMs ?? hints.electionTimeoutMs);
  const sessionTtlMs = checkDuration('session.ttlMs', session?.ttlMs ?? hints.sessionTtlMs);
  const longestMs = timing?.maxSessionTtlMs ?? Math.max(hints.sessionTtlMs, sessionTtlMs);
  const maxSessionTtlMs = checkDuration('timing.maxSessionTtlMs', longestMs);
  if (electionTimeoutMs < 2 * heartbeatMs) {
    throw invalid(
      `\`timing.electionTimeoutMs\` (${electionTimeoutMs}) is under two heartbeats of \`timing.heartbeatMs\` (${heartbeatMs}).`,
    );
  }
  if (!outlasts(sessionTtlMs, electionTimeoutMs)) throw ttlTooShort(sessionTtlMs, electionTimeoutMs);
  if (sessionTtlMs > maxSessionTtlMs) {
    throw invalid(`\`session.ttlMs\` (${sessionTtlMs}) is above \`timing.maxSessionTtlMs\` (${maxSessionTtlMs}).`);
  }
  return { sessionTtlMs, heartbeatMs, electionTimeoutMs, maxSessionTtlMs };
}

/** A voter that restarted with its memory answers nobody for four election timeouts, and a leader may change meanwhile. */
function checkAutopilot(autopilot: unknown, electionTimeoutMs: number): number {
  if (autopilot === false) return Infinity;
  if (autopilot !== undefined && (typeof autopilot !== 'object' || autopilot === null)) {
    throw invalid(`\`autopilot\` is ${shown(autopilot)}; it must be false or an object.`);
  }
  const leastMs = 8 * electionTimeoutMs;
  const { replaceAfterMs } = (autopilot ?? {}) as { readonly replaceAfterMs?: unknown };
  const afterMs = checkDuration('autopilot.replaceAfterMs', replaceAfterMs ?? Math.max(replaceAfterMsDefault, leastMs));
  if (afterMs >= leastMs) return afterMs;
  throw invalid(
    `\`autopilot.replaceAfterMs\` (${afterMs}) is under eight election timeouts of \`timing.electionTimeoutMs\` (${electionTimeoutMs}).`,
  );
}

function outlasts(ttlMs: number, electionTimeoutMs: number): boolean {
  return ttlMs >= 4 * (2 * electionTimeoutMs) + 2 * keepAlivePeriodMs(ttlMs);
}

/** Keep-alive periods are a part of the TTL, so the least of it is found and not added up from the one that was given. */
function ttlTooShort(ttlMs: number, electionTimeoutMs: number): QuorateError {
  const shareOfTimeouts = 1 - 2 * keepAlivePeriodMs(1);
  let leastMs = Math.floor((4 * (2 * electionTimeoutMs)) / shareOfTimeouts) - 1;
  while (!outlasts(leastMs, electionTimeoutMs)) leastMs += 1;
  if (leastMs > durationMsMax) {
    const tooLong = `is so long that no TTL up to ${durationMsMax} outlasts four of the longest`;
    return invalid(`\`timing.electionTimeoutMs\` (${electionTimeoutMs}) ${tooLong}.`);
  }
  const rule = `four of the longest election timeouts (${2 * electionTimeoutMs}) and two of its own keep-alive periods (${keepAlivePeriodMs(ttlMs)})`;
  return invalid(`\`session.ttlMs\` (${ttlMs}) is under ${rule}; the least that this timing allows is ${leastMs}.`);
}

interface VotersNeed {
  readonly group: string;
  readonly transport: Transport;
  readonly storage: Storage;
}

/**
 * 1. A count is a whole number from 1 to 15, and needs an arbiter.
 * 2. One voter alone needs a storage: what it knew would be gone for good with its process, and no other can ever take its place.
 */
function resolveVoters(
  { voters, arbiter }: JoinOptions,
  { group, transport, storage }: VotersNeed,
): Pick<ResolvedJoinOptions, 'voters' | 'count' | 'arbiter'> {
  if (Array.isArray(voters) || !isCount(voters)) return { voters: checkVoters(voters), count: undefined, arbiter: undefined };
  const { count } = voters;
  if (!Number.isSafeInteger(count) || count < 1 || count > votersMax) {
    throw invalid(`\`voters.count\` is ${shown(count)}; it must be a whole number from 1 to ${votersMax}.`);
  }
  if (count === 1 && storage.isVolatile === true) {
    throw invalid(
      '`voters.count` is 1 and there is no `storage`: with its first restart the group would be lost for good. Take 3, or a storage.',
    );
  }
  const found = arbiter ?? transport.arbiter?.({ group });
  if (found === undefined) {
    throw invalid(
      `\`voters: { count }\` needs a broker that decides which founding counts, and the transport "${transport.name}" has none.`,
    );
  }
  return { voters: [], count, arbiter: checkArbiter(found) };
}

function isCount(voters: unknown): voters is { readonly count: number } {
  return typeof voters === 'object' && voters !== null && 'count' in voters;
}

function checkArbiter(arbiter: unknown): Arbiter {
  const candidate = arbiter as Partial<Arbiter> | null;
  if (typeof candidate?.read === 'function' && typeof candidate.append === 'function') return candidate as Arbiter;
  throw invalid('`arbiter` must be an arbiter of a broker, with `read` and `append`.');
}

function checkVoters(voters: unknown): readonly string[] {
  if (!Array.isArray(voters)) throw invalid(`\`voters\` must be an array of node names, or { count }; it is ${shown(voters)}.`);
  if (voters.length === 0) throw invalid('`voters` is empty; a group needs at least one voter.');
  if (voters.length > votersMax) throw invalid(`\`voters\` has ${voters.length} names; at most ${votersMax} can decide together.`);
  // `Array.from` sees the gaps of a sparse array, which `map` passes over.
  const names = Array.from(voters, (voter: unknown) => checkName('voter', voter)).sort(byCodeUnit);
  const repeated = names.find((name, index) => name === names[index + 1]);
  if (repeated !== undefined) throw invalid(`\`voters\` names "${repeated}" more than once.`);
  return names;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkTransport(transport: unknown): Transport {
  const candidate = transport as Partial<Transport> | null | undefined;
  if (typeof candidate?.open === 'function' && typeof candidate.timing === 'object' && candidate.timing !== null)
    return candidate as Transport;
  throw invalid('`transport` must be what `natsTransport`, `kafkaTransport`, `workerTransport` or `memoryTransport` returns.');
}

function checkStorage(storage: unknown): Storage {
  if (storage === undefined) return volatileStorage();
  const candidate = storage as Partial<Storage> | null;
  if (typeof candidate?.load === 'function' && typeof candidate.append === 'function') return candidate as Storage;
  throw invalid('`storage` must be what `lmdbStorage` or another store returns.');
}

function checkChoice<T extends string>(option: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw invalid(`\`${option}\` is ${shown(value)}; it must be one of ${choices.join(', ')}.`);
}

/** A message never shows a secret, only its place and length. */
function checkSecrets(secrets: unknown): readonly (string | Uint8Array)[] {
  if (!Array.isArray(secrets)) throw invalid('`secrets` must be an array of strings or byte arrays.');
  return Array.from(secrets, (secret: unknown, index) => {
    const isText = typeof secret === 'string';
    if (!isText && !(secret instanceof Uint8Array)) throw invalid(`\`secrets[${index}]\` is neither a string nor a byte array.`);
    const bytes = isText ? utf8Length(secret) : secret.byteLength;
    if (bytes < secretBytesMin) throw invalid(`\`secrets[${index}]\` has ${bytes} bytes; at least ${secretBytesMin} are needed.`);
    return secret;
  });
}

function invalid(happened: string): QuorateError {
  return new QuorateError('INVALID_OPTIONS', happened);
}

/** Where a count founds, the broker's record counts for ever, and what replaces it is the operator's to decide. */
function checkMajorityLost({ whenMajorityIsLost = joinDefaults.whenMajorityIsLost, voters }: JoinOptions): 'stop' | 'refound' {
  const choice = checkChoice('whenMajorityIsLost', whenMajorityIsLost, ['stop', 'refound']);
  if (choice === 'stop' || !isCount(voters)) return choice;
  throw invalid(
    "`whenMajorityIsLost` is 'refound' and `voters` is { count }: such a group is founded by the broker's log, and anew by an operator alone.",
  );
}

/** A text from an environment variable is true whatever it says, and `firstFounding` skips a wait that keeps leases apart. */
function checkFlag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${kindOf(value)}, not true or false.`);
}
