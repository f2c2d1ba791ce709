import { timingSafeEqual } from 'node:crypto';
import { type Clock, isAhead, MINUTE_MS } from '../clock.js';
import { RandomBytes } from '../random-bytes.js';
import type { Secrets } from '../secrets.js';

/** Long enough for a CPE that answers at its leisure, and short for whoever has seen the answer. */
export const NONCE_MS_MAX = 5 * MINUTE_MS;

const TIME_BYTES = 6;
const RANDOM_BYTES = 9;
/** 96 bits: nobody makes one up within its life. */
const SEAL_BYTES = 12;
const SEALED_BYTES = TIME_BYTES + RANDOM_BYTES;
/** Of base64url, without a rest. Short, as CPEs keep them in fields of fixed length. */
const PATTERN = /^[A-Za-z0-9_-]{36}$/;

export interface NoncesParts {
  readonly secrets: Pick<Secrets, 'mac'>;
  /** Whose nonces they are: all that have the master key and the same purpose tell each other's. */
  readonly purpose: string;
  readonly clock: Clock;
}

/** Makes nonces and tells which are its own without keeping any: each says when it was made, under a seal. */
export class Nonces {
  readonly #parts: NoncesParts;
  readonly #random = new RandomBytes();

  constructor(parts: NoncesParts) {
    this.#parts = parts;
  }

  mint(): string {
    const bytes = Buffer.allocUnsafe(SEALED_BYTES);
    bytes.writeUIntBE(Math.max(0, this.#parts.clock()), 0, TIME_BYTES);
    this.#random.take(RANDOM_BYTES).copy(bytes, TIME_BYTES);
    return Buffer.concat([bytes, this.#seal(bytes)]).toString('base64url');
  }

  /** @returns when it was made; null where it is none of ours, or is not good any more */
  madeAtMs(nonce: string): number | null {
    if (!PATTERN.test(nonce)) return null;
    const bytes = Buffer.from(nonce, 'base64url');
    const sealed = bytes.subarray(0, SEALED_BYTES);
    if (!timingSafeEqual(bytes.subarray(SEALED_BYTES), this.#seal(sealed))) return null;
    const madeAtMs = bytes.readUIntBE(0, TIME_BYTES);
    const nowMs = this.#parts.clock();
    return nowMs - madeAtMs >= NONCE_MS_MAX || isAhead(madeAtMs, nowMs) ? null : madeAtMs;
  }

  #seal(bytes: Buffer): Buffer {
    return this.#parts.secrets.mac(this.#parts.purpose, bytes).subarray(0, SEAL_BYTES);
  }
}
