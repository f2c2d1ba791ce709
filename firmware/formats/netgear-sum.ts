const HALF_BITS = 16;
const HALF = 0xffff;

/** The sum in Netgear's CHK: one of the bytes, and one of those sums, both of 32 bits and folded to 16. */
export class NetgearSum {
  #bytes = 0;
  #sums = 0;

  add(bytes: Buffer): void {
    let [one, two] = [this.#bytes, this.#sums];
    for (const byte of bytes) {
      one = (one + byte) | 0;
      two = (two + one) | 0;
    }
    this.#bytes = one;
    this.#sums = two;
  }

  get value(): number {
    return ((folded(this.#sums) << HALF_BITS) | folded(this.#bytes)) >>> 0;
  }
}

function folded(sum: number): number {
  const halves = (sum & HALF) + ((sum >>> HALF_BITS) & HALF);
  return (halves + (halves >>> HALF_BITS)) & HALF;
}
