/** From what was fetched to the user's handler: the payloads, what is resolved after each, and what a failure means. */
import type { ConsumedMessage, EachBatch, EachMessage, OffsetsByTopic, Ownership } from './payload.ts';
import { batchOf } from './payload.ts';
import type { FetchedMessages, TopicPartition } from './consumer-driver.ts';
import type { OnConsumerEvent } from './consumer-event.ts';
import type { Handling, PartitionChain } from './partition-chain.ts';
import type { Poison } from './poison.ts';
import type { Turns } from './turns.ts';

/** What a dead-letter function is given: once it has resolved, the message counts as done. */
export interface DeadLetter extends Ownership {
  readonly topic: string;
  readonly partition: number;
  readonly message: ConsumedMessage;
  /** What the handler threw the last time. */
  readonly error: unknown;
  readonly failures: number;
}

/**
 * The handler failed and is to be called again here and not by `own`, which would count the failures of different messages together
 * and give the partition up.
 */
export class RetryHere extends Error {
  readonly failures: number;

  constructor(error: unknown, failures: number) {
    super('A handler is to be called again', { cause: error });
    this.failures = failures;
  }
}

export type DeadLetterHandler = (letter: DeadLetter) => Promise<void>;

export interface HandlingOptions {
  readonly eachMessage: EachMessage | undefined;
  readonly eachBatch: EachBatch | undefined;
  readonly eachBatchAutoResolve: boolean;
  readonly deadLetter: DeadLetterHandler | undefined;
  readonly deadLetterAfter: number;
  readonly poison: Poison;
  readonly turns: Turns;
  readonly onEvent: OnConsumerEvent;
  readonly pause: (at: TopicPartition) => () => void;
  readonly commitOffsets: (offsets: OffsetsByTopic) => Promise<void>;
}

function ownershipOf({ owned: { token, resource, signal } }: PartitionChain): Ownership {
  return { token, resource, signal };
}

const heartbeat = (): Promise<void> => Promise.resolve();

export function handlingOf(options: HandlingOptions): Handling {
  return {
    handle: (chain, fetched) => (options.eachBatch ? handleBatch(options, chain, fetched) : handleMessages(options, chain, fetched)),
  };
}

async function handleMessages(options: HandlingOptions, chain: PartitionChain, fetched: FetchedMessages): Promise<void> {
  const { topic, partition, book } = chain;
  for (const message of fetched.messages) {
    if (chain.isCut) return;
    const next = BigInt(message.offset) + 1n;
    // Where messages before it were compacted away, this one is what failures are counted at.
    const failing = { offset: next - 1n, until: next, isDone: false, message };
    const payload = { ...ownershipOf(chain), topic, partition, message, heartbeat, pause: () => options.pause(chain) };
    const isHandled = await attempt(options, chain, failing, async () => options.eachMessage?.(payload));
    if (!isHandled || chain.isStale) return;
    book.resolve(next);
    book.commitIfDue();
  }
  if (!chain.isStale) book.resolve(fetched.nextOffset);
}

async function handleBatch(options: HandlingOptions, chain: PartitionChain, fetched: FetchedMessages): Promise<void> {
  for (const piece of piecesOf(options, chain, fetched)) {
    if (chain.isCut) return;
    await handlePiece(options, chain, piece);
    // What the handler left unresolved is fetched again.
    if (chain.isStale || chain.book.resolved !== piece.nextOffset) return;
  }
}

/** One message at a time where a batch has failed, so that the one at fault is found. */
function piecesOf({ poison }: HandlingOptions, chain: PartitionChain, fetched: FetchedMessages): readonly FetchedMessages[] {
  const { messages } = fetched;
  const singles = messages.filter(({ offset }) => poison.areSingles(chain, BigInt(offset)));
  const pieces = singles.map((message, index) => {
    const follower = messages[index + 1];
    return { ...fetched, messages: [message], nextOffset: follower === undefined ? fetched.nextOffset : BigInt(message.offset) + 1n };
  });
  const rest = messages.slice(singles.length);
  return rest.length === 0 ? pieces : [...pieces, { ...fetched, messages: rest }];
}

async function handlePiece(options: HandlingOptions, chain: PartitionChain, fetched: FetchedMessages): Promise<void> {
  const { topic, partition, owned, book } = chain;
  const last = fetched.messages.at(-1);
  const [first] = fetched.messages;
  const payload = {
    ...ownershipOf(chain),
    batch: batchOf(chain, fetched),
    heartbeat,
    pause: () => options.pause(chain),
    resolveOffset: (offset: string) => {
      if (chain.isStale) return;
      // Behind the last message stand only records that no handler sees.
      book.resolve(offset === last?.offset ? fetched.nextOffset : BigInt(offset) + 1n);
    },
    commitOffsetsIfNecessary: (offsets?: OffsetsByTopic) => {
      if (offsets !== undefined) return options.commitOffsets(offsets);
      return book.isDue ? book.commit() : Promise.resolve();
    },
    uncommittedOffsets: () => ({
      topics: book.isDirty ? [{ topic, partitions: [{ partition, offset: String(book.resolved) }] }] : [],
    }),
    isRunning: () => !chain.isEnded && !owned.signal.aborted,
    isStale: () => chain.isStale,
  };
  const isSingle = fetched.messages.length === 1;
  const isDone = () => last !== undefined && book.resolved > BigInt(last.offset);
  const failing = {
    get offset() {
      const begin = first === undefined ? fetched.nextOffset : BigInt(first.offset);
      return book.resolved > begin ? book.resolved : begin;
    },
    until: fetched.nextOffset,
    get isDone() {
      return isDone();
    },
    get message() {
      return isSingle && !isDone() ? first : undefined;
    },
  };
  const isHandled = await attempt(options, chain, failing, async () => options.eachBatch?.(payload));
  if (isHandled && options.eachBatchAutoResolve && !chain.isStale) book.resolve(fetched.nextOffset);
}

interface Failing {
  readonly offset: bigint;
  readonly until: bigint;
  /** The handler has declared all of it done: what it throws afterwards is no message's fault. */
  readonly isDone: boolean;
  /** The only one that can be at fault, if it is the only one. */
  readonly message: ConsumedMessage | undefined;
}

/** False where it was not begun: the wait for a turn may outlast the ownership. */
async function attempt(options: HandlingOptions, chain: PartitionChain, failing: Failing, work: () => Promise<void>): Promise<boolean> {
  try {
    const isBegun = await options.turns.take(async () => {
      if (chain.isCut) return false;
      await work();
      return true;
    }, chain.stopping);
    if (!isBegun) return false;
  } catch (error) {
    // As it is at the failure: what is resolved later changes it.
    await onFailed(options, chain, { ...failing }, error);
  }
  options.poison.passed(chain, failing.until);
  return true;
}

/** Resolves where the message went to the dead letters; throws otherwise. */
async function onFailed(options: HandlingOptions, chain: PartitionChain, failing: Failing, error: unknown): Promise<void> {
  const { poison, onEvent, deadLetter, deadLetterAfter } = options;
  const { topic, partition } = chain;
  const { message, until, isDone } = failing;
  const failures = isDone ? 1 : poison.failed(chain, failing);
  const offset = String(failing.offset);
  onEvent({ type: 'handlerFailed', topic, partition, offset, failures, error });
  if (deadLetter === undefined || chain.isStale) throw error;
  if (message === undefined || failures < deadLetterAfter) throw new RetryHere(error, failures);
  await deadLetter({ ...ownershipOf(chain), topic, partition, message, error, failures });
  onEvent({ type: 'deadLettered', topic, partition, offset, failures });
  if (!chain.isStale) chain.book.resolve(until);
}
