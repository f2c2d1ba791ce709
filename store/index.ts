export * from './collection.js';
export * from './files.js';
export { type LmdbStoreOptions, openLmdbStore } from './lmdb/store.js';
export { withoutCredentials } from './mongo/connection.js';
export { type MongoStoreOptions, openMongoStore, type SharedStore } from './mongo/store.js';
