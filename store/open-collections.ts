import type { BaseCollection } from './base-collection.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type Document,
  StoreError,
} from './collection.js';
import { checkDefinition } from './query.js';

/** A collection whose indexes are made when it is first opened. */
export interface SettlingCollection<T extends Document> extends BaseCollection<T> {
  readonly isSettled: boolean;
  /** Resolves when the indexes are there. */
  settled(): Promise<void>;
}

/** The collections that a store has opened, each once. */
export class OpenCollections {
  readonly #open = new Map<string, SettlingCollection<Document>>();

  /** @throws StoreError `bad-query` where the definition is wrong, or not that of the first time */
  open<T extends Document>(
    definition: CollectionDefinition,
    make: (definition: CollectionDefinition) => SettlingCollection<T>,
  ): Collection<T> {
    checkDefinition(definition);
    const existing = this.#open.get(definition.name);
    if (existing === undefined) {
      const made = make(structuredClone(definition));
      this.#open.set(definition.name, made);
      return made;
    }
    if (JSON.stringify(sorted(existing.definition)) !== JSON.stringify(sorted(definition))) {
      throw new StoreError(
        'bad-query',
        `Collection ${definition.name} is open already with another definition`,
      );
    }
    // What type the documents of a collection have is the caller's word, the second time as the first.
    return existing as Collection<Document> as Collection<T>;
  }

  /**
   * Those of the changed collections whose indexes have yet to be waited for: mostly none, and then a commit is on its way
   * before its caller does anything else.
   * @throws StoreError `bad-query` where one was not opened
   */
  unsettled(changes: readonly Change[]): readonly SettlingCollection<Document>[] {
    const unsettled = new Set<SettlingCollection<Document>>();
    for (const { collection: name } of changes) {
      const collection = this.#open.get(name);
      if (collection === undefined)
        throw new StoreError('bad-query', `Collection ${name} has not been opened`);
      if (!collection.isSettled) unsettled.add(collection);
    }
    return [...unsettled];
  }

  /** Resolves when the indexes of a collection that was opened are there. */
  async settled(name: string): Promise<void> {
    await this.#open.get(name)?.settled();
  }

  isSequenced(name: string): boolean {
    return this.#open.get(name)?.definition.sequenced === true;
  }

  isPassing(name: string): boolean {
    return this.#open.get(name)?.definition.passing === true;
  }
}

function sorted({ indexes, sequenced = false, passing = false }: CollectionDefinition): unknown {
  return [sequenced, passing, Object.entries(indexes).sort(([a], [b]) => (a < b ? -1 : 1))];
}
