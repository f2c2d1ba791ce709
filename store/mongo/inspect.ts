import type { Db } from 'mongodb';
import type { InspectedCollection, StoreInspection } from '../collection.js';
import { CATALOG_RANGE, catalogId, indexesOf, indexName, SCHEMA_ID } from './catalog.js';
import { fieldsName, META, type StoredRecord } from './layout.js';

/** See {@link Store.sizeBytes}; files beside the documents are in it. */
export async function sizeOfDatabase(database: Db): Promise<number> {
  const { storageSize, indexSize } = await database.command({ dbStats: 1 });
  return Number(storageSize) + Number(indexSize);
}

/** See {@link Store.inspect}. */
export async function inspectDatabase(database: Db): Promise<Omit<StoreInspection, 'migratedFrom'>> {
  const askedMs = Date.now();
  const hello = await database.command({ hello: 1 });
  const ownMs = (askedMs + Date.now()) / 2;
  const localTime: unknown = hello['localTime'];
  const build = await database.command({ buildInfo: 1 });
  const meta = database.collection<StoredRecord>(META);
  const schema = await meta.findOne({ _id: SCHEMA_ID });
  const collections: InspectedCollection[] = [];
  for await (const record of meta.find({ _id: CATALOG_RANGE }).hint('_id_')) {
    const name = record._id.slice(catalogId('').length);
    const made = new Set(
      (await database.collection(name).listIndexes().toArray()).map((index) => index.name),
    );
    collections.push({
      name,
      indexes: Object.values(indexesOf(record)).map(({ fields, ready }) => ({
        fields,
        state: made.has(indexName(fieldsName(fields))) ? (ready ? 'ready' : 'building') : 'missing',
      })),
    });
  }
  return {
    engine: 'mongodb',
    serverVersion: String(build['version']),
    schemaVersion: Number(schema?.['version']),
    clocks: localTime instanceof Date ? { serverMs: localTime.getTime(), ownMs } : null,
    collections,
  };
}
