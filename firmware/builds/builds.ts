import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Change, type Stored, untilCommitted } from '../../store/index.js';
import { type Build, type BuildDocument, buildOf } from './build.js';
import { BuildError, noBuild } from './build-error.js';
import { Categories, noCategory } from './categories.js';
import { type CategoryDocument, SHARED } from './category.js';
import { type BuildFields, buildFields, checkNewId } from './fields.js';
import type { Numbers } from './numbers.js';
import { isChangeable, isSeen, type OwnedFilter, ownedFrom, scanned, type Within } from './owned-list.js';
import type { BuildParts } from './parts.js';
import { namesOfBuild, osKey, versionKey } from './taken-names.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Which builds a list has. */
export interface BuildFilter extends OwnedFilter<BuildDocument> {
  /** The id of the category whose builds alone. */
  readonly category?: string;
}

/** The builds of an installation, and their categories. Every change is one commit, and its event is in it. */
export class Builds {
  readonly categories: Categories;
  /** By which clients know images, families and models that know things by numbers alone. */
  readonly numbers: Numbers;
  readonly #parts: BuildParts;

  constructor(parts: BuildParts) {
    this.#parts = parts;
    this.categories = new Categories(parts);
    this.numbers = parts.numbers;
  }

  /** Those that are seen: the shared ones first, then owner after owner, each from the oldest. @throws StoreError */
  async *scan(filter: BuildFilter, turn?: Turn): AsyncGenerator<Build, void> {
    const { category, within, isOwnOnly = false, ids, after } = filter;
    const mayBe = isOwnOnly ? isChangeable : isSeen;
    if (category === undefined || ids !== undefined) {
      for await (const each of ownedFrom(this.#parts.builds, filter, builtAt, turn))
        if (category === undefined || each.category === category) yield buildOf(each);
      return;
    }
    const query = { index: 'category', equals: [category] } as const;
    const from = after === undefined ? undefined : { ...after, category };
    for await (const each of scanned(this.#parts.builds, query, from, turn))
      if (mayBe(within, each.owner)) yield buildOf(each);
  }

  /** By its id; null where none is seen. @throws StoreError */
  async get(id: string, within: Within): Promise<Build | null> {
    const stored = await this.#parts.builds.get(id);
    return stored !== null && isSeen(within, stored.document.owner) ? buildOf(stored.document) : null;
  }

  /** The build of a category that has a version. @throws StoreError */
  async ofVersion(category: string, version: string, within: Within): Promise<Build | null> {
    const taken = await this.#parts.names.get(versionKey(category, version));
    return taken === null ? null : this.get(taken.document.of, within);
  }

  /** The build that a CPE of an organization runs by what it reports: the organization's own, else the shared one. @throws StoreError */
  async ofOs(os: string, organization: string | null): Promise<Build | null> {
    for (const owner of organization === null ? [SHARED] : [organization, SHARED]) {
      const taken = await this.#parts.names.get(osKey(owner, os));
      const found = taken === null ? null : await this.get(taken.document.of, organization);
      if (found !== null) return found;
    }
    return null;
  }

  /**
   * @param said  by BuildFields, as it came from outside, with the id or name of its `category`; an `id` may be said too
   * @throws BuildError `invalid`, `not-found`, `version-taken`, `os-taken`, `id-taken`. @throws OrganizationError. @throws StoreError
   */
  async add(
    { id = randomUUID(), category: named, ...said }: JsonObject,
    by: Actor,
    within: Within,
  ): Promise<Build> {
    checkNewId(id);
    const fields = buildFields(said, null);
    return untilCommitted(`The build ${fields.version}`, async () => {
      const { document: category, revision } = await this.#category(named, within);
      // Behind what refuses: a number that was given stays given.
      const product = this.#parts.productOf(fields);
      const { owner } = category;
      const nowMs = this.#parts.clock();
      const times = { createdAtMs: nowMs, modifiedAtMs: nowMs };
      const document = { id, owner, category: category.id, ...fields, ...product, images: [], ...times };
      const outcome = await this.#parts.store.commit([
        this.#parts.builds.inserting(document),
        this.#parts.categories.replacing({ ...category, builds: category.builds + 1 }, revision),
        ...(await this.#takingNames(document, null)),
        ...(await this.#parts.ownerRequired(owner)),
        this.#parts.noting('added', 'image-build', document, { by, after: shown(document) }),
      ]);
      return outcome.committed ? buildOf(document) : this.#again(outcome.refused, document);
    });
  }

  /**
   * Changes fields of one; with `category` it goes to another of the same owner.
   * @throws BuildError `invalid`, `not-found`, `version-taken`, `os-taken`. @throws StoreError
   */
  async change(
    id: string,
    { category: named, ...said }: JsonObject,
    by: Actor,
    within: Within,
  ): Promise<Build> {
    return untilCommitted(`The build ${id}`, async () => {
      const { document: before, revision } = await this.#stored(id, within);
      const fields = buildFields(said, before);
      const moved = named === undefined ? null : await this.#moving(before, named);
      const category = moved?.to ?? before.category;
      const product = this.#parts.productOf(fields);
      const after = { ...before, ...fields, ...product, category, modifiedAtMs: this.#parts.clock() };
      if (isDeepStrictEqual(shown(after), shown(before))) return buildOf(before);
      const outcome = await this.#parts.store.commit([
        this.#parts.builds.replacing(after, revision),
        ...(moved?.counting ?? []),
        ...(await this.#takingNames(after, before)),
        this.#parts.noting('changed', 'image-build', after, {
          by,
          before: shown(before),
          after: shown(after),
        }),
      ]);
      return outcome.committed ? buildOf(after) : this.#again(outcome.refused, after);
    });
  }

  /** Removes one that has no images. @throws BuildError `not-found`, `has-images`. @throws StoreError */
  async remove(id: string, by: Actor, within: Within): Promise<void> {
    await untilCommitted(`The build ${id}`, async () => {
      const { document, revision } = await this.#stored(id, within);
      const { images, version } = document;
      if (images.length > 0)
        throw new BuildError(
          'has-images',
          'build',
          `one without images: ${version} has ${images.length}; remove them first, or with it`,
        );
      const category = await this.#parts.categories.get(document.category);
      const { committed } = await this.#parts.store.commit([
        this.#parts.builds.deleting(id, revision),
        ...(category === null ? [] : [this.#counted(category, -1)]),
        ...(await this.#parts.givingUp(namesOfBuild(document), document)),
        this.#parts.noting('removed', 'image-build', document, { by, before: shown(document) }),
      ]);
      return committed ? true : undefined;
    });
  }

  async #moving(build: BuildDocument, named: unknown) {
    const to = await this.#category(named, build.owner);
    const from = await this.#parts.categories.get(build.category);
    if (to.document.owner !== build.owner) throw noCategory();
    if (to.document.id === build.category) return null;
    const counting = [this.#counted(to, 1), ...(from === null ? [] : [this.#counted(from, -1)])];
    return { to: to.document.id, counting };
  }

  #counted({ document, revision }: Stored<CategoryDocument>, added: 1 | -1): Change {
    return this.#parts.categories.replacing({ ...document, builds: document.builds + added }, revision);
  }

  async #takingNames(document: BuildDocument, before: BuildDocument | null): Promise<readonly Change[]> {
    const had = before === null ? [] : namesOfBuild(before);
    const has = namesOfBuild(document);
    const left = had.filter((key) => !has.includes(key));
    return [
      ...(await this.#parts.givingUp(left, document)),
      ...has
        .filter((key) => !had.includes(key))
        .map((key) => this.#parts.names.inserting({ id: key, of: document.id })),
    ];
  }

  /** The category that somebody names for a build: one that he may change. @throws BuildError */
  async #category(named: unknown, within: Within): Promise<Stored<CategoryDocument>> {
    if (typeof named !== 'string') throw noCategory();
    const found = await this.categories.find(named, within);
    const stored = found === null ? null : await this.#parts.categories.get(found.id);
    if (stored === null) throw noCategory();
    if (isChangeable(within, stored.document.owner)) return stored;
    throw new BuildError(
      'invalid',
      'category',
      "one of the organization itself: this one is the installation's, shared by all",
    );
  }

  async #stored(id: string, within: Within): Promise<Stored<BuildDocument>> {
    const stored = await this.#parts.builds.get(id);
    if (stored !== null && isChangeable(within, stored.document.owner)) return stored;
    throw noBuild();
  }

  /** @returns undefined where something has moved that may have moved. @throws BuildError */
  #again(refused: Change, { id, category, version, os }: BuildDocument): undefined {
    if (refused.kind !== 'insert') return undefined;
    if (refused.collection === this.#parts.builds.name)
      throw new BuildError('id-taken', 'id', `another: something has the id ${id} already`);
    if (refused.document.id === versionKey(category, version))
      throw new BuildError(
        'version-taken',
        'version',
        `another: the category has a build ${version} already`,
      );
    if (refused.collection === this.#parts.names.name)
      throw new BuildError('os-taken', 'os', `another: there is a build with the os ${os} already`);
    return undefined;
  }
}

const MILLISECOND_DIGITS = 15;

/** When a build was added, as text that sorts as that does. */
export function builtAt({ createdAtMs }: Pick<Build, 'createdAtMs'>): string {
  return String(createdAtMs).padStart(MILLISECOND_DIGITS, '0');
}

/** What the log of events says of a build. */
function shown(build: BuildFields & Pick<Build, 'category'>) {
  const { category, version, os, changelog, productFamily, productModel } = build;
  return { category, version, os, changelog, productFamily, productModel };
}
