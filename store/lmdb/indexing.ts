import { type CollectionDefinition, type Document, StoreError } from '../collection.js';
import { isDamaged } from '../damage.js';
import {
  type Catalog,
  isReconciled,
  readCatalog,
  reconcile,
  sameFields,
  takeNumber,
  writeCatalog,
} from './catalog.js';
import { indexWrites } from './commit.js';
import { decodeRecord, documentKey, encodeState, keyOf, type Trees, withoutNumber } from './layout.js';
import { stateKey, type WriteTransaction } from './transaction.js';

/**
 * Making and dropping indexes, a bounded step in each transaction. Where a step ended is stored with it, so a process
 * that is killed in the middle is taken over from by the next one that opens the collection, and two that open it at
 * once share the work. Commits meanwhile keep an index that is being made like any other.
 */
const STEP_DOCUMENTS_MAX = 500;
const STEP_BYTES_MAX = 4 * 1024 * 1024;
const STEP_REMOVALS_MAX = 2_000;

/**
 * One step towards a catalog that has what `definition` declares.
 * @returns whether there is nothing left to do
 * @throws StoreError `bad-document` where a document does not fit a new index
 */
export function settleStep(transaction: WriteTransaction, definition: CollectionDefinition): boolean {
  const { trees } = transaction;
  const { name } = definition;
  const found = readCatalog(trees, name);
  if (found === null || !isReconciled(found, definition.indexes)) {
    const version = found === null ? 0 : transaction.collection(name).state.catalogVersion;
    const sequence = found === null ? 0 : transaction.collection(name).state.sequence;
    const nextNumber = () => takeNumber(trees);
    const catalog = reconcile(
      found ?? { number: nextNumber(), indexes: {}, dropping: [] },
      definition.indexes,
      nextNumber,
    );
    transaction.forget(name);
    writeCatalog(trees, name, catalog);
    trees.meta.put(stateKey(name), encodeState({ sequence, catalogVersion: version + 1 }));
    return false;
  }
  const unfinished = Object.entries(found.indexes).find(([, { building }]) => building !== null)?.[0];
  if (unfinished !== undefined) {
    writeCatalog(trees, name, buildStep(trees, found, { collection: name, index: unfinished }));
    return false;
  }
  const gone = found.dropping[0];
  if (gone === undefined) return true;
  if (dropStep(trees, gone)) writeCatalog(trees, name, { ...found, dropping: found.dropping.slice(1) });
  return false;
}

/** Null for one that cannot be read: it is in no index, and keeps no other from being in it. */
function documentIn(record: string, collection: string, id: string): Document | null {
  try {
    return decodeRecord(record, collection, id).document;
  } catch (error) {
    if (isDamaged(error)) return null;
    throw error;
  }
}

function buildStep(
  trees: Trees,
  catalog: Catalog,
  { collection, index: name }: { readonly collection: string; readonly index: string },
): Catalog {
  const index = catalog.indexes[name];
  if (index === undefined || index.building === null) throw new Error(`Index ${name} is not being built`);
  const keys: Buffer[] = [];
  const { after } = index.building;
  for (const key of trees.documents.getKeys({
    // The NUL makes it the first key after the one that was done.
    start:
      after === ''
        ? keyOf(catalog.number, Buffer.alloc(0))
        : Buffer.concat([documentKey(catalog.number, after), Buffer.of(0)]),
    end: keyOf(catalog.number, null),
    limit: STEP_DOCUMENTS_MAX,
  })) {
    keys.push(Buffer.from(key));
  }
  const writes: { key: Buffer; value: string }[] = [];
  let sizeBytes = 0;
  let last: Buffer | undefined;
  for (const key of keys) {
    const record = trees.documents.get(key);
    if (record === undefined) throw new Error('A document vanished inside a transaction');
    const id = Buffer.from(withoutNumber(key)).toString();
    const document = documentIn(record, collection, id);
    if (document !== null) writes.push(...indexWrites(index, document));
    last = key;
    sizeBytes += record.length;
    if (sizeBytes > STEP_BYTES_MAX) break;
  }
  for (const { key, value } of writes) trees.indexes.put(key, value);
  const done = last === undefined || (last === keys.at(-1) && keys.length < STEP_DOCUMENTS_MAX);
  const building = done ? null : { after: Buffer.from(withoutNumber(last ?? Buffer.alloc(0))).toString() };
  return { ...catalog, indexes: { ...catalog.indexes, [name]: { ...index, building } } };
}

/** @returns whether nothing is left of it */
function dropStep(trees: Trees, number: number): boolean {
  const keys = [
    ...trees.indexes.getKeys({
      start: keyOf(number, Buffer.alloc(0)),
      end: keyOf(number, null),
      limit: STEP_REMOVALS_MAX,
    }),
  ];
  for (const key of keys) trees.indexes.remove(Buffer.from(key));
  return keys.length < STEP_REMOVALS_MAX;
}

/** @throws StoreError `unavailable` where another process has given the collection other indexes meanwhile */
export function indexNumber(catalog: Catalog, definition: CollectionDefinition, index: string): number {
  if (index === 'id') return catalog.number;
  const record = catalog.indexes[index];
  const fields = definition.indexes[index];
  if (record !== undefined && sameFields(record.fields, fields)) return record.number;
  throw new StoreError(
    'unavailable',
    `Index ${index} of ${definition.name} was changed by a process with another definition: run one version of Ferry on a store`,
  );
}
