import type { Collection, Db } from 'mongodb';
import { StoreError } from '../collection.js';
import { isDuplicate } from './errors.js';
import { fieldsName, META, type StoredRecord, TOMBSTONE_INDEX, TOMBSTONE_LIFE_SECONDS } from './layout.js';

/** What this version of Ferry writes. A change of it needs a step in {@link MIGRATIONS}. */
export const SCHEMA_VERSION = 1;
export const SCHEMA_ID = 'schema';
const NAMESPACE_EXISTS = 48;

/** Brings the database from version `from` to the next. Any number of nodes may run it at once, and again. */
export interface Migration {
  readonly from: number;
  run(database: Db): Promise<void>;
}

const MIGRATIONS: readonly Migration[] = [];

/**
 * Makes the database's own documents where they are missing and brings an older database to `version`.
 * @returns the version it had before
 * @throws StoreError `unavailable` where a newer version of Ferry wrote it
 */
export async function bringSchema(
  database: Db,
  version = SCHEMA_VERSION,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number> {
  const meta = database.collection<StoredRecord>(META);
  await makeCollection(database, META);
  await insertMissing(meta, { _id: 'revisions', end: 0 });
  await insertMissing(meta, { _id: SCHEMA_ID, version });
  let first: number | null = null;
  for (;;) {
    const found: unknown = (await meta.findOne({ _id: SCHEMA_ID }))?.['version'];
    if (found === version) return first ?? version;
    const step = migrations.find(({ from }) => from === found);
    if (typeof found !== 'number' || found > version || step === undefined) {
      throw new StoreError(
        'unavailable',
        `The database has schema version ${String(found)}, this version of Ferry knows ${version}: use the version that wrote it or a newer one`,
      );
    }
    first ??= found;
    await step.run(database);
    await meta.updateOne({ _id: SCHEMA_ID, version: found }, { $set: { version: found + 1 } });
  }
}

/** @throws StoreError `unavailable` where no Ferry has been in the database */
export async function requireSchema(database: Db): Promise<void> {
  if ((await database.collection<StoredRecord>(META).findOne({ _id: SCHEMA_ID })) !== null) return;
  throw new StoreError(
    'unavailable',
    `There is no Ferry data in the database ${database.databaseName}: check the name behind the last slash of the address`,
  );
}

async function insertMissing(meta: Collection<StoredRecord>, record: StoredRecord): Promise<boolean> {
  try {
    await meta.insertOne(record);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

async function makeCollection(database: Db, name: string): Promise<void> {
  try {
    await database.createCollection(name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === NAMESPACE_EXISTS)) throw error;
  }
}

/** An index as the database has it: every node that writes keeps all of these, whatever its own definition says. */
export interface CatalogIndex {
  readonly fields: readonly string[];
  /** False while the documents that were there before it are given their keys. */
  readonly ready: boolean;
}

export type CatalogIndexes = Readonly<Record<string, CatalogIndex>>;

export const catalogId = (collection: string) => `catalog:${collection}`;
export const CATALOG_RANGE = { $gte: 'catalog:', $lt: 'catalog;' };

/** Which indexes there are, as far as this process knows, and the making of those a definition adds. */
export class Catalog {
  #fields = new Map<string, readonly (readonly string[])[]>();
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param ageMsMax  how old what this process knows may be when it begins to write */
  constructor(
    private readonly database: Db,
    private readonly ageMsMax: number,
  ) {}

  get #meta(): Collection<StoredRecord> {
    return this.database.collection<StoredRecord>(META);
  }

  /** The fields of each index of a collection, as of the last {@link refresh}. */
  indexes(collection: string): readonly (readonly string[])[] {
    const fields = this.#fields.get(collection);
    if (fields === undefined)
      throw new StoreError('unavailable', `The database has lost the catalog of ${collection}`);
    return fields;
  }

  /** To be awaited before a transaction writes. */
  async refresh(): Promise<void> {
    const startedAtMs = performance.now();
    if (startedAtMs - this.#readAtMs < this.ageMsMax) return;
    const fields = new Map<string, readonly (readonly string[])[]>();
    for await (const record of this.#meta.find({ _id: CATALOG_RANGE }).hint('_id_')) {
      fields.set(
        record._id.slice(catalogId('').length),
        Object.values(indexesOf(record)).map((index) => index.fields),
      );
    }
    // Another that began later may be here already.
    if (startedAtMs < this.#readAtMs) return;
    this.#fields = fields;
    this.#readAtMs = startedAtMs;
  }

  /**
   * Makes the collection and its indexes in the database. Indexes that no definition names any more stay: nodes of an older
   * version may still use them.
   * @returns the fields of indexes whose keys older documents may lack
   */
  async make(collection: string, declared: readonly (readonly string[])[]): Promise<(readonly string[])[]> {
    await makeCollection(this.database, collection);
    await this.database.collection(collection).createIndexes([
      {
        key: { gone: 1 },
        name: TOMBSTONE_INDEX,
        sparse: true,
        expireAfterSeconds: TOMBSTONE_LIFE_SECONDS,
      },
      ...[...new Set(declared.map(fieldsName))].map((name) => ({
        key: { [`x.${name}`]: 1 as const },
        name: indexName(name),
        sparse: true,
      })),
    ]);
    const entries = (ready: boolean): Record<string, CatalogIndex> =>
      Object.fromEntries(declared.map((fields) => [fieldsName(fields), { fields, ready }]));
    const id = catalogId(collection);
    // Before there is a catalog nobody writes to the collection, so its first indexes miss nothing.
    await insertMissing(this.#meta, { _id: id, indexes: entries(true) });
    for (const [name, index] of Object.entries(entries(false))) {
      const path = `indexes.${name}`;
      await this.#meta.updateOne({ _id: id, [path]: { $exists: false } }, { $set: { [path]: index } });
    }
    const known = indexesOf(await this.#meta.findOne({ _id: id }));
    this.#readAtMs = Number.NEGATIVE_INFINITY;
    await this.refresh();
    return Object.values(known)
      .filter(({ fields, ready }) => !ready && Object.hasOwn(entries(false), fieldsName(fields)))
      .map(({ fields }) => fields);
  }

  /** To be called when every document has its keys. */
  async setReady(collection: string, fields: readonly string[]): Promise<void> {
    await this.#meta.updateOne(
      { _id: catalogId(collection) },
      { $set: { [`indexes.${fieldsName(fields)}.ready`]: true } },
    );
  }
}

/** The index in the database that holds the keys of `name`. */
export function indexName(name: string): string {
  return `x.${name}`;
}

export function indexesOf(record: StoredRecord | null): CatalogIndexes {
  // Written by this class alone.
  return (record?.['indexes'] ?? {}) as CatalogIndexes;
}
