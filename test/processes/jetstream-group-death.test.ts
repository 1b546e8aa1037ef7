/** Real voters without a disk on a real nats-server, their memory in JetStream: all of them killed, two on one seat, and one that slept. */
import { describeWithNats } from '../support/brokers.ts';
import { natsTiming } from './crew.ts';
import { groupDeaths } from './group-deaths.ts';

describeWithNats('a group in processes on NATS that keeps its memory in JetStream', (nats) => {
  groupDeaths({
    carrier: () => ({ type: 'nats', urls: nats.urls }),
    keeping: () => ({ type: 'jetstream', urls: nats.urls }),
    secondProcess: 'fences',
    timing: { ...natsTiming, sessionTtlMs: 25_000 },
  });
});
