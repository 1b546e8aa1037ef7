/** Between a member and the broker's log of foundings: one request at a time, each answered with the whole log or with a failure. */
import type { Arbiter } from '../arbiter/arbiter.ts';
import { decodeFoundingEntry, encodeFoundingEntry } from '../codec/founding-log-codec.ts';
import { isQuorateError, QuorateError } from '../errors.ts';
import type { ArbiterAnswer, ArbiterRequest } from '../paxos/founding-log.ts';

export interface ArbiterReports {
  onAnswer(answer: ArbiterAnswer): void;
  onFailure(error: QuorateError): void;
}

export class ArbiterLink {
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    private readonly arbiter: Arbiter | undefined,
    private readonly reports: ArbiterReports,
  ) {}

  /** What was written and what was not is read from the log: an answer that was lost on the way is no loss. */
  carryOut(request: ArbiterRequest): void {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed) return;
      const answer = await this.#ask(request);
      if (!this.#isClosed) this.reports.onAnswer(answer);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.arbiter?.close();
  }

  async #ask(request: ArbiterRequest): Promise<ArbiterAnswer> {
    try {
      if (!this.arbiter) throw new QuorateError('ARBITER_MISSING', 'There is no log of foundings to ask.');
      if (request.type === 'append') await this.arbiter.append(request.position, encodeFoundingEntry(request.entry));
      const records = await this.arbiter.read();
      return { type: 'log', entries: records.map(decodeFoundingEntry) };
    } catch (cause) {
      const error = isQuorateError(cause)
        ? cause
        : new QuorateError('TRANSPORT_FAILED', `The log of foundings failed: ${String(cause)}.`, { cause });
      if (!this.#isClosed) this.reports.onFailure(error);
      return { type: 'failed' };
    }
  }
}
