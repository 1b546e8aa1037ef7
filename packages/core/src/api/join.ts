/** Joining a group: the transport opened, the group formed or found, a session open. Or the reason why not. */
import type { Engine } from '../runtime/engine.ts';
import { openEngine } from '../runtime/open-engine.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { volatileStorage } from '../storage/memory.ts';
import { resolveJoinOptions } from './join-options.ts';
import type { JoinOptions, ResolvedJoinOptions } from './join-options.ts';
import { Opening } from './opening.ts';
import { Patience } from './patience.ts';
import { JoinedQuorate } from './quorate.ts';
import type { Quorate } from './quorate.ts';

/** Frames that wait to be taken; more are dropped and counted. */
const mailboxMax = 65_536;

/**
 * Takes part in a group, as one of its voters or as a client, and resolves with an open session.
 *
 * A group without memory waits for `timing.maxSessionTtlMs` before it grants anything for the first time, for it cannot know
 * whether leases of an earlier life still hold; `status$` of other processes counts it down, and `firstFounding` skips it.
 *
 * Rejects with `INVALID_NAME` or `INVALID_OPTIONS` at once; with `TRANSPORT_FAILED`, `TRANSPORT_DENIED`, `TRANSPORT_CLOSED` or
 * `TOPIC_MISSING` where the transport does not open; with `NODE_NAME_TAKEN` where a live process of the group answers to this
 * node name; with `VOTERS_DIFFER` where the group was formed with other voters, or none could be formed because processes
 * disagree (details: `ours`, `theirs`); with `JOIN_TIMEOUT` at the deadline (details: `heard`, `missing`); with `ABORTED`.
 */
export async function join(options: JoinOptions): Promise<Quorate> {
  const resolved = resolveJoinOptions(options);
  const patience = new Patience(resolved);
  try {
    const engine = await patience.wait(open(resolved, patience.signal), (late) => late.close(0));
    const opening = new Opening(engine, resolved);
    const instance = new JoinedQuorate(engine, resolved);
    patience.explain = () => opening.timedOut(resolved.timeoutMs);
    try {
      await patience.wait(opening.session);
    } catch (error) {
      await instance.close({ timeoutMs: 0 });
      throw error;
    }
    return instance;
  } finally {
    patience.end();
  }
}

function open(options: ResolvedJoinOptions, signal: AbortSignal): Promise<Engine> {
  const { events, ...rest } = options;
  return openEngine({ ...rest, publish: events, signal, storage: volatileStorage(), clock: systemClock, mailboxMax });
}
