/** What all partitions of one consumer share. */
import type { JetStreamApi } from '../jetstream/jetstream-api.ts';
import type { DeadLetter, MessageHandler, OwnedConsumerEvent, ResolvedConsumerOptions } from './owned-consumer-options.ts';
import type { NatsStreamConnection } from '../jetstream/stream-connection.ts';

export interface ConsumerContext {
  readonly connection: NatsStreamConnection;
  readonly api: JetStreamApi;
  readonly options: ResolvedConsumerOptions;
  readonly handler: MessageHandler;
  readonly deadLetter: DeadLetter | undefined;
  readonly tell: (event: OwnedConsumerEvent) => void;
}
