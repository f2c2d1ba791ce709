import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { Db } from 'mongodb';
import { KEPT_COLLECTIONS } from '../../../cli/collections.js';
import type { Installation } from '../../../cli/installation.js';
import type { Document, Revision } from '../../../store/index.js';
import { encodeRecord, FIRST_ID, type StoredRecord } from '../../../store/mongo/layout.js';
import { everyDocument } from '../../support/installation.js';

/** Holds two installations to the same documents, read as the product reads them, and the same images; closes both. @returns how many documents */
export async function compareStores(
  t: ExecutionContext,
  from: Installation,
  to: Installation,
): Promise<number> {
  const right = withoutRestoring(everyDocument(to.store));
  let compared = 0;
  for await (const left of withoutRestoring(everyDocument(from.store))) {
    const { value, done } = await right.next();
    compared++;
    if (done || JSON.stringify(value) !== JSON.stringify(left)) t.deepEqual(value, left);
  }
  t.true((await right.next()).done);
  t.deepEqual(await imagesOf(to), await imagesOf(from));
  await from.close();
  await to.close();
  return compared;
}

/** A restore adds to the log of events that it was one, and by whom. */
async function* withoutRestoring<T>(documents: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const each of documents) if (!tellsOfRestore(each)) yield each;
}

/** Of a document, or of a record that holds one as text. */
function tellsOfRestore(found: unknown): boolean {
  return JSON.stringify(found).replaceAll('\\"', '"').includes('"action":"restored"');
}

/**
 * The same for a database, of which each record is read as it lies there: a document, its index keys and its satellites are what
 * they must be. In one cursor for each collection, since not every server finds the next page fast.
 */
export async function compareWithDatabase(
  t: ExecutionContext,
  from: Installation,
  to: Installation,
  database: Db,
): Promise<number> {
  let compared = 0;
  for (const definition of KEPT_COLLECTIONS) {
    const indexes = Object.values(definition.indexes);
    const records = recordsOf(database, definition.name, { $gte: FIRST_ID });
    const satellites = recordsOf(database, definition.name, { $lt: FIRST_ID });
    for await (const { document } of from.store.collection(definition).scan({})) {
      if (document.id === 'master-key') continue;
      compared++;
      const { value: record } = await records.next();
      const expected = encodeRecord(JSON.stringify(document), record?.r as Revision, indexes);
      same(t, record, expected.record);
      const own = [...expected.satellites.values()].flat().sort((a, b) => (a._id < b._id ? -1 : 1));
      for (const satellite of own) same(t, (await satellites.next()).value, satellite);
    }
    t.true((await records.next()).done, `${definition.name} has more documents`);
    t.true((await satellites.next()).done, `${definition.name} has more satellites`);
  }
  t.deepEqual(await imagesOf(to), await imagesOf(from));
  await from.close();
  await to.close();
  return compared;
}

async function* recordsOf(
  database: Db,
  name: string,
  _id: { readonly $gte: string } | { readonly $lt: string },
) {
  for await (const record of database.collection<StoredRecord>(name).find({ _id }, { sort: { _id: 1 } })) {
    if (record.gone === undefined && record._id !== 'master-key' && !tellsOfRestore(record)) yield record;
  }
}

function same(t: ExecutionContext, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) t.deepEqual(found, expected);
}

async function imagesOf({ images }: Installation) {
  const { items } = await images.list({ limit: 100 });
  return Promise.all(
    items.map(async ({ contentFile: _, ...image }) => {
      const content = await images.open({ ...image, contentFile: _ });
      if (content === null) throw new Error(`${image.id} has no content`);
      const bytes = await buffer(content.read({ start: 0, end: image.sizeBytes - 1 }));
      return { ...image, hash: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

/** What a backup holds in the end, by collection and id. */
export function contentOf(backup: Buffer): Map<string, Document> {
  const content = new Map<string, Document>();
  for (const line of gunzipSync(backup).toString().trimEnd().split('\n')) {
    const { in: collection, doc } = JSON.parse(line);
    if (collection !== undefined) content.set(`${collection}/${doc.id}`, doc);
  }
  return content;
}
