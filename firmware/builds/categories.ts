import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Change, type Stored, untilCommitted } from '../../store/index.js';
import { BuildError } from './build-error.js';
import { type Category, type CategoryDocument, categoryOf, SHARED } from './category.js';
import { type CategoryFields, categoryFields, checkNewId } from './fields.js';
import { isChangeable, isSeen, type OwnedFilter, ownedFrom, type Within } from './owned-list.js';
import type { BuildParts } from './parts.js';
import { categoryNameKey, nameOfCategory } from './taken-names.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a name that is taken is refused, which it is unless told. */
interface SharingName {
  readonly mayShareName?: boolean;
}

/** The categories of an installation. Every change is one commit, and its event is in it. */
export class Categories {
  readonly #parts: BuildParts;

  constructor(parts: BuildParts) {
    this.#parts = parts;
  }

  /** Those that are seen: the shared ones first, then owner after owner, each by name. @throws StoreError */
  async *scan(filter: OwnedFilter<CategoryDocument>, turn?: Turn): AsyncGenerator<Category, void> {
    for await (const each of ownedFrom(this.#parts.categories, filter, ({ name }) => name, turn))
      yield categoryOf(each);
  }

  /** By its id, else by its name: an organization's own before a shared one. Null where none is seen. @throws StoreError */
  async find(idOrName: string, within: Within): Promise<Category | null> {
    const byId = await this.#parts.categories.get(idOrName);
    if (byId !== null) return isSeen(within, byId.document.owner) ? categoryOf(byId.document) : null;
    for (const owner of new Set([within ?? SHARED, SHARED])) {
      const named = await this.#parts.names.get(categoryNameKey(owner, idOrName));
      const found = named === null ? null : await this.#parts.categories.get(named.document.of);
      if (found !== null) return categoryOf(found.document);
    }
    return null;
  }

  /**
   * @param said  by CategoryFields, as it came from outside; an `id` may be said too
   * @param organization  whose it becomes; null: it is shared
   * @param mayShareName  it may be called as another: then that one is found by the name
   * @throws BuildError `invalid`, `name-taken`, `id-taken`. @throws OrganizationError `not-found`, `not-active`. @throws StoreError
   */
  async add(
    { id = randomUUID(), ...said }: JsonObject,
    by: Actor,
    organization: string | null,
    { mayShareName = false }: SharingName = {},
  ): Promise<Category> {
    checkNewId(id);
    const fields = categoryFields(said, null);
    const owner = organization ?? SHARED;
    const product = this.#parts.productOf(fields);
    const nowMs = this.#parts.clock();
    const document = { id, owner, ...fields, ...product, builds: 0, createdAtMs: nowMs, modifiedAtMs: nowMs };
    return untilCommitted(`The category ${fields.name}`, async () => {
      const outcome = await this.#parts.store.commit([
        this.#parts.categories.inserting(document),
        ...(await this.#takingName(document, mayShareName)),
        ...(await this.#parts.ownerRequired(owner)),
        this.#parts.noting('added', 'image-category', document, { by, after: { ...fields } }),
      ]);
      return outcome.committed ? categoryOf(document) : this.#again(outcome.refused, document, mayShareName);
    });
  }

  /** Changes fields of one; as of {@link add}. @throws BuildError `invalid`, `not-found`, `name-taken`. @throws StoreError */
  async change(
    id: string,
    said: JsonObject,
    by: Actor,
    within: Within,
    { mayShareName = false }: SharingName = {},
  ): Promise<Category> {
    return untilCommitted(`The category ${id}`, async () => {
      const { document: before, revision } = await this.#stored(id, within);
      const fields = categoryFields(said, before);
      if (isDeepStrictEqual(fields, fieldsOf(before))) return categoryOf(before);
      const product = this.#parts.productOf(fields);
      const after = { ...before, ...fields, ...product, modifiedAtMs: this.#parts.clock() };
      const outcome = await this.#parts.store.commit([
        this.#parts.categories.replacing(after, revision),
        ...(after.name === before.name
          ? []
          : [
              ...(await this.#parts.givingUp([nameOfCategory(before)], before)),
              ...(await this.#takingName(after, mayShareName)),
            ]),
        this.#parts.noting('changed', 'image-category', after, {
          by,
          before: { ...fieldsOf(before) },
          after: { ...fields },
        }),
      ]);
      return outcome.committed ? categoryOf(after) : this.#again(outcome.refused, after, mayShareName);
    });
  }

  /** Removes one that has no builds. @throws BuildError `not-found`, `has-builds`. @throws StoreError */
  async remove(id: string, by: Actor, within: Within): Promise<void> {
    await untilCommitted(`The category ${id}`, async () => {
      const { document, revision } = await this.#stored(id, within);
      if (document.builds > 0)
        throw new BuildError(
          'has-builds',
          'category',
          `one without builds: ${document.name} has ${document.builds}; remove them first, or with it`,
        );
      const { committed } = await this.#parts.store.commit([
        this.#parts.categories.deleting(id, revision),
        ...(await this.#parts.givingUp([nameOfCategory(document)], document)),
        this.#parts.noting('removed', 'image-category', document, { by, before: { ...fieldsOf(document) } }),
      ]);
      return committed ? true : undefined;
    });
  }

  async #takingName(document: CategoryDocument, mayShareName: boolean): Promise<readonly Change[]> {
    const id = nameOfCategory(document);
    if (mayShareName && (await this.#parts.names.get(id)) !== null) return [];
    return [this.#parts.names.inserting({ id, of: document.id })];
  }

  async #stored(id: string, within: Within): Promise<Stored<CategoryDocument>> {
    const stored = await this.#parts.categories.get(id);
    if (stored !== null && isChangeable(within, stored.document.owner)) return stored;
    throw noCategory();
  }

  /** @returns undefined where something has moved that may have moved. @throws BuildError */
  #again({ collection, kind }: Change, { name }: CategoryDocument, mayShareName: boolean): undefined {
    if (kind !== 'insert') return undefined;
    if (collection === this.#parts.names.name && !mayShareName)
      throw new BuildError('name-taken', 'name', `another: there is a category ${name} already`);
    if (collection === this.#parts.categories.name)
      throw new BuildError('id-taken', 'id', 'another: something has this id already');
    return undefined;
  }
}

/** The same for one that there is not and for another's. */
export function noCategory(): BuildError {
  return new BuildError('not-found', 'category', 'the id of a category that there is, or its name');
}

function fieldsOf({ name, description, productFamily, productModel }: CategoryFields): CategoryFields {
  return { name, description, productFamily, productModel };
}
