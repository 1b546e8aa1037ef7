/** The store in JetStream against the conformance suite, on both client generations and on three servers. */
import { storageConformance } from '@quorate/core/adapter';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { describeOnServers, patienceMs } from '../jetstream-servers.ts';
import { storePlace } from './store-places.ts';

describeWithNats(
  'the store in JetStream',
  () => {
    describeOnServers((connected) => {
      const subject = { place: async () => storePlace(connected()), secondProcess: 'fences', canDie: true, canDamage: true } as const;
      for (const { name, run } of storageConformance(subject)) test(name, run, patienceMs);
    });
  },
  { own: 'process' },
);
