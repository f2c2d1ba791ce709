interface Region {
  readonly from: number;
  readonly until: number;
  readonly take: (bytes: Buffer) => void;
}

/** Hands parts of a file to whoever waits for them while it comes; nothing is held. */
export class Regions {
  readonly #regions: Region[] = [];
  #at = 0;

  /** How much of the file has come. */
  get at(): number {
    return this.#at;
  }

  /** @param until  the first byte that is none of it; what has come already is not given again */
  watch(from: number, until: number, take: (bytes: Buffer) => void): void {
    this.#regions.push({ from, until, take });
  }

  update(chunk: Buffer): void {
    const [start, end] = [this.#at, this.#at + chunk.length];
    this.#at = end;
    for (const { from, until, take } of this.#regions) {
      if (from >= end || until <= start) continue;
      take(chunk.subarray(Math.max(0, from - start), Math.min(chunk.length, until - start)));
    }
  }
}
