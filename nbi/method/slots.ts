import { ApiError } from '../http/index.js';

/** What is dear enough that only so much of it may be under way. */
export class Slots {
  readonly #what: string;
  readonly #totalMax: number;
  readonly #retryAfterSeconds: number;
  /** How many each user has under way; with none, no entry. */
  readonly #users = new Map<string, number>();
  readonly #perUserMax: number;
  #total = 0;

  /** @param what  in the plural, for the answer to who gets none */
  constructor(options: {
    readonly what: string;
    readonly perUserMax: number;
    readonly totalMax: number;
    readonly retryAfterSeconds: number;
  }) {
    this.#what = options.what;
    this.#perUserMax = options.perUserMax;
    this.#totalMax = options.totalMax;
    this.#retryAfterSeconds = options.retryAfterSeconds;
  }

  /**
   * Does the work where there is room for it.
   * @throws ApiError 429 where the user has too many under way, 503 where all users together have
   */
  async run<T>(user: string, work: () => Promise<T>): Promise<T> {
    const own = this.#users.get(user) ?? 0;
    if (own >= this.#perUserMax) throw this.#refusal(429, `yours, of which ${own} is under way, to end`);
    if (this.#total >= this.#totalMax) throw this.#refusal(503, `one of the ${this.#total} under way to end`);
    this.#users.set(user, own + 1);
    this.#total += 1;
    try {
      return await work();
    } finally {
      const left = (this.#users.get(user) ?? 1) - 1;
      if (left === 0) this.#users.delete(user);
      else this.#users.set(user, left);
      this.#total -= 1;
    }
  }

  #refusal(status: 429 | 503, forWhat: string): ApiError {
    const expected = `fewer ${this.#what} at a time: wait for ${forWhat}`;
    return new ApiError(status, [{ field: '', expected }], {
      'Retry-After': String(this.#retryAfterSeconds),
    });
  }
}
