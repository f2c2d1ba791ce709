export * from './collection.js';
export { Duty } from './duty.js';
export { type Lease, type Leases, openLeases } from './lease.js';
export { type LmdbStoreOptions, openLmdbStore } from './lmdb/store.js';
