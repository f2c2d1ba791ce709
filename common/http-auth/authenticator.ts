import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Authorization,
  type DigestFields,
  isMeant,
  readAuthorization,
  unescaped,
} from './authorization.js';
import { type DigestAlgorithm, digestAlgorithm, digestResponse, digestSecret } from './digest.js';
import type { Nonces } from './nonces.js';
import type { NonceUse, SpentNonces } from './spent-nonces.js';

export type AuthScheme = 'basic' | 'digest';

/** The user name has no colon. */
export interface HttpCredentials {
  readonly username: string;
  readonly password: string;
}

export interface HttpAuthenticatorParts {
  readonly credentials: HttpCredentials;
  /** Of printable ASCII without quotes and backslashes. */
  readonly realm: string;
  readonly schemes: readonly AuthScheme[];
  /**
   * In which order they are asked for; MD5, then SHA-256, unless told. Many clients look at the first Digest challenge only, and
   * whoever can do SHA-256 can do MD5, while most CPEs can do nothing else.
   */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** What follows the realm of Basic, from its comma on; nothing unless told. */
  readonly basicParameters?: string;
  readonly nonces: Nonces;
  readonly spent: SpentNonces;
}

/** The head of a request, as node has it. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { readonly authorization?: string | undefined };
}

/** What the credentials of a request are worth. */
export type Verdict =
  /** `use`: for whoever must see to it that nobody else takes the same answer; null for Basic. */
  | { readonly kind: 'right'; readonly scheme: AuthScheme; readonly use: NonceUse | null }
  /** None, or none of a scheme that is asked for. */
  | { readonly kind: 'absent' }
  /** Right ones, for a nonce that is old, none of ours, or spent (RFC 7616 3.3). */
  | { readonly kind: 'stale' }
  | { readonly kind: 'wrong'; readonly username: string };

const RIGHT_BY_BASIC: Verdict = { kind: 'right', scheme: 'basic', use: null };
const ABSENT: Verdict = { kind: 'absent' };
const STALE: Verdict = { kind: 'stale' };

const ALGORITHMS: readonly DigestAlgorithm[] = ['MD5', 'SHA-256'];
/** Eight digits by the standard; field CPEs write fewer, or more zeros. */
const COUNT = /^[0-9a-f]{1,16}$/i;
const COUNT_MAX = 0xffff_ffff;

/**
 * Asks clients for one user name and password by Digest (MD5 and SHA-256, qop auth and none) and Basic, and looks at what they answer
 * (RFC 7616, 2617, 2069, 7617).
 */
export class HttpAuthenticator {
  readonly #parts: HttpAuthenticatorParts;
  readonly #own: Expected;

  constructor(parts: HttpAuthenticatorParts) {
    this.#parts = parts;
    this.#own = new Expected(parts.credentials, parts.realm);
  }

  /**
   * The values of WWW-Authenticate, one a header line: Digest before Basic, as some clients look at the first line only. All of Digest have
   * one nonce: of clients that mix them up it fits all the same.
   * @param isStale  the credentials were right, and only the nonce was not
   */
  challenges(isStale: boolean): readonly string[] {
    const { realm, schemes, algorithms = ALGORITHMS, basicParameters = '', nonces } = this.#parts;
    const challenges: string[] = [];
    if (schemes.includes('digest')) {
      const rest = `qop="auth", nonce="${nonces.mint()}"${isStale ? ', stale=true' : ''}`;
      for (const algorithm of algorithms) {
        challenges.push(`Digest realm="${realm}", algorithm=${algorithm}, ${rest}`);
      }
    }
    if (schemes.includes('basic')) challenges.push(`Basic realm="${realm}"${basicParameters}`);
    return challenges;
  }

  /**
   * An answer to a nonce is spent where it is right.
   * @param credentials  others than its own, that would be right too
   */
  check(request: RequestHead, credentials?: HttpCredentials): Verdict {
    const expected = credentials === undefined ? this.#own : new Expected(credentials, this.#parts.realm);
    const authorization = readAuthorization(request.headers.authorization);
    if (authorization.kind === 'none' || !this.#parts.schemes.includes(authorization.kind)) return ABSENT;
    return authorization.kind === 'basic'
      ? checkBasic(authorization, expected)
      : this.#checkDigest(request, authorization.fields, expected);
  }

  #checkDigest({ method = '', url = '' }: RequestHead, fields: DigestFields, credentials: Expected): Verdict {
    const username = fields.get('username') ?? '';
    const wrong: Verdict = { kind: 'wrong', username };
    const algorithm = digestAlgorithm(fields.get('algorithm'));
    const qop = qopOf(fields);
    const uri = uriOf(fields.get('uri') ?? '', url);
    if (algorithm === null || qop === undefined || uri === null) return wrong;
    const nonce = fields.get('nonce') ?? '';
    const expected = digestResponse(algorithm, credentials.secret(algorithm), { method, uri, nonce, qop });
    const isRight = isSame((fields.get('response') ?? '').toLowerCase(), expected);
    if (!isRight || !isMeant(username, credentials.username)) return wrong;
    const madeAtMs = this.#parts.nonces.madeAtMs(nonce);
    if (madeAtMs === null) return STALE;
    const use = { nonce, madeAtMs, count: qop === null ? null : Number.parseInt(qop.nc, 16) };
    return this.#parts.spent.take(use) ? { kind: 'right', scheme: 'digest', use } : STALE;
  }
}

/** Credentials as what they come to. */
class Expected {
  /** As headers have it: UTF-8, a character a byte. */
  readonly username: string;
  readonly #credentials: HttpCredentials;
  readonly #realm: string;
  readonly #secrets: Partial<Record<DigestAlgorithm, string>> = {};
  #basic: Buffer | null = null;

  constructor(credentials: HttpCredentials, realm: string) {
    this.username = bytesOf(credentials.username);
    this.#credentials = credentials;
    this.#realm = realm;
  }

  get basic(): Buffer {
    const { username, password } = this.#credentials;
    this.#basic ??= sha256(Buffer.from(`${username}:${password}`, 'utf8'));
    return this.#basic;
  }

  secret(algorithm: DigestAlgorithm): string {
    this.#secrets[algorithm] ??= digestSecret(algorithm, {
      username: this.username,
      realm: this.#realm,
      password: bytesOf(this.#credentials.password),
    });
    return this.#secrets[algorithm];
  }
}

function checkBasic({ credentials }: Extract<Authorization, { kind: 'basic' }>, expected: Expected): Verdict {
  if (credentials === null) return { kind: 'wrong', username: '' };
  // Digests have one length, so that neither length nor content of what was given shows in the time it takes.
  if (timingSafeEqual(sha256(credentials), expected.basic)) return RIGHT_BY_BASIC;
  const colon = credentials.indexOf(':');
  return { kind: 'wrong', username: credentials.toString('latin1', 0, Math.max(0, colon)) };
}

/** @returns null for RFC 2069; undefined for what was not asked for, or has no count */
function qopOf(fields: DigestFields): { name: string; nc: string; cnonce: string } | null | undefined {
  const name = fields.get('qop') ?? '';
  if (name === '') return null;
  const nc = fields.get('nc') ?? '';
  if (name.toLowerCase() !== 'auth' || !COUNT.test(nc) || Number.parseInt(nc, 16) > COUNT_MAX)
    return undefined;
  return { name, nc, cnonce: fields.get('cnonce') ?? '' };
}

/**
 * The `uri` that a client has hashed, where it is the request's: the same, or one of them as an absolute URL and the other as its path, or
 * without the query, which some leave out.
 * @param said  as it stands in the header
 * @param target  of the request line
 * @returns null where it is another's
 */
function uriOf(said: string, target: string): string | null {
  if (said === target) return said;
  const uri = unescaped(said);
  const path = pathOf(uri);
  const asked = pathOf(target);
  return path === asked || path === asked.split('?', 1)[0] ? uri : null;
}

function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function isSame(said: string, expected: string): boolean {
  const given = Buffer.from(said, 'latin1');
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected, 'latin1'));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** A text's UTF-8 as latin1, a character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
