import { crc32 } from 'node:zlib';
import { androidSparse } from './android-sparse.js';
import { fit } from './fit.js';
import { type Finding, type Format, HEAD_BYTES, type ImageFacts, type Reader, TAIL_BYTES } from './format.js';
import { fwtoolMetadata } from './fwtool-metadata.js';
import { netgearChk } from './netgear-chk.js';
import { netgearDni } from './netgear-dni.js';
import { seama } from './seama.js';
import { squashfs } from './squashfs.js';
import { sysupgradeTar } from './sysupgrade-tar.js';
import { tplinkSafeloader } from './tplink-safeloader.js';
import { tplinkV1 } from './tplink-v1.js';
import { trx } from './trx.js';
import { uimage } from './uimage.js';

/** The surest first: what is known by a word somewhere in the head comes last. */
const FORMATS: readonly Format[] = [
  uimage,
  fit,
  trx,
  seama,
  netgearChk,
  squashfs,
  androidSparse,
  tplinkV1,
  sysupgradeTar,
  netgearDni,
  tplinkSafeloader,
];

/** What was found in a file. */
export interface Inspected {
  /** By its formats, the one that says most first; empty: it is none that is known. */
  readonly findings: readonly Finding[];
  /** What they say together. */
  readonly facts: ImageFacts;
  readonly broken: readonly string[];
  /** What was not read or not checked, as it is more than is read of a file. */
  readonly unread: readonly string[];
}

/** Looks into one file while it comes. Holds its first 64 KiB, and of its end a mebibyte and one chunk. */
export class Inspection {
  readonly #tail: Buffer[] = [];
  #tailBytes = 0;
  #crcBeforeTail = 0;
  #head: Buffer[] | null = [];
  #sizeBytes = 0;
  #reader: Reader | null = null;

  /** The next bytes. They are kept for a while, and must stay as they are. */
  update(chunk: Buffer): void {
    this.#sizeBytes += chunk.length;
    this.#keepTail(chunk);
    if (this.#head === null) {
      this.#reader?.update(chunk);
      return;
    }
    this.#head.push(chunk);
    if (this.#sizeBytes >= HEAD_BYTES) this.#begin();
  }

  /** After the last of them. */
  end(): Inspected {
    if (this.#head !== null) this.#begin();
    const tail = Buffer.concat(this.#tail);
    const end = { sizeBytes: this.#sizeBytes, tail, crcBeforeTail: this.#crcBeforeTail };
    const findings = [fwtoolMetadata(end), this.#reader?.end(end) ?? null].filter(
      (finding) => finding !== null,
    );
    return {
      findings,
      facts: Object.assign({}, ...findings.map(({ facts }) => facts).reverse()),
      broken: findings.flatMap(({ broken }) => broken),
      unread: findings.flatMap(({ unread = [] }) => unread),
    };
  }

  #begin(): void {
    const head = Buffer.concat(this.#head ?? []);
    this.#head = null;
    const known = head.subarray(0, HEAD_BYTES);
    this.#reader = FORMATS.find((format) => format.recognises(known))?.begin(known) ?? null;
    this.#reader?.update(head);
  }

  #keepTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (let first = this.#tail[0]; first !== undefined; first = this.#tail[0]) {
      if (this.#tailBytes - first.length < TAIL_BYTES) return;
      this.#tail.shift();
      this.#tailBytes -= first.length;
      this.#crcBeforeTail = crc32(first, this.#crcBeforeTail);
    }
  }
}
