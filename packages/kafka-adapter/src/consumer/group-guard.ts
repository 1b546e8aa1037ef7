/**
 * An old deployment still in the same consumer group reads the same partitions and owns the group's offsets. It is noticed and
 * never fought: handling waits until its members are gone.
 */
import { setMaxListeners } from 'node:events';
import { QuorateError } from '@quorate/core/adapter';
import { backOffMs, pause } from '../back-off.ts';
import type { ConsumerDriver, GroupMember } from './consumer-driver.ts';
import type { OnConsumerEvent } from './consumer-event.ts';

const poll = { firstMs: 500, longestMs: 5_000 };
const shownMax = 5;

export interface GroupGuardOptions {
  readonly driver: ConsumerDriver;
  readonly groupId: string;
  /** Between looks while all is well. */
  readonly intervalMs: number;
  readonly onEvent: OnConsumerEvent;
}

export class GroupGuard {
  readonly #options: GroupGuardOptions;
  readonly #closing = new AbortController();
  /** Fires when members appear; another one takes its place when they are gone. */
  #occupation = manyListeners();
  #freeing: Promise<void> | undefined;
  /** How often a commit was refused since one was taken. */
  #refusals = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GroupGuardOptions) {
    this.#options = options;
  }

  get occupied(): AbortSignal {
    return this.#occupation.signal;
  }

  /** Rejects where the group may not be described. */
  async open(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.#look().catch(() => undefined), this.#options.intervalMs);
    this.#timer.unref();
  }

  /**
   * The broker refused a commit because of them. They may be gone before they can be listed, or never be listed: those of the newer group
   * protocol (KIP-848) are not, and only another commit finds out whether they are gone.
   */
  suspect(): void {
    if (this.#freeing !== undefined || this.#closing.signal.aborted) return;
    this.#refusals += 1;
    this.#occupy([]);
  }

  /** The broker took a commit. */
  trust(): void {
    if (this.#refusals === 0 || this.#freeing !== undefined) return;
    this.#refusals = 0;
    this.#options.onEvent({ type: 'groupFree' });
  }

  /** Resolves once the group has no members, or when the signal fires. */
  async untilAlone(signal: AbortSignal): Promise<void> {
    while (this.#freeing !== undefined && !signal.aborted) {
      const stop = new AbortController();
      const aborted = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true, signal: stop.signal });
      });
      await Promise.race([this.#freeing, aborted]);
      stop.abort();
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    if (this.#freeing !== undefined) return;
    const members = await this.#options.driver.members(this.#options.groupId);
    if (members.length > 0 && this.#freeing === undefined) this.#occupy(members);
  }

  #occupy(members: readonly GroupMember[]): void {
    const { groupId, onEvent } = this.#options;
    this.#freeing = this.#untilEmpty().finally(() => {
      this.#freeing = undefined;
      this.#occupation = manyListeners();
      // After a refusal that is for the next commit to say.
      if (!this.#closing.signal.aborted && this.#refusals === 0) onEvent({ type: 'groupFree' });
    });
    const names = members.slice(0, shownMax).map(({ clientId, host }) => `${clientId} at ${host}`);
    const who = names.length === 0 ? 'members' : `${members.length} (${names.join(', ')})`;
    const error = new QuorateError('GROUP_HAS_MEMBERS', `Consumer group ${groupId} has ${who}.`, { details: { groupId, members } });
    if (this.#refusals <= 1) onEvent({ type: 'groupHasMembers', error, members });
    this.#occupation.abort(error);
  }

  async #untilEmpty(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = Math.max(0, this.#refusals - 1); !signal.aborted; attempt++) {
      await pause(backOffMs(attempt, poll), signal);
      const members = await this.#options.driver.members(this.#options.groupId).catch(() => undefined);
      if (members?.length === 0) return;
    }
  }
}

/** Every partition listens. */
function manyListeners(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
