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

export interface HttpAuthenticatorParts {
  /** The user name has no colon. */
  readonly credentials: { readonly username: string; readonly password: string };
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
  readonly #basic: Buffer;
  /** As headers have it: UTF-8, a character a byte. */
  readonly #username: string;
  readonly #secrets: Readonly<Record<DigestAlgorithm, string>>;

  constructor(parts: HttpAuthenticatorParts) {
    const { credentials, realm } = parts;
    this.#parts = parts;
    this.#basic = sha256(Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8'));
    this.#username = bytesOf(credentials.username);
    const known = { username: this.#username, realm, password: bytesOf(credentials.password) };
    this.#secrets = { MD5: digestSecret('MD5', known), 'SHA-256': digestSecret('SHA-256', known) };
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

  /** An answer to a nonce is spent where it is right. */
  check(request: RequestHead): Verdict {
    const authorization = readAuthorization(request.headers.authorization);
    if (authorization.kind === 'none' || !this.#parts.schemes.includes(authorization.kind)) return ABSENT;
    return authorization.kind === 'basic'
      ? this.#checkBasic(authorization)
      : this.#checkDigest(request, authorization.fields);
  }

  #checkBasic({ credentials }: Extract<Authorization, { kind: 'basic' }>): Verdict {
    if (credentials === null) return { kind: 'wrong', username: '' };
    // Digests have one length, so that neither length nor content of what was given shows in the time it takes.
    if (timingSafeEqual(sha256(credentials), this.#basic)) return RIGHT_BY_BASIC;
    const colon = credentials.indexOf(':');
    return { kind: 'wrong', username: credentials.toString('latin1', 0, Math.max(0, colon)) };
  }

  #checkDigest({ method = '', url = '' }: RequestHead, fields: DigestFields): Verdict {
    const username = fields.get('username') ?? '';
    const wrong: Verdict = { kind: 'wrong', username };
    const algorithm = digestAlgorithm(fields.get('algorithm'));
    const qop = qopOf(fields);
    const uri = uriOf(fields.get('uri') ?? '', url);
    if (algorithm === null || qop === undefined || uri === null) return wrong;
    const nonce = fields.get('nonce') ?? '';
    const expected = digestResponse(algorithm, this.#secrets[algorithm], { method, uri, nonce, qop });
    const isRight = isSame((fields.get('response') ?? '').toLowerCase(), expected);
    if (!isRight || !isMeant(username, this.#username)) return wrong;
    const madeAtMs = this.#parts.nonces.madeAtMs(nonce);
    if (madeAtMs === null) return STALE;
    const use = { nonce, madeAtMs, count: qop === null ? null : Number.parseInt(qop.nc, 16) };
    return this.#parts.spent.take(use) ? { kind: 'right', scheme: 'digest', use } : STALE;
  }
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
