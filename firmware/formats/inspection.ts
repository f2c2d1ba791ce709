import { androidSparse } from './android-sparse.js';
import { fit } from './fit.js';
import { type Finding, type Format, HEAD_BYTES, type ImageFacts, type Reader } from './format.js';
import { fwtoolMetadata } from './fwtool-metadata.js';
import { netgearChk } from './netgear-chk.js';
import { netgearDni } from './netgear-dni.js';
import { seama } from './seama.js';
import { squashfs } from './squashfs.js';
import { sysupgradeTar } from './sysupgrade-tar.js';
import { Tail } from './tail.js';
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

/** Looks into one file while it comes. Holds its first 64 KiB, and its last mebibyte. */
export class Inspection {
  readonly #tail = new Tail();
  /** What is known of the head; null once its reader has begun. */
  #head: Buffer | null = Buffer.alloc(HEAD_BYTES);
  #sizeBytes = 0;
  #reader: Reader | null = null;

  /** The next bytes. None of them is held. */
  update(chunk: Buffer): void {
    const before = this.#sizeBytes;
    this.#sizeBytes += chunk.length;
    this.#tail.add(chunk);
    const taken = this.#head === null ? 0 : chunk.copy(this.#head, before);
    if (this.#head !== null && this.#sizeBytes >= HEAD_BYTES) this.#begin(this.#head);
    if (taken < chunk.length) this.#reader?.update(chunk.subarray(taken));
  }

  /** After the last of them. */
  end(): Inspected {
    if (this.#head !== null) this.#begin(this.#head.subarray(0, this.#sizeBytes));
    const end = { sizeBytes: this.#sizeBytes, ...this.#tail.end() };
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

  #begin(head: Buffer): void {
    this.#head = null;
    this.#reader = FORMATS.find((format) => format.recognises(head))?.begin(head) ?? null;
    this.#reader?.update(head);
  }
}
