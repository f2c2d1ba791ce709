/** Work that any number wait for, which is told once nobody does any more. */
export class Shared<Outcome> {
  readonly #outcome: Promise<Outcome>;
  readonly #givenUp = new AbortController();
  #waiting = 0;

  /** @param work  begun at once; its signal is aborted when the last who waited has gone */
  constructor(work: (givenUp: AbortSignal) => Promise<Outcome>) {
    this.#outcome = work(this.#givenUp.signal);
    // Where nobody waits, nobody need hear of it.
    this.#outcome.catch(() => {});
  }

  /** Nobody waits for it any more: whoever comes now begins anew. */
  get isGivenUp(): boolean {
    return this.#givenUp.signal.aborted;
  }

  /**
   * Waits for the outcome.
   * @throws what the work throws, or the reason of `over` once that is aborted
   */
  join(over: AbortSignal | undefined): Promise<Outcome> {
    this.#waiting++;
    if (over === undefined) return this.#outcome;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(over.reason);
        this.#waiting--;
        if (this.#waiting === 0) this.#givenUp.abort(over.reason);
      };
      const end = (settle: () => void) => {
        over.removeEventListener('abort', leave);
        settle();
      };
      this.#outcome.then(
        (outcome) => end(() => resolve(outcome)),
        (error) => end(() => reject(error)),
      );
      if (over.aborted) leave();
      else over.addEventListener('abort', leave);
    });
  }
}
