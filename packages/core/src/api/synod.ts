/** One decision, once and for all: what a group settles on when nothing more is needed. "Paxos Made Simple" §2. */
import { Observable, ReplaySubject } from 'rxjs';
import { isFault } from '../codec/fault.ts';
import { createSealer } from '../codec/seal.ts';
import type { Sealer } from '../codec/seal.ts';
import { decodeSynodFrame, encodeSynodFrame } from '../codec/synod-codec.ts';
import { QuorateError } from '../errors.ts';
import { SynodMember } from '../group/synod-member.ts';
import type { SynodMemberInput, SynodMemberOutput } from '../group/synod-member.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { SynodMemberMessage } from '../paxos/synod-message.ts';
import { votersText } from '../paxos/voters.ts';
import { stoppedLeavingMs, within } from '../runtime/ending.ts';
import { systemHost } from '../runtime/system-host.ts';
import type { TimerHandle } from '../time/host.ts';
import { readClock } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import type { Channel, Transport } from '../transport/transport.ts';
import { callTimeoutMsDefault, checkTimeout, durationMsMax, startTimer } from './duration.ts';
import { resolveJoinOptions } from './join-options.ts';
import type { ResolvedJoinOptions } from './join-options.ts';
import { endAfterPause } from './refusal.ts';
import { checkSignal } from './signal.ts';

export interface SynodOptions {
  readonly transport: Transport;
  /** The nodes that decide, the same in every process. */
  readonly voters: readonly string[];
  /** This process's own name; a node that is not among the voters may propose as well. */
  readonly node: string;
  /** Decrees of different groups on one connection know nothing of each other. Default `synod`. */
  readonly group?: string;
  /** As for `join`. */
  readonly secrets?: readonly (string | Uint8Array)[];
}

export interface ProposeOptions {
  /** Default 30 s; `Infinity` may be written. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The decision lives as long as a majority of the voters' processes do; nothing is kept on disk. */
export interface Decree<T> {
  /**
   * Resolves with the one value that is chosen, which may be another's. Values are what JSON can carry. Rejects with NO_QUORUM at
   * the deadline, ABORTED, CLOSED, VOTERS_DIFFER, COMMAND_TOO_LARGE, INVALID_OPTIONS, TRANSPORT_CLOSED once the user's client is
   * closed, or what the transport could not be opened for.
   */
  propose(value: T, options?: ProposeOptions): Promise<T>;
  /**
   * The decision, once there is one, and completes; proposes nothing. Without one it completes at `close`, and errors, a second
   * late, where the transport could not be opened, or with TRANSPORT_CLOSED once the user's client is closed.
   */
  readonly decision$: Observable<T>;
  readonly decision: { readonly value: T } | undefined;
  /**
   * Leaves the transport, or gives up its opening; the user's connection stays open. Resolves within 30 s: what takes longer is a
   * warning, and goes on by itself. Idempotent; never rejects.
   */
  close(): Promise<void>;
}

/** Takes part in settling one value. The voters form unanimously, as a group of `join` does. */
export function synod<T = unknown>(options: SynodOptions): Decree<T> {
  const group = `${options.group ?? 'synod'}/decree`;
  return new RunningDecree<T>(resolveJoinOptions({ ...options, group, firstFounding: true }));
}

const nonAscii = /[\u0080-\uffff]/g;

class RunningDecree<T> implements Decree<T> {
  private readonly decided = new ReplaySubject<{ readonly value: T }>(1);
  private readonly sealer: Sealer | undefined;
  private readonly opening: Promise<Channel>;
  private readonly failures = new Set<(error: Error) => void>();
  private member: SynodMember;
  private self: Proposer;
  private channel: Channel | null = null;
  private timer: TimerHandle | undefined;
  private closing: Promise<void> | null = null;
  /** Of the opening, where it is under way at the end. */
  private readonly givingUp = new AbortController();
  /** The user's client is closed: nothing is heard any more. */
  private isCutOff = false;
  private outcome: { readonly value: T } | undefined;
  private wanted: string | null = null;
  private isAsking = false;

  constructor(private readonly options: ResolvedJoinOptions) {
    this.sealer = options.secrets.length > 0 ? createSealer(options.secrets) : undefined;
    this.self = this.mint();
    this.member = this.createMember();
    this.opening = this.open();
    // Whoever proposes or watches is told; nobody has to.
    this.opening.catch((error: unknown) => this.decided.error(error));
  }

  get decision(): { readonly value: T } | undefined {
    return this.outcome;
  }

  get decision$(): Observable<T> {
    return new Observable<T>((subscriber) => {
      this.isAsking = true;
      this.give({ type: 'ask', at: readClock(systemHost) });
      return this.decided.subscribe({
        next: ({ value }) => {
          subscriber.next(value);
          subscriber.complete();
        },
        error: (error) => endAfterPause(systemHost, subscriber, () => subscriber.error(error)),
        complete: () => subscriber.complete(),
      });
    });
  }

  async propose(value: T, { timeoutMs, signal }: ProposeOptions = {}): Promise<T> {
    const text = this.textOf(value);
    const limitMs = checkTimeout('timeoutMs', timeoutMs, callTimeoutMsDefault);
    checkSignal(signal);
    if (this.outcome) return this.outcome.value;
    if (this.closing) throw new QuorateError('CLOSED', 'A value was proposed to a synod that is closed.');
    if (signal?.aborted) throw new QuorateError('ABORTED', 'A proposal was aborted before it began.', { cause: signal.reason });
    this.wanted ??= text;
    this.give({ type: 'propose', value: this.wanted, at: readClock(systemHost) });
    return this.awaitDecision(limitMs, signal);
  }

  close(): Promise<void> {
    // Said before anybody is told, who may ask for more at once.
    this.closing ??= Promise.resolve().then(() => this.leave());
    return this.closing;
  }

  private async leave(): Promise<void> {
    systemHost.stopTimer(this.timer);
    for (const fail of [...this.failures]) fail(new QuorateError('CLOSED', 'The synod was closed while a proposal was under way.'));
    // Whoever only watches need not handle an end that was asked for.
    this.decided.complete();
    this.givingUp.abort(new QuorateError('CLOSED', 'The synod was closed while its transport opened.'));
    const warn = (why: string): void => process.emitWarning(`Quorate could not leave its transport: ${why}`);
    const left = this.opening.then(
      (channel) => channel.close(),
      () => undefined,
    );
    const told = left.catch((cause: unknown) => warn(String(cause)));
    await within(systemHost, stoppedLeavingMs, told, (ms) => warn(`it takes longer than ${ms} ms; it goes on.`));
  }

  private awaitDecision(limitMs: number, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = startTimer(systemHost, limitMs, () => fail(this.noQuorum(limitMs)));
      const onAbort = (): void => fail(new QuorateError('ABORTED', 'A proposal was aborted.', { cause: signal?.reason }));
      const settle = (): void => {
        systemHost.stopTimer(deadline);
        signal?.removeEventListener('abort', onAbort);
        this.failures.delete(fail);
        subscription.unsubscribe();
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      this.failures.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
      const subscription = this.decided.subscribe({
        next: ({ value }) => {
          resolve(value);
          // Told within `subscribe` where the decision was known already.
          queueMicrotask(settle);
        },
        error: (error) => {
          reject(error as Error);
          queueMicrotask(settle);
        },
      });
    });
  }

  private async open(): Promise<Channel> {
    const { transport, group, node, voters } = this.options;
    const channel = await transport.open({
      group,
      node,
      voters,
      onFrame: (bytes) => this.onFrame(bytes),
      onStatus: (status, error) => status === 'closed' && this.onClosed(error),
      onEvent: () => undefined,
      signal: this.givingUp.signal,
    });
    this.channel = channel;
    if (channel.status === 'closed') this.onClosed(undefined);
    this.begin();
    return channel;
  }

  /** Ends what waits and what comes later, unless it was decided before. */
  private onClosed(cause: Error | undefined): void {
    this.isCutOff = true;
    systemHost.stopTimer(this.timer);
    this.decided.error(new QuorateError('TRANSPORT_CLOSED', 'The client under this synod is closed.', { cause }));
  }

  private onFrame(bytes: Uint8Array): void {
    const frame = decodeSynodFrame(bytes, this.sealer);
    if (isFault(frame) || frame.header.group !== this.options.group) return;
    const { node, incarnation, run, founding } = frame.header;
    if (incarnation === this.self.incarnation) return;
    for (const message of frame.messages) {
      this.give({ type: 'message', from: { node, incarnation, run }, founding, message, at: readClock(systemHost) });
    }
  }

  private give(input: SynodMemberInput): void {
    if (this.closing || this.isCutOff || !this.channel) return;
    const output = this.member.step(input);
    this.send(output);
    for (const event of output.events) {
      if (event.type === 'gaveUp') return this.startAnew();
      if (event.type !== 'votersDiffer') continue;
      const happened = `${event.node} names the voters ${votersText(event.theirs)}; this process names ${votersText(event.ours)}.`;
      for (const fail of [...this.failures]) fail(new QuorateError('VOTERS_DIFFER', happened, { details: { ...event } }));
    }
    if (output.decided) this.decide(output.decided.value);
    this.schedule();
  }

  /** The incarnation was discarded in mid-founding, and with it all that was said under it. */
  private startAnew(): void {
    this.self = this.mint();
    this.member = this.createMember();
    this.begin();
  }

  private begin(): void {
    const at = readClock(systemHost);
    if (this.wanted !== null) this.give({ type: 'propose', value: this.wanted, at });
    if (this.isAsking) this.give({ type: 'ask', at });
    this.give({ type: 'tick', at });
  }

  private decide(text: string): void {
    if (this.outcome) return;
    this.outcome = { value: JSON.parse(text) as T };
    this.decided.next(this.outcome);
    this.decided.complete();
  }

  private send({ send }: SynodMemberOutput): void {
    const configuration = this.member.configuration;
    const { group } = this.options;
    const header = { group, founding: configuration?.founding ?? '', configuration: configuration?.id ?? 0, ...this.self };
    this.channel?.send(send.map(({ to, message }) => ({ to, bytes: this.pack(header, message) })));
  }

  private pack(header: Parameters<typeof encodeSynodFrame>[0]['header'], message: SynodMemberMessage): Uint8Array {
    return encodeSynodFrame({ header, messages: [message] }, this.sealer);
  }

  private schedule(): void {
    systemHost.stopTimer(this.timer);
    const waitMs = this.member.nextDeadlineMs - systemHost.monotonicMs();
    if (waitMs === Infinity) return;
    this.timer = systemHost.startTimer(
      () => this.give({ type: 'tick', at: readClock(systemHost) }),
      Math.min(Math.max(1, waitMs), durationMsMax),
    );
  }

  private createMember(): SynodMember {
    const { voters, heartbeatMs, electionTimeoutMs } = this.options;
    const random = seededRandom(systemHost.randomBytes(4).readUInt32LE());
    return new SynodMember({ self: this.self, voters, periodMs: heartbeatMs, roundMs: electionTimeoutMs / 2, random });
  }

  private mint(): Proposer {
    return { node: this.options.node, incarnation: systemHost.randomBytes(16).toString('hex'), run: 1 };
  }

  private noQuorum(limitMs: number): QuorateError {
    const { voters } = this.options;
    const missing = voters.filter((voter) => !this.member.heard.includes(voter));
    const details = { voters, missing };
    return new QuorateError('NO_QUORUM', `Nothing was decided in ${limitMs} ms; not heard: ${missing.join(', ') || 'nobody'}.`, {
      details,
    });
  }

  /** JSON in ASCII, so that its length is its size on the wire. */
  private textOf(value: T): string {
    const text = jsonOf(value)?.replace(nonAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    if (text === undefined) throw new QuorateError('INVALID_OPTIONS', 'The proposed value cannot be carried by JSON.');
    const most = (this.channel?.frameBytesMax ?? leastFrameBytes) / 2;
    if (text.length <= most) return text;
    throw new QuorateError('COMMAND_TOO_LARGE', `A value of ${text.length} bytes was proposed; this transport has room for ${most}.`);
  }
}

/** What is assumed of a transport that is not open yet. */
const leastFrameBytes = 1024 * 1024;

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch {
    return undefined;
  }
}
