/** What an operator says of a group that was formed by count and has lost its majority for good. `docs/operations.md`, "Losing a majority". */
import type { Arbiter } from '../arbiter/arbiter.ts';
import { decodeFoundingEntry, encodeFoundingEntry } from '../codec/founding-log-codec.ts';
import { createSealer } from '../codec/seal.ts';
import type { Sealer } from '../codec/seal.ts';
import { QuorateError } from '../errors.ts';
import { FoundingLog } from '../paxos/founding-log.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import { Survivors } from '../paxos/survivors.ts';
import { FrameIntake } from '../runtime/frame-intake.ts';
import { packTurn } from '../runtime/outbox.ts';
import { systemHost } from '../runtime/system-host.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { Channel, Transport } from '../transport/transport.ts';
import { checkDuration } from './duration.ts';
import { resolveJoinOptions } from './join-options.ts';

export interface RefoundOptions {
  readonly transport: Transport;
  readonly group: string;
  /** As for `join`. */
  readonly secrets?: readonly (string | Uint8Array)[];
  /** How long voters are listened for, in milliseconds, before the group is called lost. Default: sixteen election timeouts of the transport. */
  readonly listenMs?: number;
}

export interface Refounding {
  /** The founding that was ended; null where the log names none that is complete, so that there was nothing to end. */
  readonly ended: string | null;
  /** Its voters, as far as anybody still knew, and those of them that answered. */
  readonly voters: readonly string[];
  readonly heard: readonly string[];
}

/**
 * Ends the founding that the broker's log names, so that those who are there found the group anew: by count, unanimously, with the wait
 * that keeps leases of the lost life apart, and with tokens above all earlier ones. Voters that survived give up what they hold when they
 * read it. To be called when the lost voters are known to be stopped: silence proves nothing, and a majority that lives on where it cannot
 * be heard would be a second group.
 *
 * Rejects with `GROUP_LIVES` where a leader or a majority of the voters answers (details: `voters`, `heard`); with `INVALID_OPTIONS`
 * where the transport has no log of foundings, or frames came that could not be read; with `TRANSPORT_FAILED` where the connection was lost,
 * or the broker refused something, meanwhile; with `ARBITER_CORRUPT` where the log loses what it showed; with what the transport and its log
 * reject with.
 */
export function refound(options: RefoundOptions): Promise<Refounding> {
  return refoundFrom(systemHost, options);
}

/** `refound`, on another host. */
export async function refoundFrom(host: Host, options: RefoundOptions): Promise<Refounding> {
  const node = `operator-${host.randomBytes(6).toString('hex')}`;
  const { transport, group, secrets, arbiter } = resolveJoinOptions({ ...options, node, voters: { count: 2 } });
  const listenMs = checkDuration('listenMs', options.listenMs ?? 16 * transport.timing.electionTimeoutMs);
  if (!arbiter) throw new QuorateError('ARBITER_MISSING', `The transport "${transport.name}" has no log of foundings.`);
  try {
    const log = await readLog(arbiter);
    if (!log.isComplete || !log.current) return { ended: null, voters: [], heard: [] };
    const self = { node, incarnation: host.randomBytes(16).toString('hex'), run: 1 };
    const sealer = secrets.length > 0 ? createSealer(secrets) : undefined;
    const rollCall = new RollCall(host, { transport, group, self, sealer, record: log.current, listenMs });
    const { voters, heard, isAlive, tokenSecond } = await rollCall.call();
    if (isAlive) throw groupLives(group, voters, heard);
    const { founding } = log.current.configuration;
    await end(arbiter, founding, tokenSecond);
    return { ended: founding, voters, heard };
  } finally {
    await arbiter.close();
  }
}

async function readLog(arbiter: Arbiter): Promise<FoundingLog> {
  return new FoundingLog((await arbiter.read()).map(decodeFoundingEntry));
}

/** What others wrote meanwhile counts nothing behind a complete record, unless it ended it. */
async function end(arbiter: Arbiter, founding: string, tokenSecond: number): Promise<void> {
  for (;;) {
    const log = await readLog(arbiter);
    if (log.hasEnded(founding)) return;
    if (!log.isComplete || log.current?.configuration.founding !== founding)
      throw new QuorateError('ARBITER_CORRUPT', `The log of foundings does not show the complete founding ${founding} any more.`);
    await arbiter.append(log.length, encodeFoundingEntry({ type: 'ended', founding, tokenSecond }));
  }
}

function groupLives(group: string, voters: readonly string[], heard: readonly string[]): QuorateError {
  const happened = `The group "${group}" is not lost: of its voters ${voters.join(', ')} there answered ${heard.join(', ') || 'a leader'}.`;
  return new QuorateError('GROUP_LIVES', happened, { details: { voters, heard } });
}

interface RollCallOptions {
  readonly transport: Transport;
  readonly group: string;
  readonly self: Proposer;
  readonly sealer: Sealer | undefined;
  readonly record: FoundingRecord;
  readonly listenMs: number;
}

/** Asks all who is there, again and again, until enough have answered or the time is over. */
class RollCall {
  private readonly nonce: string;
  private readonly survivors: Survivors;
  private readonly intake: FrameIntake;
  private onAlive: () => void = () => undefined;
  /** The connection was lost, or the broker refused something. */
  private wasCutOff = false;

  constructor(
    private readonly host: Host,
    private readonly options: RollCallOptions,
  ) {
    this.nonce = `${options.self.incarnation}.roll`;
    this.survivors = new Survivors(options.record, this.nonce);
    this.intake = new FrameIntake({ group: options.group }, options.sealer, () => undefined);
  }

  /** What was found once a majority, or whoever leads, had answered, or the time was over. */
  async call(): Promise<Pick<Survivors, 'voters' | 'heard' | 'isAlive' | 'tokenSecond'>> {
    const { host, survivors } = this;
    const { transport, group, self, listenMs } = this.options;
    const channel = await transport.open({
      group,
      node: self.node,
      voters: [],
      onFrame: this.onFrame,
      onStatus: (status) => void (this.wasCutOff ||= status !== 'connected'),
      onEvent: ({ type }) => void (this.wasCutOff ||= type === 'error'),
    });
    try {
      const untilMs = host.monotonicMs() + listenMs;
      // What came in the same moment may tell of a later configuration, of whose voters too few have answered yet.
      do {
        await this.listen(channel, untilMs);
      } while (!survivors.isAlive && host.monotonicMs() < untilMs);
      if (!survivors.isAlive) this.checkHearing(channel);
      const { voters, heard, isAlive, tokenSecond } = survivors;
      return { voters, heard, isAlive, tokenSecond };
    } finally {
      await channel.close();
    }
  }

  /** Whoever could not hear, or not understand, knows nothing of who is silent. */
  private checkHearing(channel: Channel): void {
    const { refused } = this.intake;
    if (this.wasCutOff || channel.status !== 'connected')
      throw new QuorateError(
        'TRANSPORT_FAILED',
        'The connection was lost, or the broker refused something, while the voters were listened for, so nobody can be called silent.',
      );
    if (refused === 0) return;
    const happened = `${refused} frames of the group could not be read (other \`secrets\`, or another version), so nobody can be called silent.`;
    throw new QuorateError('INVALID_OPTIONS', happened, { details: { refused } });
  }

  private listen(channel: Channel, untilMs: number): Promise<void> {
    const { host, options } = this;
    return new Promise((resolve) => {
      let timer: TimerHandle | undefined;
      const end = (): void => {
        host.stopTimer(timer);
        resolve();
      };
      const ask = (): void => {
        if (this.survivors.isAlive || host.monotonicMs() >= untilMs) return end();
        this.ask(channel);
        timer = host.startTimer(ask, options.transport.timing.heartbeatMs);
      };
      this.onAlive = end;
      ask();
    });
  }

  private ask(channel: Channel): void {
    const { self, group, sealer, record } = this.options;
    const voters = { count: record.configuration.voters.length };
    const message = { type: 'hello', nonce: this.nonce, voters, wallMs: this.host.wallMs() } as const;
    const header = { group, founding: '', configuration: 0, ...self };
    channel.send(packTurn([{ to: { type: 'all' }, message }], header, { frameBytesMax: channel.frameBytesMax, sealer }).frames);
  }

  private readonly onFrame = (bytes: Uint8Array): void => {
    const frame = this.intake.open(bytes, this.options.self);
    for (const message of frame?.messages ?? []) {
      if (frame && message.type === 'greeting') this.survivors.onGreeting(frame.from, message);
      if (frame && message.type === 'heartbeat') this.survivors.onHeartbeat(frame.founding);
    }
    if (this.survivors.isAlive) this.onAlive();
  };
}
