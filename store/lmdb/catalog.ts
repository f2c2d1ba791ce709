import { StoreError } from '../collection.js';
import { metaKey, type Trees } from './layout.js';

/** One index as the store has it; every process that writes keeps all of these, whatever its own definition says. */
export interface IndexRecord {
  readonly number: number;
  readonly fields: readonly string[];
  /** Where the making of it has got to: the id of the last document done. Null once it is whole. */
  readonly building: { readonly after: string } | null;
}

export interface Catalog {
  readonly number: number;
  readonly indexes: Readonly<Record<string, IndexRecord>>;
  /** Numbers of indexes that are gone, whose entries have yet to be removed. */
  readonly dropping: readonly number[];
}

export function readCatalog(trees: Trees, collection: string): Catalog | null {
  const text = trees.meta.get(catalogKey(collection));
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Catalog;
  } catch (cause) {
    throw new StoreError(
      'unavailable',
      `The catalog of collection ${collection} is damaged: restore a backup`,
      {
        cause,
      },
    );
  }
}

export function writeCatalog(trees: Trees, collection: string, catalog: Catalog): void {
  trees.meta.put(catalogKey(collection), JSON.stringify(catalog));
}

export const CATALOG_PREFIX = 'catalog:';

function catalogKey(collection: string): Buffer {
  return metaKey(`${CATALOG_PREFIX}${collection}`);
}

/** Takes the next unused number. Only inside a write transaction. */
export function takeNumber(trees: Trees): number {
  const key = metaKey('number');
  const number = Number(trees.meta.get(key) ?? 0) + 1;
  trees.meta.put(key, String(number));
  return number;
}

/** True where the catalog has exactly the declared indexes, whole, and nothing to sweep. */
export function isSettled(catalog: Catalog, declared: Readonly<Record<string, readonly string[]>>): boolean {
  const indexes = Object.entries(catalog.indexes);
  return (
    isReconciled(catalog, declared) &&
    catalog.dropping.length === 0 &&
    indexes.every(([, { building }]) => building === null)
  );
}

export function isReconciled(
  catalog: Catalog,
  declared: Readonly<Record<string, readonly string[]>>,
): boolean {
  const names = Object.keys(declared);
  return (
    names.length === Object.keys(catalog.indexes).length &&
    names.every((name) => sameFields(catalog.indexes[name]?.fields, declared[name]))
  );
}

export function sameFields(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return (
    a !== undefined && b !== undefined && a.length === b.length && a.every((field, at) => field === b[at])
  );
}

/**
 * The catalog with the declared indexes: those it has with the same fields stay, others are to be built under a number
 * of their own, and what is no longer declared is to be dropped.
 */
export function reconcile(
  catalog: Catalog,
  declared: Readonly<Record<string, readonly string[]>>,
  nextNumber: () => number,
): Catalog {
  const indexes: Record<string, IndexRecord> = {};
  for (const [name, fields] of Object.entries(declared)) {
    const existing = catalog.indexes[name];
    indexes[name] =
      existing !== undefined && sameFields(existing.fields, fields)
        ? existing
        : { number: nextNumber(), fields, building: { after: '' } };
  }
  const kept = new Set(Object.values(indexes).map(({ number }) => number));
  const gone = Object.values(catalog.indexes)
    .map(({ number }) => number)
    .filter((number) => !kept.has(number));
  return { number: catalog.number, indexes, dropping: [...catalog.dropping, ...gone] };
}
