import { createHash, randomBytes } from 'node:crypto';
import type { Challenge, DigestAlgorithm } from './challenge.js';

/**
 * The Authorization header that answers a challenge.
 * @param request  the method and the request target exactly as they go on the wire
 * @param cnonce  fresh for every request; a test passes its own
 * @returns a value in latin1: what the CPE said goes back byte by byte, user name and password are UTF-8
 */
export function authorize(
  challenge: Challenge,
  credentials: { readonly username: string; readonly password: string },
  request: { readonly method: string; readonly target: string },
  cnonce: string = randomBytes(16).toString('hex'),
): string {
  const username = bytesOf(credentials.username);
  const password = bytesOf(credentials.password);
  if (challenge.scheme === 'Basic') {
    return `Basic ${Buffer.from(`${username}:${password}`, 'latin1').toString('base64')}`;
  }
  const { realm, nonce, algorithm, algorithmSaid, qop, opaque } = challenge;
  const hash = hasher(algorithm);
  const secret = hash(`${username}:${realm}:${password}`);
  const ha1 = algorithm.endsWith('-sess') ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  // A connection request has no body, and that is what auth-int protects (RFC 7616 3.4.3).
  const body = qop === 'auth-int' ? `:${hash('')}` : '';
  const ha2 = hash(`${request.method}:${request.target}${body}`);
  const count = '00000001';
  const response =
    qop === null ? hash(`${ha1}:${nonce}:${ha2}`) : hash(`${ha1}:${nonce}:${count}:${cnonce}:${qop}:${ha2}`);
  return [
    `Digest username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.target)}`,
    `response="${response}"`,
    `algorithm=${algorithmSaid !== null && /^[\w-]+$/.test(algorithmSaid) ? algorithmSaid : algorithm}`,
    ...(qop === null ? [] : [`qop=${qop}`, `nc=${count}`]),
    ...(qop === null && !algorithm.endsWith('-sess') ? [] : [`cnonce="${cnonce}"`]),
    ...(opaque === null ? [] : [`opaque=${quote(opaque)}`]),
  ].join(', ');
}

/** A text's UTF-8 as latin1, a character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function hasher(algorithm: DigestAlgorithm): (text: string) => string {
  const name = HASHES[algorithm];
  return (text) => createHash(name).update(text, 'latin1').digest('hex');
}

const HASHES: Readonly<Record<DigestAlgorithm, string>> = {
  'SHA-512-256': 'sha512-256',
  'SHA-512-256-sess': 'sha512-256',
  'SHA-256': 'sha256',
  'SHA-256-sess': 'sha256',
  MD5: 'md5',
  'MD5-sess': 'md5',
};

/** Nothing in it ends the header, whoever said it. */
function quote(text: string): string {
  return `"${text.replace(/[\r\n\0]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
