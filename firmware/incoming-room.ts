import { INCOMING_IMAGES_MAX, tooMuchOfYours } from './incoming.js';

/** Of what all uploads under way may take, one user's may take so much. */
const SHARE_OF_ONE = 1 / 2;

/** What one upload may take: all that was announced, or as much as is written. */
export interface Claim {
  readonly by: string;
  bytes: number;
}

/** The bytes that uploads of this process may take, counted before they are written, so that any number at once hold to the bound. */
export class IncomingRoom {
  readonly #claims = new Set<Claim>();
  /** Of other processes, and of what was left behind; as it was last looked. */
  #othersBytes = 0;

  begin(by: string): Claim {
    const claim = { by, bytes: 0 };
    this.#claims.add(claim);
    return claim;
  }

  end(claim: Claim): void {
    this.#claims.delete(claim);
  }

  foundOthers(bytes: number): void {
    this.#othersBytes = bytes;
  }

  /**
   * Has an upload take so many bytes in all.
   * @returns false where others have what it would need
   * @throws ImageError `no-space` where other uploads of the same user have it
   */
  extend(claim: Claim, bytes: number, bytesMax: number): boolean {
    const allMax = bytesMax * INCOMING_IMAGES_MAX;
    let [own, all] = [bytes, bytes + this.#othersBytes];
    for (const other of this.#claims) {
      if (other === claim) continue;
      all += other.bytes;
      if (other.by === claim.by) own += other.bytes;
    }
    if (own > allMax * SHARE_OF_ONE) throw tooMuchOfYours(allMax * SHARE_OF_ONE);
    if (all > allMax) return false;
    claim.bytes = bytes;
    return true;
  }
}
