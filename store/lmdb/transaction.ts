import { StoreError } from '../collection.js';
import { type Catalog, readCatalog } from './catalog.js';
import { type CollectionState, decodeState, encodeState, metaKey, type Trees } from './layout.js';
import type { Transaction } from './writer.js';

interface OpenCollection {
  readonly catalog: Catalog;
  state: CollectionState;
  changed: boolean;
}

/** A catalog this process has read, and the version it had then. */
export interface KnownCatalog {
  readonly version: number;
  readonly catalog: Catalog;
}

/**
 * The collections one write transaction touches: their state is read once, handed from job to job, and written once.
 */
export class WriteTransaction implements Transaction {
  readonly #open = new Map<string, OpenCollection>();
  /** Collections whose catalog this transaction changed: what it reads of them is not true until it is committed. */
  readonly #uncommitted = new Set<string>();

  constructor(
    readonly trees: Trees,
    /** Shared by all transactions of the process. */
    private readonly known: Map<string, KnownCatalog>,
  ) {}

  /** @throws StoreError `unavailable` where the store does not have the collection */
  collection(name: string): Readonly<OpenCollection> {
    let open = this.#open.get(name);
    if (open === undefined) {
      const state = decodeState(this.trees.meta.get(stateKey(name)), name);
      open = { catalog: this.#catalog(name, state.catalogVersion), state, changed: false };
      this.#open.set(name, open);
    }
    return open;
  }

  setState(name: string, state: CollectionState): void {
    const open = this.#open.get(name);
    if (open === undefined) throw new Error(`Collection ${name} is not open in this transaction`);
    open.state = state;
    open.changed = true;
  }

  /** To be called when a job changed the catalog of a collection: the next job reads it anew. */
  forget(name: string): void {
    this.finish();
    this.#open.delete(name);
    this.#uncommitted.add(name);
  }

  finish(): void {
    for (const [name, open] of this.#open) {
      if (open.changed) this.trees.meta.put(stateKey(name), encodeState(open.state));
      open.changed = false;
    }
  }

  #catalog(name: string, version: number): Catalog {
    const known = this.known.get(name);
    if (known?.version === version) return known.catalog;
    const catalog = readCatalog(this.trees, name);
    if (catalog === null)
      throw new StoreError('unavailable', `The store has lost the catalog of collection ${name}`);
    if (!this.#uncommitted.has(name)) this.known.set(name, { version, catalog });
    return catalog;
  }
}

export function stateKey(collection: string): Buffer {
  return metaKey(`state:${collection}`);
}
