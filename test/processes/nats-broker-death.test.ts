/** Real processes on a nats-server of their own, which is killed under them. */
import { natsBroker } from '../../scripts/brokers/index.ts';
import { describeWithNats } from '../support/brokers.ts';
import { brokerDeaths } from './broker-deaths.ts';
import { natsTiming } from './crew.ts';

describeWithNats(
  'a group in processes on a NATS that dies',
  () => {
    brokerDeaths({
      start: () => natsBroker({ own: true }),
      carrierOf: ({ urls }) => ({ type: 'nats', urls }),
      timing: natsTiming,
      grantsEach: 30,
    });
  },
  { own: true },
);
