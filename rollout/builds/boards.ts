/** Which boards the types of images are for. */
export interface BoardTypes {
  /** The last type that lists a board; null: the board is not known. */
  ofBoard(model: string): { readonly type: string } | null;
  /** Null: the type is not known. */
  get(type: string): { readonly boards: readonly string[] } | null;
}

/** Whether images fit models, which are compared exactly. A type that nobody knows is for the board that it is called by. */
export class Boards {
  readonly #types: BoardTypes;

  constructor(types: BoardTypes) {
    this.#types = types;
  }

  /** Whether a type lists a model, whatever other types do. */
  fits(model: string, type: string): boolean {
    return this.#types.get(type)?.boards.includes(model) ?? type === model;
  }

  /** Whether an image of a type may be given to a CPE: of a known board the last type that lists it is the only one. */
  accepts(model: string | undefined, type: string): 'yes' | 'other-type' | 'other-model' {
    if (model === undefined) return 'other-model';
    const only = this.#types.ofBoard(model);
    if (only !== null) return only.type === type ? 'yes' : 'other-type';
    return this.fits(model, type) ? 'yes' : 'other-model';
  }

  /** Of some types the one for a model: the only one for its board, else the first that lists it; undefined: none is. */
  typeFor(model: string, types: readonly string[]): string | undefined {
    const only = this.#types.ofBoard(model)?.type;
    return only !== undefined && types.includes(only) ? only : types.find((type) => this.fits(model, type));
  }
}
