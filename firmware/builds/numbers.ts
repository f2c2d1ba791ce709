import { createHash, randomInt } from 'node:crypto';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type Document,
  type Store,
  untilCommitted,
} from '../../store/index.js';

/** What has a number: given once, and to nothing else ever after, though what had it is gone. */
interface NumberDocument extends Document {
  /** The id of the image, or the name of the family or model. */
  readonly of: string;
}

export const NUMBERS: CollectionDefinition = { name: 'image-numbers', indexes: {} };

/** All have nine digits: they fit the 32 bits that clients have for one, and an answer is as long whichever it has. */
const NUMBER_MIN = 100_000_000;
const NUMBER_MAX = 999_999_999;
/** Of a million names, one in a thousand finds its first number taken, and none a dozen. */
const CANDIDATES = 12;
const HASH_BYTES = 6;

export type ProductKind = 'family' | 'model';

/**
 * The numbers beside ids and names, for clients that know things by numbers alone.
 *
 * No number is the next after another: whoever counted on would learn how many images other organizations have added. That of an image is
 * drawn by lot; that of a name follows from the name, so that nearly always it is the same in every installation.
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
    const key = keyOf('image', number);
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
    return this.#has('image', number);
  }

  /** The number of a family or model, which it is given where it has none. @throws StoreError */
  numberOf(kind: ProductKind, name: string): Promise<number> {
    return untilCommitted(`The number of the ${kind} ${name}`, async () => {
      const candidates = candidatesOf(kind, name);
      const taken = await this.#numbers.getMany(candidates.map((number) => keyOf(kind, number)));
      // None is ever given back: so a name is found before the first that is free, or nowhere.
      const free = taken.indexOf(null);
      const own = taken.findIndex((each) => each?.document.of === name);
      if (own !== -1) return candidates[own];
      const number = candidates[free];
      if (number === undefined) throw new Error(`No number is free for the ${kind} ${name}`);
      const made = await this.#numbers.insert({ id: keyOf(kind, number), of: name });
      return made === null ? undefined : number;
    });
  }

  /**
   * The number that a family or model has, or would be given now: for answers, which give none. Whoever acts by it has it given by {@link
   * numberOf}.
   * @throws StoreError
   */
  async numberFor(kind: ProductKind, name: string): Promise<number> {
    const candidates = candidatesOf(kind, name);
    const taken = await this.#numbers.getMany(candidates.map((number) => keyOf(kind, number)));
    const own = taken.findIndex((each) => each?.document.of === name);
    const number = candidates[own === -1 ? taken.indexOf(null) : own];
    if (number === undefined) throw new Error(`No number is free for the ${kind} ${name}`);
    return number;
  }

  /** The family or model with a number, whoever has named it; null where there is none. @throws StoreError */
  nameOf(kind: ProductKind, number: number): Promise<string | null> {
    return this.#has(kind, number);
  }

  async #has(kind: 'image' | ProductKind, number: number): Promise<string | null> {
    if (!isNumber(number)) return null;
    return (await this.#numbers.get(keyOf(kind, number)))?.document.of ?? null;
  }
}

function isNumber(number: number): boolean {
  return Number.isInteger(number) && number >= NUMBER_MIN && number <= NUMBER_MAX;
}

function keyOf(kind: 'image' | ProductKind, number: number): string {
  return `${kind}/${number}`;
}

function candidatesOf(kind: ProductKind, name: string): readonly number[] {
  return Array.from({ length: CANDIDATES }, (_, at) => {
    const hash = createHash('sha256').update(`${kind}/${at}/${name}`).digest();
    return NUMBER_MIN + (hash.readUIntBE(0, HASH_BYTES) % (NUMBER_MAX - NUMBER_MIN + 1));
  });
}
