import { type JsonBounds, walkJson } from '../../common/index.js';

/** What was read once is walked again as it is. */
const ANY: JsonBounds = {
  depthMax: Number.POSITIVE_INFINITY,
  tokensMax: Number.POSITIVE_INFINITY,
  keysMax: Number.POSITIVE_INFINITY,
};

/** Where the fields of one rule stand in its file. Only made for one that is asked: few are. */
export class FieldPlaces {
  readonly #places = new Map<string, number>();

  /** @param from  where a value begins in what has been read as JSON */
  constructor(bytes: Buffer, from: number) {
    // The way down to where the walk is: a name in an object, a number in an array.
    const path: (string | number)[] = [];
    const places = this.#places;
    walkJson(bytes, from, ANY, {
      begins: (at) => places.set(keyOf(path), at),
      open: (_at, isObject) => path.push(isObject ? '' : 0),
      key: (key) => {
        path[path.length - 1] = key;
      },
      comma: () => {
        const step = path.at(-1);
        if (typeof step === 'number') path[path.length - 1] = step + 1;
      },
      close: () => path.pop(),
      blank: () => {},
    });
  }

  at(path: readonly (string | number)[]): number | null {
    return this.#places.get(keyOf(path)) ?? null;
  }
}

function keyOf(path: readonly (string | number)[]): string {
  return JSON.stringify(path);
}
