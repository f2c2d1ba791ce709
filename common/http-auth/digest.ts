import { createHash } from 'node:crypto';

/** What a server may ask for. SHA-512-256 is not among them: libcurl before 8.23 says so and computes SHA-256. */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

/** @param text  in latin1, a character a byte */
export function digestHash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(HASHES[algorithm]).update(text, 'latin1').digest('hex');
}

/**
 * The algorithm that a client names: `SHA256` is meant as RFC 7616 has it.
 * @param said  undefined means MD5
 * @returns null for one that is not asked for here
 */
export function digestAlgorithm(said: string | undefined): DigestAlgorithm | null {
  switch ((said ?? 'MD5').toLowerCase().replace(/[^a-z\d]/g, '')) {
    case '':
    case 'md5':
      return 'MD5';
    case 'sha256':
      return 'SHA-256';
    default:
      return null;
  }
}

/** What a user name and a password come to in one realm (A1 of RFC 7616, 3.4.2); texts in latin1, a character a byte. */
export function digestSecret(
  algorithm: DigestAlgorithm,
  {
    username,
    realm,
    password,
  }: { readonly username: string; readonly realm: string; readonly password: string },
): string {
  return digestHash(algorithm, `${username}:${realm}:${password}`);
}

/** What a client says besides its name. */
export interface DigestSaid {
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Null: RFC 2069, which has neither count nor nonce of the client's. The count is as it was written. */
  readonly qop: { readonly name: string; readonly nc: string; readonly cnonce: string } | null;
}

/**
 * The `response` of a client that knows the secret (RFC 7616 3.4.1, RFC 2617 3.2.2.1; RFC 2069 2.1.2 where there is no qop).
 * @param secret  {@link digestSecret}
 */
export function digestResponse(
  algorithm: DigestAlgorithm,
  secret: string,
  { method, uri, nonce, qop }: DigestSaid,
): string {
  const request = digestHash(algorithm, `${method}:${uri}`);
  return digestHash(
    algorithm,
    qop === null
      ? `${secret}:${nonce}:${request}`
      : `${secret}:${nonce}:${qop.nc}:${qop.cnonce}:${qop.name}:${request}`,
  );
}
