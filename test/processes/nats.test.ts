/** Real processes on a real nats-server: contention, deaths and a long sleep. */
import { describeWithNats } from '../support/brokers.ts';
import { natsTiming } from './crew.ts';
import { processDeaths } from './process-deaths.ts';

describeWithNats('a group in processes on NATS', (nats) => {
  processDeaths({ carrier: () => ({ type: 'nats', urls: nats.urls }), timing: natsTiming, grantsEach: 100 });
});
