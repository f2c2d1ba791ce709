export * from './collection.js';
export { type LmdbStoreOptions, openLmdbStore } from './lmdb/store.js';
export { type MongoStoreOptions, openMongoStore } from './mongo/store.js';
