import type { Document } from '../../store/index.js';
import { BUILDS, type BuildDocument } from './build.js';
import { CATEGORIES, type CategoryDocument } from './category.js';
import { nameOfCategory, namesOfBuild, type TakenName } from './taken-names.js';

/**
 * How many builds each category has, and what names are taken, by the categories and builds themselves. A backup that was taken beside a
 * running server reads these one after the other, and a build that is counted and not there would keep its category from going for ever.
 */
export class BuildRecount {
  /** By id the name that it takes. */
  readonly #categories = new Map<string, string>();
  readonly #builds = new Map<string, { readonly category: string; readonly names: readonly string[] }>();

  /** To be told of every document of a backup. */
  note(collection: string, document: Document): void {
    if (collection === CATEGORIES.name)
      this.#categories.set(document.id, nameOfCategory(document as CategoryDocument));
    if (collection !== BUILDS.name) return;
    const build = document as BuildDocument;
    this.#builds.set(build.id, { category: build.category, names: namesOfBuild(build) });
  }

  /** Puts a category's count right, once every document has been noted; others stay as they are. */
  corrector(): (collection: string, document: Document) => Document {
    const counts = new Map<string, number>();
    for (const { category } of this.#builds.values()) counts.set(category, (counts.get(category) ?? 0) + 1);
    return (collection, document) => {
      if (collection !== CATEGORIES.name) return document;
      const counted = { ...document, builds: counts.get(document.id) ?? 0 };
      return counted;
    };
  }

  /** To be stored in the place of all that the backup has. Of two that want one name, as after a change in between, one has it. */
  names(): readonly TakenName[] {
    const taken = new Map<string, string>();
    for (const [id, name] of this.#categories) taken.set(name, id);
    for (const [id, { names }] of this.#builds) for (const name of names) taken.set(name, id);
    return [...taken].map(([id, of]) => ({ id, of }));
  }
}
