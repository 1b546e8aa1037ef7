/** Many writes, one flush: whatever comes while a transaction is being flushed goes into the next one, whole and in order. */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import type { Database } from './database.ts';
import { ownerKey } from './layout.ts';

/** Puts and removes, made at once. Their own promises say nothing that the transaction's does not. */
export type Write = (database: Database) => readonly Promise<boolean>[];

interface Waiting {
  readonly write: Write;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A transaction takes no more of the queue than this, so that a large snapshot does not hold up a vote. */
const writesMax = 512;

/**
 * 1. Writes take effect in the order of the calls, each whole or not at all, and are acknowledged in that order.
 * 2. After a failure nothing more is written: what it left on the disk is not known.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private running: Promise<void> | null = null;
  private failure: QuorateError | null = null;

  constructor(
    private readonly database: Database,
    private readonly claim: number,
    /** Of tests: called before each transaction, and may keep it from happening. */
    private readonly beforeTransaction?: () => Promise<void>,
  ) {}

  /** Durable when it resolves. Rejects with STORAGE_IN_USE or STORAGE_FAILED. */
  write(write: Write): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting.push({ write, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Nothing is written any more, not even what waits. Resolves when nothing is under way. */
  async stop(reason: QuorateError): Promise<void> {
    this.failure ??= reason;
    await this.running;
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    // What is asked for in the same moment goes together.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const taken = this.waiting.splice(0, writesMax);
      const error = this.failure ?? (await this.commit(taken));
      for (const { resolve, reject } of taken) {
        if (error) reject(error);
        else resolve();
      }
    }
    this.running = null;
  }

  private async commit(taken: readonly Waiting[]): Promise<QuorateError | null> {
    try {
      await this.beforeTransaction?.();
      const isOurs = await this.database.root.ifVersion(ownerKey, this.claim, () => {
        for (const { write } of taken) for (const part of write(this.database)) part.catch(() => undefined);
      });
      if (!isOurs) this.failure = new QuorateError('STORAGE_IN_USE', 'A later process has taken this folder over.');
    } catch (cause) {
      this.failure = isQuorateError(cause) ? cause : await writeError(cause);
    }
    return this.failure;
  }
}

/** lmdb says why in a promise of its own. */
async function writeError(cause: unknown): Promise<QuorateError> {
  const { commitError } = cause as { commitError?: Promise<never> };
  const why: unknown = commitError ? await commitError.catch((error: unknown) => error) : cause;
  return new QuorateError('STORAGE_FAILED', 'A transaction could not be committed.', { cause: why });
}
