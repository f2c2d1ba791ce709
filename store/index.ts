export * from './collection.js';
export { type LmdbStoreOptions, openLmdbStore } from './lmdb/store.js';
