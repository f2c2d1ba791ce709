import { createHash, type KeyObject, verify as verifyNow } from 'node:crypto';
import type { Readable } from 'node:stream';
import { keyObjectOf, type PublicKey } from './public-key.js';
import { badSignature, type Signature } from './signature.js';

/** What is signed as a whole must be in memory as a whole. */
export const WHOLE_BYTES_MAX = 64 * 1024 * 1024;

/** What a signature is held against. */
export interface SignedContent {
  readonly sizeBytes: number;
  /** From its first byte to its last, once for each call. */
  read(): Readable;
}

/**
 * Finds the key that has made a signature of a content.
 * @param keys  those that hold; only such as the signature can be of are tried
 * @throws ImageError `bad-signature`, saying which of all the reasons it is
 */
export async function keyOf<Key extends PublicKey>(
  signature: Signature,
  keys: readonly Key[],
  content: SignedContent,
): Promise<Key> {
  const candidates = candidatesOf(signature, keys);
  const signed = await signedBytesOf(signature, content);
  for (const key of candidates) {
    if (!(await isBy(key, signed, signature.bytes))) continue;
    if (signature.trusted !== undefined) await checkTrustedComment(signature, key);
    return key;
  }
  throw badSignature(
    signature.keyId === null
      ? 'by none of the keys it is a signature of this content'
      : `by the key ${signature.keyId} it is not a signature of this content`,
  );
}

/**
 * The keys that a signature can be of.
 * @throws ImageError `bad-signature` where there are none
 */
export function candidatesOf<Key extends PublicKey>(
  { algorithm, keyId }: Signature,
  keys: readonly Key[],
): readonly Key[] {
  if (keys.length === 0) {
    throw badSignature('there are no keys by which it could be verified; ferry image key add adds one');
  }
  const found = keys.filter((key) =>
    algorithm === 'ed25519' ? key.algorithm === 'ed25519' : key.keyId === keyId,
  );
  if (found.length > 0) return found;
  throw badSignature(
    keyId === null
      ? 'it names no key, and there is none that is a key of Ed25519 alone; ferry image key add adds one'
      : `it is of the key ${keyId}, which is not among those that hold; ferry image key add adds it`,
  );
}

/** What Ed25519 has been run over: the bytes, or their BLAKE2b-512. */
async function signedBytesOf({ algorithm }: Signature, content: SignedContent): Promise<Buffer> {
  if (algorithm === 'minisign') {
    const hash = createHash('blake2b512');
    for await (const chunk of content.read()) hash.update(chunk);
    return hash.digest();
  }
  if (content.sizeBytes > WHOLE_BYTES_MAX) {
    throw badSignature(
      `it is over the bytes themselves, which is verified of at most ${WHOLE_BYTES_MAX} bytes, and this image has ` +
        `${content.sizeBytes}; sign it with minisign, which signs a hash of it`,
    );
  }
  const whole = Buffer.allocUnsafeSlow(content.sizeBytes);
  let bytes = 0;
  for await (const chunk of content.read()) bytes += (chunk as Buffer).copy(whole, bytes);
  return whole.subarray(0, bytes);
}

/** What stands in the trusted comment is worth as much as the signature only where the same key says so. */
async function checkTrustedComment({ bytes, trusted }: Signature, key: PublicKey): Promise<void> {
  if (trusted === undefined) return;
  const signed = Buffer.concat([bytes, Buffer.from(trusted.comment)]);
  if (!(await isBy(key, signed, trusted.signature))) {
    throw badSignature('its trusted comment is not what was signed');
  }
}

/** Off the event loop: of 64 MiB it takes a tenth of a second and more. */
function isBy(key: PublicKey, signed: Buffer, signature: Buffer): Promise<boolean> {
  const keyObject: KeyObject = keyObjectOf(key);
  return new Promise((resolve, reject) => {
    verifyNow(null, signed, keyObject, signature, (error, isRight) =>
      error === null ? resolve(isRight) : reject(error),
    );
  });
}
