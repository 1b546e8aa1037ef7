/** Lock events read from their subjects by anyone with the rights, member of the group or not. */
import { abortable } from '@quorate/core/adapter';
import type { EventReaderOptions } from '@quorate/core/adapter';
import { Attachment } from './attachment.ts';
import type { NatsConnection } from './connection.ts';
import { Subjects } from './subjects.ts';

export async function readNatsEvents(
  connection: NatsConnection,
  subjectPrefix: string,
  options: EventReaderOptions,
): Promise<() => Promise<void>> {
  const subjects = new Subjects(subjectPrefix, options.group);
  const attachment = new Attachment({
    connection,
    subjects,
    subscribeTo: [subjects.events],
    publishOn: [],
    onMessage: ({ data }) => options.onEvent(data),
    onStatus: options.onStatus,
    onEvent: () => undefined,
  });
  try {
    await abortable(attachment.whenReady(), options.signal, 'Reading lock events from NATS');
  } catch (error) {
    await attachment.release();
    throw error;
  }
  return () => attachment.release();
}
