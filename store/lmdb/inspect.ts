import type { InspectedCollection, StoreInspection } from '../collection.js';
import { CATALOG_PREFIX, readCatalog } from './catalog.js';
import { metaKey, type Trees } from './layout.js';
import { letGo } from './let-go.js';

/** See {@link Store.inspect}. */
export function inspectTrees(trees: Trees): Omit<StoreInspection, 'migratedFrom'> {
  const collections: InspectedCollection[] = [];
  const range = { start: metaKey(CATALOG_PREFIX), end: metaKey(`${CATALOG_PREFIX}~`) };
  for (const key of letGo(trees.meta.getKeys(range))) {
    const name = key.toString('latin1').slice(CATALOG_PREFIX.length);
    const indexes = Object.values(readCatalog(trees, name)?.indexes ?? {});
    collections.push({
      name,
      indexes: indexes.map(({ fields, building }) => ({
        fields,
        state: building === null ? ('ready' as const) : ('building' as const),
      })),
    });
  }
  return {
    engine: 'lmdb',
    serverVersion: null,
    schemaVersion: Number(trees.meta.get(metaKey('format'))),
    clocks: null,
    collections,
  };
}
