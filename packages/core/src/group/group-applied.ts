/** What came of applying one slot: what to answer, whom to tell, and which sessions began and ended. */
import type { LockEvent, LockResult } from '../lock/command.ts';
import type { LockChanges } from '../lock/lock-table.ts';
import type { PartitionChanges } from '../partition/partition-changes.ts';
import type { Sealed } from '../paxos/configuration.ts';
import type { SessionKey } from '../session/command.ts';
import type { OpenRefusal } from '../session/session-table.ts';

export interface Applied {
  readonly slot: number;
  /** One for each session that has results, in the order of their first. */
  readonly replies: readonly Reply[];
  /** Sessions that an entry would have used or closed and that are no more: whoever uses them is to be told. Each once. */
  readonly unknownSessions: readonly SessionKey[];
  readonly events: readonly LockEvent[];
  /** Resources whose state changed. */
  readonly changed: ReadonlySet<string>;
  readonly partitions: PartitionChanges;
  readonly opened: readonly Opened[];
  readonly refused: readonly Refused[];
  readonly ended: readonly Ended[];
  /** The stamp of the leader whose term began, the last one if several did; `null` for none. */
  readonly begun: string | null;
  /** True if the group opened in this slot. */
  readonly groupOpened: boolean;
  /** The feature level that the group was raised to, where it was. */
  readonly levelRaised: number | undefined;
  /** The change of voters that this slot came to, or null. Whatever its configuration holds above the slot is void. */
  readonly sealed: Sealed | null;
}

/** Results of a session's operations, and grants to it out of queues, in the order of application. */
export interface Reply {
  readonly session: SessionKey;
  readonly node: string;
  readonly results: readonly LockResult[];
}

export interface Opened {
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly session: SessionKey;
  readonly ttlMs: number;
  /** True where an earlier entry with this nonce had opened it. */
  readonly retried: boolean;
}

export interface Refused {
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly reason: OpenRefusal | 'closed';
}

export interface Ended {
  readonly session: SessionKey;
  readonly node: string;
  readonly reason: 'expired' | 'closed' | 'replaced';
}

/** Collects one slot's outcome; what stays empty is shared, as most of it does in most slots. */
export class SlotOutcome {
  readonly #slot: number;
  #replies: Map<SessionKey, ReplyInProgress> | null = null;
  #unknownSessions: Set<SessionKey> | null = null;
  #opened: Opened[] | null = null;
  #refused: Refused[] | null = null;
  #ended: Ended[] | null = null;
  begun: string | null = null;
  groupOpened = false;
  levelRaised: number | undefined;
  sealed: Sealed | null = null;

  constructor(slot: number) {
    this.#slot = slot;
  }

  /** The results of a session so far, to add to. */
  resultsFor(session: SessionKey, node: string): LockResult[] {
    this.#replies ??= new Map();
    let reply = this.#replies.get(session);
    if (reply === undefined) {
      reply = { session, node, results: [] };
      this.#replies.set(session, reply);
    }
    return reply.results;
  }

  addUnknown(session: SessionKey): void {
    (this.#unknownSessions ??= new Set()).add(session);
  }

  addOpened(opened: Opened): void {
    (this.#opened ??= []).push(opened);
  }

  addRefused(refused: Refused): void {
    (this.#refused ??= []).push(refused);
  }

  addEnded(ended: Ended): void {
    (this.#ended ??= []).push(ended);
  }

  applied({ events, changed }: LockChanges, partitions: PartitionChanges): Applied {
    return {
      slot: this.#slot,
      replies: this.#replies === null ? nothing : [...this.#replies.values()],
      unknownSessions: this.#unknownSessions === null ? nothing : [...this.#unknownSessions],
      events,
      changed,
      partitions,
      opened: this.#opened ?? nothing,
      refused: this.#refused ?? nothing,
      ended: this.#ended ?? nothing,
      begun: this.begun,
      groupOpened: this.groupOpened,
      levelRaised: this.levelRaised,
      sealed: this.sealed,
    };
  }
}

interface ReplyInProgress {
  readonly session: SessionKey;
  readonly node: string;
  readonly results: LockResult[];
}

const nothing: readonly never[] = [];
