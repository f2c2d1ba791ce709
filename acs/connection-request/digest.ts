import { createHash, randomBytes } from 'node:crypto';

/** What a 401 asks for (RFC 7616, RFC 7617). */
export type Challenge =
  | { readonly scheme: 'Basic' }
  | {
      readonly scheme: 'Digest';
      readonly realm: string;
      readonly nonce: string;
      readonly opaque: string | null;
      readonly algorithm: 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess';
      readonly qop: 'auth' | null;
    };

/** Longer than any real challenge; a device must not make us parse more. */
const CHALLENGE_CHARACTERS_MAX = 4_096;

const ALGORITHMS = ['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess'] as const;

/**
 * Picks the challenge to answer out of a WWW-Authenticate header: Digest where it is offered (TR-069 3.2.2 asks for it), else Basic.
 * @returns null where neither is offered in a form we can answer
 */
export function parseChallenge(header: string): Challenge | null {
  if (header.length > CHALLENGE_CHARACTERS_MAX) return null;
  const digest = /(?:^|,)\s*Digest\s+(.*)$/i.exec(header)?.[1];
  if (digest !== undefined) {
    const parsed = parseDigest(digest);
    if (parsed !== null) return parsed;
  }
  return /(?:^|,)\s*Basic\b/i.test(header) ? { scheme: 'Basic' } : null;
}

function parseDigest(text: string): Challenge | null {
  const fields = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(
    /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g,
  )) {
    // The first wins: a second challenge in the same header must not mix with the first.
    if (!fields.has(name.toLowerCase()))
      fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
  }
  const nonce = fields.get('nonce');
  const named = fields.get('algorithm') ?? 'MD5';
  const algorithm = ALGORITHMS.find((known) => known.toLowerCase() === named.toLowerCase());
  const qops = fields
    .get('qop')
    ?.split(',')
    .map((qop) => qop.trim().toLowerCase());
  if (nonce === undefined || algorithm === undefined) return null;
  if (qops !== undefined && !qops.includes('auth')) return null;
  return {
    scheme: 'Digest',
    realm: fields.get('realm') ?? '',
    nonce,
    opaque: fields.get('opaque') ?? null,
    algorithm,
    qop: qops === undefined ? null : 'auth',
  };
}

/**
 * The Authorization header that answers a challenge.
 * @param request  the method and the request target exactly as they go on the wire
 * @param cnonce  fresh for every request; a test passes its own
 */
export function authorize(
  challenge: Challenge,
  credentials: { readonly username: string; readonly password: string },
  request: { readonly method: string; readonly target: string },
  cnonce: string = randomBytes(16).toString('hex'),
): string {
  const { username, password } = credentials;
  if (challenge.scheme === 'Basic') {
    return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  }
  const { realm, nonce, algorithm, qop, opaque } = challenge;
  const hash = (text: string) =>
    createHash(algorithm.startsWith('MD5') ? 'md5' : 'sha256')
      .update(text, 'utf8')
      .digest('hex');
  const secret = hash(`${username}:${realm}:${password}`);
  const ha1 = algorithm.endsWith('-sess') ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const ha2 = hash(`${request.method}:${request.target}`);
  const count = '00000001';
  const response =
    qop === null ? hash(`${ha1}:${nonce}:${ha2}`) : hash(`${ha1}:${nonce}:${count}:${cnonce}:${qop}:${ha2}`);
  const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  return [
    `Digest username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.target)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(qop === null ? [] : [`qop=${qop}`, `nc=${count}`]),
    ...(qop === null && !algorithm.endsWith('-sess') ? [] : [`cnonce="${cnonce}"`]),
    ...(opaque === null ? [] : [`opaque=${quote(opaque)}`]),
  ].join(', ');
}
