import { ImageError } from '../image-error.js';
import { keyIdOf } from './public-key.js';

/** The file of a signature, with its comments. */
export const SIGNATURE_BYTES_MAX = 4_096;
const ALONE_BYTES = 64;
const KEY_NUMBER_BYTES = 8;
const NUMBERED_BYTES = 2 + KEY_NUMBER_BYTES + ALONE_BYTES;
const COMMENT = 'untrusted comment:';
const TRUSTED_COMMENT = 'trusted comment: ';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HEX = /^[0-9A-Fa-f]{128}$/;
/** As minisign writes it by itself it has tabs. */
const PRINTABLE = /^(?:\t|[^\p{C}\p{Zl}\p{Zp}])*$/u;

export const SIGNATURE_EXPECTED =
  'a signature: the .minisig or .sig file that minisign, usign or signify has made, or the 64 bytes of Ed25519 as they are, in base64 or in hexadecimal';

/** How a signature was made. */
export type SignatureAlgorithm =
  /** Ed25519 over the bytes themselves, by a key without a number. */
  | 'ed25519'
  /** Over the bytes, by a key with a number: usign, signify, and minisign's `Ed`. */
  | 'minisign-legacy'
  /** Over the BLAKE2b-512 of the bytes: minisign's `ED`. */
  | 'minisign';

/** A detached signature, read and not verified. */
export interface Signature {
  readonly algorithm: SignatureAlgorithm;
  /** Which key has made it; null where it does not say. */
  readonly keyId: string | null;
  /** 64 bytes, R and S (RFC 8032). */
  readonly bytes: Buffer;
  /** minisign's comment, which its key has signed together with the signature. */
  readonly trusted?: { readonly comment: string; readonly signature: Buffer };
}

/**
 * Reads a detached signature.
 * @param bytes  the file, or the 64 bytes of the signature alone; at most {@link SIGNATURE_BYTES_MAX}
 * @throws ImageError `bad-signature`
 */
export function parseSignature(bytes: Buffer): Signature {
  if (bytes.length > SIGNATURE_BYTES_MAX) throw bad(`it has more than ${SIGNATURE_BYTES_MAX} bytes`);
  if (bytes.length === ALONE_BYTES) return alone(bytes);
  const text = decoded(bytes);
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  while (lines.at(-1) === '') lines.pop();
  const [first = ''] = lines;
  if (!first.startsWith(COMMENT)) return aloneInText(lines);
  const [, base64 = '', trustedLine, globalBase64] = lines;
  const numbered = bytesOf(base64, NUMBERED_BYTES);
  const kind = numbered.toString('latin1', 0, 2);
  if (kind !== 'Ed' && kind !== 'ED') throw bad('it is of an algorithm that is not known');
  const numberEnd = 2 + KEY_NUMBER_BYTES;
  const signature: Signature = {
    algorithm: kind === 'ED' ? 'minisign' : 'minisign-legacy',
    keyId: keyIdOf(numbered.subarray(2, numberEnd)),
    bytes: numbered.subarray(numberEnd),
  };
  if (lines.length === 2 && kind === 'Ed') return signature;
  if (lines.length !== 4 || trustedLine === undefined || !trustedLine.startsWith(TRUSTED_COMMENT)) {
    throw bad('of minisign it has four lines, the third with the trusted comment');
  }
  const comment = trustedLine.slice(TRUSTED_COMMENT.length);
  if (!PRINTABLE.test(comment)) throw bad('its trusted comment has characters that cannot be shown');
  return { ...signature, trusted: { comment, signature: bytesOf(globalBase64 ?? '', ALONE_BYTES) } };
}

function aloneInText(lines: readonly string[]): Signature {
  const [text = ''] = lines;
  if (lines.length !== 1) throw bad();
  const written = text.trim();
  return alone(HEX.test(written) ? Buffer.from(written, 'hex') : bytesOf(written, ALONE_BYTES));
}

function alone(bytes: Buffer): Signature {
  return { algorithm: 'ed25519', keyId: null, bytes: Buffer.from(bytes) };
}

function bytesOf(base64: string, length: number): Buffer {
  const bytes = BASE64.test(base64) ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (bytes.length !== length) throw bad();
  return bytes;
}

/** Comments are signed as bytes: what is not UTF-8 would come out as something else. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw bad();
  }
}

function bad(found?: string): ImageError {
  return badSignature(`it must be ${SIGNATURE_EXPECTED}${found === undefined ? '' : `; ${found}`}`);
}

/** An image's signature that is none, or not by a key that holds. */
export function badSignature(why: string): ImageError {
  return new ImageError('bad-signature', 'signature', `the signature is refused: ${why}`);
}
