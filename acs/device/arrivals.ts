import type { CpeId } from '../../common/index.js';

/** Tells those in this process who wait for a CPE that it has informed. What an Inform changed stands in the store by then. */
export class Arrivals {
  readonly #listeners = new Map<CpeId, Set<() => void>>();

  /** @returns how to stop listening */
  listen(cpeid: CpeId, listener: () => void): () => void {
    const listeners = this.#listeners.get(cpeid) ?? new Set();
    this.#listeners.set(cpeid, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(cpeid) === listeners) this.#listeners.delete(cpeid);
    };
  }

  /** The CPE has informed. */
  announce(cpeid: CpeId): void {
    for (const listener of this.#listeners.get(cpeid) ?? []) listener();
  }
}
