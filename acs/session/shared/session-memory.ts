import type { Revision } from '../../../store/index.js';
import type { OpenSession } from '../session.js';

/** A session as the process that took its last step knows it. */
export interface Remembered {
  readonly id: string;
  /** Where its Inform came from. */
  readonly ip: string;
  /** With what is at hand of its CPE; may be a step ahead of what is stored. */
  readonly session: OpenSession;
  /** What is stored of it: at which revision (null: nothing yet), and for how long. */
  readonly revision: Revision | null;
  readonly storedUntilMs: number;
  /** By then, in time that elapses in this process, its CPE must have spoken again. */
  readonly expiresAtMs: number;
  /** The CPE means to send several requests over one connection, so that closing it says something. */
  readonly keepsAlive: boolean;
}

/** The sessions whose last step this process took, so many at most; those that have been silent for longest are forgotten first. */
export class SessionMemory {
  readonly #countMax: number;
  /** Longest silent first. */
  readonly #byId = new Map<string, Remembered>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get(id: string): Remembered | null {
    return this.#byId.get(id) ?? null;
  }

  /** @returns the one that had to be forgotten for it */
  keep(remembered: Remembered): Remembered | null {
    this.#byId.delete(remembered.id);
    this.#byId.set(remembered.id, remembered);
    if (this.#byId.size <= this.#countMax) return null;
    const [oldest] = this.#byId.values();
    if (oldest === undefined) return null;
    this.#byId.delete(oldest.id);
    return oldest;
  }

  /** @returns whether it was remembered */
  forget(id: string): boolean {
    return this.#byId.delete(id);
  }

  /** How many of them nobody else knows of. */
  countUnstored(): number {
    let count = 0;
    for (const { revision } of this.#byId.values()) if (revision === null) count++;
    return count;
  }

  /** Notes what has been stored of one, without counting it as heard of. */
  stored(id: string, revision: Revision, storedUntilMs: number): void {
    const remembered = this.#byId.get(id);
    if (remembered?.revision === null) this.#byId.set(id, { ...remembered, revision, storedUntilMs });
  }

  /** Forgets those that expire by then, or all. */
  forgetBy(timeMs: number): Remembered[] {
    const forgotten: Remembered[] = [];
    for (const remembered of this.#byId.values()) {
      if (remembered.expiresAtMs <= timeMs) forgotten.push(remembered);
    }
    for (const { id } of forgotten) this.#byId.delete(id);
    return forgotten;
  }
}
