/** A ledger on JetStream: every entry names the one it follows, and carries the token of who wrote it. */
import { tokenFence } from '@quorate/core';
import { stampNats, tokenOfNats } from '@quorate/nats-adapter';
import { headers } from 'nats';
import type { NatsConnection } from 'nats';

const stream = 'example-ledger';
const subject = 'example.ledger.42';

export async function createLedger(nc: NatsConnection): Promise<void> {
  const jsm = await nc.jetstreamManager();
  await jsm.streams.delete(stream).catch(() => undefined); // of an earlier run
  await jsm.streams.add({ name: stream, subjects: ['example.ledger.*'] });
}

/** The sequence of the last entry, 0 for none: what the next one is to follow. Read it while you hold the lock. */
export async function lastEntry(nc: NatsConnection): Promise<number> {
  const jsm = await nc.jetstreamManager();
  // Where it cannot be read it is 0 too, and the server then refuses to take another entry for the first.
  return jsm.streams.getMessage(stream, { last_by_subj: subject }).then(
    ({ seq }) => seq,
    () => 0,
  );
}

/** The server takes the entry only if it follows the one that it says; other ledgers of the stream do not matter. */
export async function append(nc: NatsConnection, entry: string, follows: number, token: number): Promise<string> {
  const stamped = stampNats(headers(), { resource: subject, token });
  try {
    await nc.jetstream().publish(subject, entry, { headers: stamped, expect: { lastSubjectSequence: follows } });
    return 'taken by the server';
  } catch (error) {
    return `refused by the server: ${(error as Error).message}`;
  }
}

export async function readLedger(nc: NatsConnection): Promise<void> {
  const isFresh = tokenFence();
  const consumer = await nc.jetstream().consumers.get(stream);
  for await (const message of await consumer.consume()) {
    console.log(`  ${message.string()}${isFresh(tokenOfNats(message)) ? '' : ': dropped, a newer owner was heard'}`);
    if (message.info.pending === 0) return;
  }
}
