/** Joining a group: the transport opened, the group formed or found, a session open. Or the reason why not. */
import type { Engine, EngineOptions } from '../runtime/engine.ts';
import { openEngine } from '../runtime/open-engine.ts';
import { systemHost } from '../runtime/system-host.ts';
import { resolveJoinOptions } from './join-options.ts';
import type { JoinOptions, ResolvedJoinOptions } from './join-options.ts';
import { Opening } from './opening.ts';
import { Patience } from './patience.ts';
import { JoinedQuorate } from './quorate.ts';
import type { Quorate } from './quorate.ts';

/**
 * In election timeouts: for so long a join that failed waits, where a leader was asked for a session, to hear of it and end it. Within one
 * the question is repeated.
 */
const answerWaits = 2;

/** Frames that wait to be taken; more are dropped and counted. */
const mailboxMax = 65_536;

/**
 * Takes part in a group, as one of its voters or as a client, and resolves with an open session.
 *
 * A group without memory waits for `timing.maxSessionTtlMs` before it grants anything for the first time, for it cannot know
 * whether leases of an earlier life still hold; `status$` of other processes counts it down, and `firstFounding` skips it.
 *
 * Rejects with `INVALID_NAME` or `INVALID_OPTIONS` at once; with `TRANSPORT_FAILED`, `TRANSPORT_DENIED`, `TRANSPORT_CLOSED` or
 * `TOPIC_MISSING` where the transport does not open; with `STORAGE_IN_USE`, `STORAGE_CORRUPT`, `STORAGE_VERSION` or `STORAGE_FAILED`
 * where the storage does not; with `NODE_NAME_TAKEN` where a live process of the group answers to this
 * node name; with `VOTERS_DIFFER` where the group was formed with other voters, or none could be formed because processes
 * disagree (details: `ours`, `theirs`); with `VERSION_GAP` where the group speaks a version that this build does not know (details:
 * `node`, `theirs`, `ours`); with `JOIN_TIMEOUT` at the deadline (details: `heard`, `missing`, `refusedFrames`, and `transportError` where the transport
 * said what is wrong), or with `MAJORITY_LOST` where a voter
 * that remembers the group says that its majority is lost; with `ABORTED`.
 */
export function join(options: JoinOptions): Promise<Quorate> {
  return joinFrom({ host: systemHost, mailboxMax }, options);
}

/** What stands under an instance: the machine in production, a virtual one in a simulation. */
export type Foundation = Pick<EngineOptions, 'host' | 'mailboxMax' | 'logLimits' | 'observer' | 'versions'> &
  Partial<Pick<EngineOptions, 'storage'>>;

/** `join`, on another foundation. */
export async function joinFrom(foundation: Foundation, options: JoinOptions): Promise<Quorate> {
  const resolved = resolveJoinOptions(options);
  const patience = new Patience(foundation.host, resolved);
  try {
    const engine = await patience.wait(open(foundation, resolved, patience), (late) => late.close(0));
    const opening = new Opening(engine, resolved);
    const instance = new JoinedQuorate(engine, resolved);
    patience.explain = () => opening.timedOut(resolved.timeoutMs);
    try {
      await patience.wait(opening.session);
    } catch (error) {
      await engine.endSession(answerWaits * resolved.electionTimeoutMs);
      await instance.close({ timeoutMs: 0 });
      throw error;
    }
    return instance;
  } finally {
    patience.end();
  }
}

function open(foundation: Foundation, options: ResolvedJoinOptions, { signal, onOpening }: Patience): Promise<Engine> {
  const { events, ...rest } = options;
  return openEngine({ ...rest, ...foundation, publish: events, signal, onOpening });
}
