/** A group's frames over core NATS: subjects instead of addresses, and the sender's mark in the reply field. */
import { randomBytes } from 'node:crypto';
import { abortable, frameTooLarge } from '@quorate/core/adapter';
import type {
  Channel,
  ChannelEvent,
  ChannelOptions,
  ChannelStatus,
  Destination,
  OutgoingFrame,
  PublishedEvent,
} from '@quorate/core/adapter';
import { Attachment } from './attachment.ts';
import type { NatsConnection, NatsMessage } from './connection.ts';
import { Subjects } from './subjects.ts';

/**
 * Up to this many voters address each other one by one. The subject of all voters would bring a voter the echo of its own frame, and
 * an echo costs the sender a wake-up and a read in the middle of the wait for the answers; two subjects carry the same bytes as one
 * with its echo. Beyond three, one publication is less.
 */
const votersAddressedSinglyMax = 3;

// What a server grants unless it is configured otherwise; the connection's own server says its limit.
const maxPayloadDefault = 1_048_576;

export async function openNatsChannel(connection: NatsConnection, subjectPrefix: string, options: ChannelOptions): Promise<Channel> {
  const channel = new NatsChannel(connection, new Subjects(subjectPrefix, options.group), options);
  try {
    await abortable(channel.whenReady(), options.signal, 'Opening the NATS transport');
    return channel;
  } catch (error) {
    await channel.close();
    throw error;
  }
}

/**
 * A server echoes what a connection publishes on subjects it subscribes to. The reply field of each frame carries a mark of the
 * sending channel, which is cheaper than a header, costs nothing of `max_payload`, and lets the echo go without a look at its bytes.
 */
class NatsChannel implements Channel {
  readonly #connection: NatsConnection;
  readonly #options: ChannelOptions;
  readonly #subjects: Subjects;
  readonly #attachment: Attachment;
  readonly #mark = `q-${randomBytes(9).toString('base64url')}`;
  readonly #publishOptions = { reply: this.#mark };
  /** Where a frame for the voters goes. */
  readonly #votersSubjects: readonly string[];
  #maxPayload = maxPayloadDefault;
  #droppedFrames = 0;
  #closing: Promise<void> | undefined;

  constructor(connection: NatsConnection, subjects: Subjects, options: ChannelOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#subjects = subjects;
    const { node, voters } = options;
    const isVoter = voters.includes(node);
    const own = subjects.node(node);
    const isSingly = isVoter && voters.length <= votersAddressedSinglyMax;
    this.#votersSubjects = isSingly ? voters.filter((voter) => voter !== node).map((voter) => subjects.node(voter)) : [subjects.voters];
    this.#attachment = new Attachment({
      connection,
      subjects,
      subscribeTo: isVoter ? [subjects.all, subjects.voters, own] : [subjects.all, own],
      publishOn: isVoter ? [subjects.all, subjects.voters, own] : [subjects.voters, own],
      reply: this.#mark,
      onMessage: (message) => this.#onMessage(message),
      onStatus: (status, error) => this.#onStatus(status, error),
      onEvent: options.onEvent,
    });
  }

  get status(): ChannelStatus {
    return this.#attachment.status;
  }

  get eventsDropped(): number {
    return this.#attachment.eventRights.dropped;
  }

  get frameBytesMax(): number {
    const { info } = this.#connection;
    if (info !== undefined && info !== null) this.#maxPayload = info.max_payload;
    return this.#maxPayload;
  }

  whenReady(): Promise<void> {
    return this.#attachment.whenReady();
  }

  /** The client writes what one turn publishes to its socket at once, in a microtask; there is nothing to flush here. */
  send(frames: readonly OutgoingFrame[]): void {
    for (const frame of frames) {
      if (frame.to.type !== 'voters') this.#publish(this.#subjects.of(frame.to), frame, this.#publishOptions);
      else for (const subject of this.#votersSubjects) this.#publish(subject, frame, this.#publishOptions);
    }
  }

  publishEvents(events: readonly PublishedEvent[]): void {
    const { eventRights } = this.#attachment;
    for (const event of events) {
      const subject = this.#subjects.event(event);
      // What was refused would be refused anew, until another server is reached or this one again.
      if (eventRights.mayPublish(subject)) this.#publish(subject, { to: everyone, bytes: event.bytes });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#attachment.release();
    return this.#closing;
  }

  #publish(subject: string, frame: OutgoingFrame, options?: { reply: string }): void {
    // Both generations accept what is published while they are disconnected, and forget it.
    if (this.#attachment.status !== 'connected') {
      this.#droppedFrames++;
      return;
    }
    const { frameBytesMax } = this;
    if (frame.bytes.byteLength > frameBytesMax) return this.#report(frameTooLarge(frame, frameBytesMax));
    try {
      this.#connection.publish(subject, frame.bytes, options);
    } catch {
      // The user drains or has just closed the connection; the status follows.
      this.#droppedFrames++;
    }
  }

  #onMessage(message: NatsMessage): void {
    const { data, reply } = message;
    if (reply !== this.#mark && data.byteLength > 0) this.#options.onFrame(data);
  }

  #onStatus(status: ChannelStatus, error: Error | undefined): void {
    if (status === 'connected' && this.#droppedFrames > 0) {
      this.#report({ type: 'info', code: 'FRAMES_DROPPED', message: `${this.#droppedFrames} frames were dropped while disconnected.` });
      this.#droppedFrames = 0;
    }
    this.#options.onStatus(status, error);
  }

  #report(event: ChannelEvent): void {
    this.#options.onEvent(event);
  }
}

const everyone: Destination = { type: 'all' };
