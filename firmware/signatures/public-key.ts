import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ImageError } from '../image-error.js';

/** A public key with whatever comment stands before it. */
export const KEY_TEXT_CHARACTERS_MAX = 4_096;
const KEY_BYTES = 32;
const KEY_NUMBER_BYTES = 8;
/** Of minisign, usign and signify: two letters for the algorithm, the key's number, the key. */
const NUMBERED_KEY_BYTES = 2 + KEY_NUMBER_BYTES + KEY_BYTES;
const ED25519 = 'Ed';
const PEM_START = '-----BEGIN';
const COMMENT = 'untrusted comment:';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const EXPECTED =
  'a public key: the file that minisign, usign or signify has made, or of Ed25519 a PEM (SPKI) or its 32 bytes in base64';

/** A public key, read. */
export interface PublicKey {
  /** `minisign`: with a number, as minisign, usign and signify write it; `ed25519`: the key alone. */
  readonly algorithm: 'minisign' | 'ed25519';
  /**
   * 16 hexadecimal digits: the key's number as minisign prints it, the last byte first; of a key alone the beginning of its SHA-256.
   */
  readonly keyId: string;
  /** The 32 bytes of Ed25519 (RFC 8032), in base64. */
  readonly publicKey: string;
}

/**
 * Reads a public key as it stands in a file or on a command line.
 * @throws ImageError `invalid-key`
 */
export function parsePublicKey(text: string): PublicKey {
  if (text.length > KEY_TEXT_CHARACTERS_MAX) {
    throw invalidKey(`it has more than ${KEY_TEXT_CHARACTERS_MAX} characters`);
  }
  const trimmed = text.trim();
  if (trimmed.startsWith(PEM_START)) return keyAlone(keyOfPem(trimmed));
  const lines = trimmed.split('\n').map((line) => line.trim());
  const written = lines.filter((line) => !line.startsWith(COMMENT));
  const [base64 = ''] = written;
  if (written.length !== 1 || !BASE64.test(base64)) throw invalidKey();
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === KEY_BYTES) return keyAlone(bytes);
  if (bytes.length !== NUMBERED_KEY_BYTES || bytes.toString('latin1', 0, 2) !== ED25519) throw invalidKey();
  return {
    algorithm: 'minisign',
    keyId: keyIdOf(bytes.subarray(2, 2 + KEY_NUMBER_BYTES)),
    publicKey: bytes.subarray(2 + KEY_NUMBER_BYTES).toString('base64'),
  };
}

/** A key's number as minisign prints it: a number of 64 bits whose lowest byte comes first. */
export function keyIdOf(number: Buffer): string {
  return Buffer.from(number).reverse().toString('hex').toUpperCase();
}

/** The same key for node:crypto. */
export function keyObjectOf({ publicKey }: Pick<PublicKey, 'publicKey'>): KeyObject {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function keyAlone(bytes: Buffer): PublicKey {
  const digest = createHash('sha256').update(bytes).digest();
  const keyId = digest.toString('hex', 0, KEY_NUMBER_BYTES).toUpperCase();
  return { algorithm: 'ed25519', keyId, publicKey: bytes.toString('base64') };
}

function keyOfPem(pem: string): Buffer {
  // Of a private key node:crypto would make the public one: it is not to come here.
  if (!pem.startsWith(`${PEM_START} PUBLIC KEY-----`)) throw invalidKey('a PEM must be of a PUBLIC KEY');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: 'pem' });
  } catch {
    throw invalidKey('this PEM cannot be read');
  }
  const { x } = key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }) : {};
  if (x === undefined) throw invalidKey(`this PEM is of ${key.asymmetricKeyType ?? 'something else'}`);
  return Buffer.from(x, 'base64url');
}

function invalidKey(found?: string): ImageError {
  return new ImageError(
    'invalid-key',
    'publicKey',
    `publicKey must be ${EXPECTED}${found === undefined ? '' : `; ${found}`}`,
  );
}
