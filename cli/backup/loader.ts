import { type CollectionDefinition, type Document, type Store, StoreError } from '../../store/index.js';
import { BackupError } from './format.js';

/** What is loaded at once: it is held in memory, and the database must take it within its time-out. */
const BATCH_DOCUMENTS = 1_000;
const BATCH_CHARACTERS = 1024 * 1024;
/** So that the store has the next batch while it is busy with one. */
const BATCHES_UNDER_WAY = 3;
/** A batch that a slow database does not take in time is halved, down to a few documents. */
const HALVINGS_MAX = 7;

/** Gathers documents to batches, a few of which are loaded into the store at a time. */
export class Loader {
  #batch = new Map<CollectionDefinition, Document[]>();
  #documents = 0;
  #characters = 0;
  /** What the batch above and those under way write. */
  readonly #written = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(private readonly store: Pick<Store, 'load'>) {}

  async add(definition: CollectionDefinition, document: Document, characters: number): Promise<void> {
    const key = `${definition.name}/${document.id}`;
    // The same document twice in batches side by side would end as either.
    if (this.#written.has(key)) await this.drain();
    this.#written.add(key);
    const documents = this.#batch.get(definition) ?? [];
    documents.push(document);
    this.#batch.set(definition, documents);
    this.#documents++;
    this.#characters += characters;
    if (this.#documents < BATCH_DOCUMENTS && this.#characters < BATCH_CHARACTERS) return;
    this.#send();
    while (this.#underWay.size >= BATCHES_UNDER_WAY) await Promise.race(this.#underWay);
    this.#rethrow();
  }

  /** Resolves when everything that was added is in the store. */
  async drain(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
    this.#rethrow();
  }

  #send(): void {
    const batch = this.#batch;
    if (batch.size === 0) return;
    this.#batch = new Map();
    this.#documents = 0;
    this.#characters = 0;
    const loads = [...batch].map(([definition, documents]) =>
      this.#load(definition, documents, HALVINGS_MAX),
    );
    const sent: Promise<void> = Promise.allSettled(loads).then((results) => {
      this.#underWay.delete(sent);
      for (const result of results) {
        if (result.status === 'rejected') this.#failure ??= { error: result.reason };
      }
      for (const [{ name }, documents] of batch) {
        for (const { id } of documents) this.#written.delete(`${name}/${id}`);
      }
    });
    this.#underWay.add(sent);
  }

  /** What is loaded twice is there once, so whatever became of the first attempt another does no harm. */
  async #load(
    definition: CollectionDefinition,
    documents: readonly Document[],
    halvings: number,
  ): Promise<void> {
    try {
      await this.store.load(definition, documents);
    } catch (error) {
      const mayBeTooMuch = error instanceof StoreError && error.code === 'unavailable';
      if (!mayBeTooMuch || halvings === 0) throw error;
      const half = Math.ceil(documents.length / 2);
      await this.#load(definition, documents.slice(0, half), halvings - 1);
      if (half < documents.length) await this.#load(definition, documents.slice(half), halvings - 1);
    }
  }

  #rethrow(): void {
    if (this.#failure === null) return;
    const { error } = this.#failure;
    throw error instanceof StoreError && error.code === 'bad-document'
      ? new BackupError(`The backup holds a document that cannot be stored: ${error.message}`)
      : error;
  }
}
