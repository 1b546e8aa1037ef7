/** The memory of a voter on a local disk: `lmdbStorage`. */
export { lmdbStorage } from './lmdb-storage.ts';
export type { LmdbStorageOptions } from './lmdb-storage.ts';
