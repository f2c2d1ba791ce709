/** The long runs of blanks of a text, from its beginning to its end, found by where they are. */
export class BlankRuns {
  /** @param edges  begin and end of each */
  constructor(private readonly edges: number[] = []) {}

  add(from: number, to: number): void {
    this.edges.push(from, to);
  }

  /** Those that lie within a stretch of the text, at the cost of a search and of themselves. */
  *within(from: number, to: number): Generator<readonly [from: number, to: number], void> {
    const { edges } = this;
    for (let index = 2 * this.#firstAt(from); index < edges.length; index += 2) {
      const [begin = to, end = to] = [edges[index], edges[index + 1]];
      if (begin >= to) return;
      if (end <= to) yield [begin, end];
    }
  }

  /** How many begin before a byte. */
  #firstAt(byte: number): number {
    let [low, high] = [0, this.edges.length / 2];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.edges[2 * middle] ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
