/** From a running engine to an open session, remembering on the way what stood against it. */
import type { Subscription } from 'rxjs';
import { isQuorateError, QuorateError } from '../errors.ts';
import type { Engine, EngineEvent } from '../runtime/engine.ts';
import { versionGapText } from '../version.ts';
import { clocksApartText, foundingNotKeptText, refusalText } from './event-text.ts';
import { votersText } from '../paxos/voters.ts';
import type { Voters } from '../paxos/voters.ts';
import type { ResolvedJoinOptions } from './join-options.ts';
import { majorityLostError } from './majority-lost.ts';
import { RefusedFrames } from './refused-frames.ts';
import { brokenText, statusOf, transportFacts } from './status.ts';

type Differing = Extract<EngineEvent, { type: 'votersDiffer' }>;

export class Opening {
  /** Resolves with the first session; rejects for what waiting cannot mend. */
  readonly session: Promise<void>;
  readonly #engine: Engine;
  readonly #options: ResolvedJoinOptions;
  readonly #subscription: Subscription;
  #resolve: () => void = () => undefined;
  #reject: (error: QuorateError) => void = () => undefined;
  #differing: Differing | null = null;
  #refusal = '';
  #clocks = '';
  #report = '';
  readonly #refusedFrames = new RefusedFrames();

  constructor(engine: Engine, options: ResolvedJoinOptions) {
    this.#engine = engine;
    this.#options = options;
    this.session = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.session.catch(() => undefined);
    this.#subscription = engine.events$.subscribe((event) => this.#onEvent(event));
    const { connection, connectionError } = engine.status;
    // Nobody listened yet when the transport opened.
    if (connection === 'closed') this.#onTransportClosed(connectionError);
    else this.#look();
  }

  /** What to say at the deadline. */
  timedOut(timeoutMs: number): QuorateError {
    const { voters, node, group } = this.#options;
    const status = statusOf(this.#engine.status, this.#options);
    this.#subscription.unsubscribe();
    if (this.#engine.founding === null && this.#differing) return this.#votersDiffer(this.#differing.theirs, this.#differing.node);
    const named = this.#options.count === undefined ? voters : status.voters;
    const missing = named.filter((voter) => status.missing.includes(voter));
    const heard = named.filter((voter) => !missing.includes(voter));
    const own = heard.includes(node) ? ` (${node} is this process)` : '';
    const facts = [
      `No session with the group "${group}" was opened within ${timeoutMs} ms; ${status.text}.`,
      named.length === 0 || brokenText(this.#engine.status)
        ? ''
        : `Heard: ${heard.join(', ') || 'nobody'}${own}. Not heard: ${missing.join(', ') || 'nobody'}.`,
      this.#refusal,
      this.#clocks,
      this.#report,
      this.#refusedFrames.text,
    ];
    const lost = majorityLostError(this.#engine.status, facts[0] ?? '');
    if (lost) return lost;
    const { candidates } = this.#engine.status;
    const details = {
      ...{ heard, missing, stage: status.stage, opensInMs: status.opensInMs },
      ...(candidates && { candidates }),
      ...this.#refusedFrames.details,
      ...transportFacts(this.#engine.status),
    };
    const cause = this.#engine.status.connectionError ?? undefined;
    return new QuorateError('JOIN_TIMEOUT', facts.filter((fact) => fact !== '').join(' '), { cause, details });
  }

  #onEvent(event: EngineEvent): void {
    switch (event.type) {
      case 'votersDiffer':
        this.#differing = event;
        break;
      case 'clocksDiffer':
        this.#clocks = `${clocksApartText(event)}, and no group is formed of both like that.`;
        break;
      case 'sessionRefused':
        this.#onRefused(event.reason, event.waitMs);
        break;
      case 'nodeNameTaken':
        if (this.#engine.session === null) this.#fail(this.#nameTaken(event.by.incarnation));
        break;
      case 'versionGap':
        if (event.lasting && this.#engine.session === null) return this.#fail(this.#versionGap(event));
        break;
      case 'arbiterFailed':
        if (!event.error.retriable) return this.#fail(event.error);
        this.#report = `The log of foundings says: ${event.error.message}`;
        break;
      case 'foundingNotKept':
        return this.#fail(new QuorateError('ARBITER_CORRUPT', foundingNotKeptText(event), { details: { ...event } }));
      case 'frameRefused':
        this.#refusedFrames.add(event);
        break;
      case 'transport':
        if (event.report.type === 'error') this.#report = `The transport says: ${event.report.message}`;
        break;
      case 'connection':
        if (event.status !== 'closed') break;
        return this.#onTransportClosed(event.error);
      case 'stopped':
        return this.#fail(isQuorateError(event.error) ? event.error : this.#stopped(event.error));
      default:
        break;
    }
    this.#look();
  }

  #look(): void {
    if (this.#engine.founding !== null) {
      const { voters, configuration } = this.#engine.status;
      // Later configurations may have others: they are chosen by the group, and not by what its processes are given.
      if (configuration === 1 && this.#options.count === undefined && voters.join('\0') !== this.#options.voters.join('\0'))
        return this.#fail(this.#votersDiffer(voters, 'the group'));
    }
    if (this.#engine.session === null) return;
    this.#subscription.unsubscribe();
    this.#resolve();
  }

  #onRefused(reason: Extract<EngineEvent, { type: 'sessionRefused' }>['reason'], waitMs: number): void {
    this.#refusal = `The leader refused: ${refusalText(reason)}.`;
    if (reason !== 'ttlTooLong') return;
    const happened = `\`session.ttlMs\` (${this.#options.sessionTtlMs}) is above the longest that this group grants (${waitMs}).`;
    this.#fail(new QuorateError('INVALID_OPTIONS', happened));
  }

  #onTransportClosed(cause: Error | null | undefined): void {
    this.#fail(new QuorateError('TRANSPORT_CLOSED', 'The client was closed while joining.', { cause: cause ?? undefined }));
  }

  #fail(error: QuorateError): void {
    this.#subscription.unsubscribe();
    this.#reject(error);
  }

  #votersDiffer(theirs: Voters, whose: string): QuorateError {
    const { voters, count } = this.#options;
    const ours = count === undefined ? voters : { count };
    const happened = `This process wants the voters ${votersText(ours)}; ${whose} has ${votersText(theirs)}.`;
    return new QuorateError('VOTERS_DIFFER', happened, { details: { ours, theirs } });
  }

  #nameTaken(incarnation: string): QuorateError {
    const { node, group } = this.#options;
    return new QuorateError('NODE_NAME_TAKEN', `"${node}" lives in the group "${group}" already.`, { details: { node, incarnation } });
  }

  #versionGap({ node, theirs, ours }: Extract<EngineEvent, { type: 'versionGap' }>): QuorateError {
    return new QuorateError('VERSION_GAP', versionGapText(node, theirs, ours), { details: { node, theirs, ours } });
  }

  #stopped(cause: Error): QuorateError {
    return new QuorateError('CLOSED', 'This node stopped while joining.', { cause });
  }
}
