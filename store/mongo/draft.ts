import { applyChanges, type CommitView, type PreparedChange } from '../changes.js';
import type { CommitOutcome, Document, Revision } from '../collection.js';
import { type EncodedDocument, encodeRecord, type StoredRecord } from './layout.js';

/** A document as the database had it, and as a group of commits leaves it. */
export interface Held {
  readonly collection: string;
  readonly id: string;
  /** Null where the database has nothing, not even the mark of an absent document. */
  readonly before: StoredRecord | null;
  readonly after: Content | null;
  /** Whether a commit that is to be done wrote it. */
  readonly isWritten: boolean;
  /** Whether a commit that is to be done looked at it, and at others, so that all must hold at one moment. */
  readonly isGuarded: boolean;
}

interface Content {
  readonly revision: Revision;
  /** Null for a document that was there and whose content no change of the group asks for. */
  readonly json: string | null;
}

/** What commits need of the store while they are weighed. */
export interface DraftSource {
  nextRevision(): Revision;
  /** The fields of each index of a collection. */
  indexes(collection: string): readonly (readonly string[])[];
}

/**
 * A group of commits, weighed one after the other on what was read of the database: each sees what those before it did.
 * One that is refused or fails leaves nothing behind.
 */
export class Draft {
  #held = new Map<string, Held>();
  readonly #encoded = new Map<string, EncodedDocument>();
  readonly #written = new Set<string>();

  constructor(private readonly source: DraftSource) {}

  /** Notes what the database has. Every document of every change must be noted before `weigh`. */
  note(collection: string, id: string, before: StoredRecord | null): void {
    const content =
      before?.gone === undefined && before?.r !== undefined
        ? { revision: before.r, json: before.d ?? null }
        : null;
    this.#held.set(keyOf(collection, id), {
      collection,
      id,
      before,
      after: content,
      isWritten: false,
      isGuarded: false,
    });
  }

  /** @throws StoreError `bad-document` where a document does not fit its indexes or what is counted is no number */
  weigh(changes: readonly PreparedChange[]): CommitOutcome {
    const seen = new Map<string, Held>();
    const outcome = applyChanges(this.#view(seen), changes);
    if (!outcome.committed) return outcome;
    const changed = [...seen].filter(([key, held]) => held !== this.#held.get(key));
    const encoded = changed.map(([key, held]) => [key, this.#encode(held)] as const);
    for (const [, { collection }] of changed) this.#written.add(collection);
    for (const [key, document] of encoded) {
      if (document === null) this.#encoded.delete(key);
      else this.#encoded.set(key, document);
    }
    const isAlone = seen.size === 1;
    for (const [key, held] of seen) {
      this.#held.set(key, { ...held, isGuarded: held.isGuarded || !isAlone });
    }
    return outcome;
  }

  /** What the weighed commits looked at or wrote. */
  *held(): Iterable<Held & { readonly encoded: EncodedDocument | null }> {
    for (const [key, held] of this.#held) {
      if (held.isWritten || held.isGuarded) yield { ...held, encoded: this.#encoded.get(key) ?? null };
    }
  }

  /** The collections that the weighed commits wrote to. */
  get written(): ReadonlySet<string> {
    return this.#written;
  }

  #view(seen: Map<string, Held>): CommitView {
    const look = (collection: string, id: string): Held => {
      const key = keyOf(collection, id);
      const held = seen.get(key) ?? this.#held.get(key);
      if (held === undefined) throw new Error(`${collection} ${id} was not read before it was changed`);
      seen.set(key, held);
      return held;
    };
    return {
      revision: (collection, id) => look(collection, id).after?.revision ?? null,
      document: (collection, id) => {
        const { after } = look(collection, id);
        if (after === null) return null;
        if (after.json === null) throw new Error(`The content of ${collection} ${id} was not read`);
        return JSON.parse(after.json) as Document;
      },
      set: (collection, id, json) => {
        const held = look(collection, id);
        const revision = this.source.nextRevision();
        const after = json === null ? null : { revision, json };
        seen.set(keyOf(collection, id), { ...held, after, isWritten: true });
        return revision;
      },
    };
  }

  #encode({ collection, after }: Held): EncodedDocument | null {
    if (after === null || after.json === null) return null;
    return encodeRecord(after.json, after.revision, this.source.indexes(collection));
  }
}

function keyOf(collection: string, id: string): string {
  return `${collection} ${id}`;
}
