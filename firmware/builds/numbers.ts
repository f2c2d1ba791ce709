import { createHash, randomInt } from 'node:crypto';
import type { Change, Collection, CollectionDefinition, Document, Store } from '../../store/index.js';

/** What image has a number: given once, and to nothing else ever after, though what had it is gone. */
interface NumberDocument extends Document {
  /** The id of the image. */
  readonly of: string;
}

export const NUMBERS: CollectionDefinition = { name: 'image-numbers', indexes: {} };

/** All have nine digits: they fit the 32 bits that clients have for one, and an answer is as long whichever it has. */
const NUMBER_MIN = 100_000_000;
const NUMBER_MAX = 999_999_999;
const HASH_BYTES = 6;

export type ProductKind = 'family' | 'model';

/**
 * The numbers beside ids and names, for clients that know things by numbers alone.
 *
 * No number is the next after another: whoever counted on would learn how many images other organizations have added. That of an image is
 * drawn by lot; that of a name follows from the name alone, so that whoever asks for it writes nothing, and nobody else's name moves it.
 */
export class Numbers {
  readonly #numbers: Collection<NumberDocument>;

  constructor(store: Store) {
    this.#numbers = store.collection<NumberDocument>(NUMBERS);
  }

  /**
   * A number for an image, and what the commit needs by which it gets it; refused where something else was given the number meanwhile.
   * @param wanted  what an image of this id had elsewhere, or before: it has it again unless something else has
   * @throws StoreError
   */
  async forImage(
    id: string,
    wanted?: number,
  ): Promise<{ readonly number: number; readonly changes: readonly Change[] }> {
    const number = wanted !== undefined && isNumber(wanted) ? wanted : randomInt(NUMBER_MIN, NUMBER_MAX + 1);
    const key = keyOf(number);
    const taken = await this.#numbers.get(key);
    if (taken === null) return { number, changes: [this.#numbers.inserting({ id: key, of: id })] };
    return number === wanted && taken.document.of === id ? { number, changes: [] } : this.forImage(id);
  }

  /** A number that no image was ever given, for one to come: it has it once it is admitted with it. @throws StoreError */
  async free(): Promise<number> {
    const number = randomInt(NUMBER_MIN, NUMBER_MAX + 1);
    return (await this.imageWith(number)) === null ? number : this.free();
  }

  /** The id of the image that was given a number; it may be gone, and another have its id. */
  async imageWith(number: number): Promise<string | null> {
    if (!isNumber(number)) return null;
    return (await this.#numbers.get(keyOf(number)))?.document.of ?? null;
  }

  /** The number of a family or model: always and everywhere the same. Whoever wants to finds two names of one number, so nothing is known by it alone. */
  numberOf(kind: ProductKind, name: string): number {
    const hash = createHash('sha256').update(`${kind}/0/${name}`).digest();
    return NUMBER_MIN + (hash.readUIntBE(0, HASH_BYTES) % (NUMBER_MAX - NUMBER_MIN + 1));
  }
}

function isNumber(number: number): boolean {
  return Number.isInteger(number) && number >= NUMBER_MIN && number <= NUMBER_MAX;
}

function keyOf(number: number): string {
  return `image/${number}`;
}
