/** The store on LMDB against the conformance suite of storages. */
import { storageConformance } from '@quorate/core/adapter';
import { lmdbPlace } from './places.ts';

describe('the store on LMDB', () => {
  for (const { name, run } of storageConformance({ place: lmdbPlace, secondProcess: 'refused', canDie: true, canDamage: true })) {
    test(name, run, 120_000);
  }
});
