import type { MongoStoreOptions, SharedStore } from './mongo/store.js';

/**
 * Opens the store that any number of machines share, in MongoDB. Only then is the driver loaded: it would be a fifth of
 * what every command reads when it starts.
 * @throws StoreError `unavailable` where the database cannot be used or was written by a newer version of Ferry
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<SharedStore> {
  const engine = await import('./mongo/store.js');
  return engine.openMongoStore(options);
}
