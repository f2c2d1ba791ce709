import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Longest header value that is looked into. */
const HEADER_CHARACTERS_MAX = 4_096;

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads the parameters behind a scheme: `name="quoted"` or `name=token`, separated by commas (RFC 9110 11.2). */
function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const pattern = /(?<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s,"]+))/g;
  for (const { groups } of text.slice(0, HEADER_CHARACTERS_MAX).matchAll(pattern)) {
    const value = groups?.['quoted']?.replace(/\\(.)/g, '$1') ?? groups?.['token'] ?? '';
    parameters.set((groups?.['name'] ?? '').toLowerCase(), value);
  }
  return parameters;
}

function parseCredentials(header: string | undefined): Challenge | null {
  const match = /^\s*(?<scheme>[A-Za-z]+)\s+(?<rest>.*)$/s.exec(
    header?.slice(0, HEADER_CHARACTERS_MAX) ?? '',
  );
  const { scheme, rest } = match?.groups ?? {};
  if (scheme === undefined || rest === undefined) return null;
  return { scheme: scheme.toLowerCase(), parameters: parseParameters(rest) };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** RFC 7616 3.4.1, with MD5; without qop it is RFC 2069's. */
function digestResponse(options: {
  readonly credentials: Credentials;
  readonly realm: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  readonly qop: { readonly nc: string; readonly cnonce: string } | null;
}): string {
  const { credentials, realm, nonce, method, uri, qop } = options;
  const secret = md5(`${credentials.username}:${realm}:${credentials.password}`);
  const request = md5(`${method}:${uri}`);
  return qop === null
    ? md5(`${secret}:${nonce}:${request}`)
    : md5(`${secret}:${nonce}:${qop.nc}:${qop.cnonce}:auth:${request}`);
}

export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A client's answer to a server's WWW-Authenticate, good for all requests that follow it. */
export interface Authenticator {
  authorization(method: string, uri: string): string;
}

/** What a client may take first of what it is asked for. */
export const AUTH_SCHEMES = ['basic', 'digest'] as const;
export type AuthScheme = (typeof AUTH_SCHEMES)[number];

/**
 * Answers a challenge: Digest (MD5, with or without qop=auth) where it is offered, else Basic; or the other way round.
 * @param headers  the values of WWW-Authenticate, one a challenge
 * @param first  the scheme that is taken where both are offered
 * @returns null where none can be answered
 */
export function answerChallenge(
  headers: readonly string[],
  credentials: Credentials,
  first: AuthScheme = 'digest',
): Authenticator | null {
  const challenges = headers.flatMap((header) => splitChallenges(header)).map(parseCredentials);
  const digest = challenges.find(
    (challenge) =>
      challenge?.scheme === 'digest' &&
      challenge.parameters.has('nonce') &&
      (challenge.parameters.get('algorithm') ?? 'MD5').toUpperCase() === 'MD5',
  );
  const hasBasic = challenges.some((challenge) => challenge?.scheme === 'basic');
  if (digest && !(hasBasic && first === 'basic'))
    return new DigestAuthenticator(digest.parameters, credentials);
  if (!hasBasic) return null;
  const authorization = basicAuthorization(credentials);
  return { authorization: () => authorization };
}

/** One header may hold several challenges: a new one begins where a scheme stands before its first parameter. */
function splitChallenges(header: string): string[] {
  return header.slice(0, HEADER_CHARACTERS_MAX).split(/,\s*(?=(?:Basic|Digest|Bearer|Negotiate)\s)/i);
}

class DigestAuthenticator implements Authenticator {
  readonly #challenge: ReadonlyMap<string, string>;
  readonly #credentials: Credentials;
  #count = 0;

  constructor(challenge: ReadonlyMap<string, string>, credentials: Credentials) {
    this.#challenge = challenge;
    this.#credentials = credentials;
  }

  authorization(method: string, uri: string): string {
    this.#count++;
    const realm = this.#challenge.get('realm') ?? '';
    const nonce = this.#challenge.get('nonce') ?? '';
    const opaque = this.#challenge.get('opaque');
    const hasQop = (this.#challenge.get('qop') ?? '').split(/\s*,\s*/).includes('auth');
    const qop = hasQop
      ? { nc: this.#count.toString(16).padStart(8, '0'), cnonce: randomBytes(8).toString('hex') }
      : null;
    const response = digestResponse({ credentials: this.#credentials, realm, nonce, method, uri, qop });
    const quoted = { username: this.#credentials.username, realm, nonce, uri, response };
    return [
      `Digest ${Object.entries(quoted)
        .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
        .join(', ')}`,
      'algorithm=MD5',
      ...(opaque === undefined ? [] : [`opaque="${opaque.replace(/["\\]/g, '\\$&')}"`]),
      ...(qop === null ? [] : [`qop=auth, nc=${qop.nc}, cnonce="${qop.cnonce}"`]),
    ].join(', ');
  }
}

/** How long a nonce is good for. */
const NONCE_MS_MAX = 5 * 60_000;
/** Nonces whose use is remembered against replay; the oldest are forgotten first. */
const NONCES_MAX = 10_000;

/** The server's side of HTTP Digest (MD5, qop=auth), as TR-069 3.2.2 asks of a CPE for connection requests. */
export class DigestVerifier {
  readonly #realm: string;
  readonly #secret = randomBytes(32);
  /** Highest count seen by nonce. */
  readonly #counts = new Map<string, number>();

  constructor(realm: string) {
    this.#realm = realm;
  }

  /** A value for WWW-Authenticate. */
  challenge(stale = false): string {
    const issued = Date.now().toString(36);
    const nonce = `${issued}.${randomBytes(9).toString('base64url')}`;
    return `Digest realm="${this.#realm}", qop="auth", algorithm=MD5, nonce="${nonce}.${this.#seal(nonce)}"${stale ? ', stale=true' : ''}`;
  }

  #seal(nonce: string): string {
    return createHmac('sha256', this.#secret).update(nonce).digest('base64url').slice(0, 22);
  }

  /** `stale`: the credentials may be right, but the nonce is used up or too old: ask again. */
  verify(
    header: string | undefined,
    request: { readonly method: string; readonly uri: string },
    credentials: Credentials,
  ): 'ok' | 'wrong' | 'stale' {
    const given = parseCredentials(header);
    if (given?.scheme !== 'digest') return 'wrong';
    const value = (name: string): string => given.parameters.get(name) ?? '';
    const nonce = value('nonce');
    if (value('username') !== credentials.username || value('uri') !== request.uri) return 'wrong';
    if (value('qop') !== 'auth' || !/^[0-9a-f]{8}$/i.test(value('nc'))) return 'wrong';
    const expected = digestResponse({
      credentials,
      realm: this.#realm,
      nonce,
      method: request.method,
      uri: request.uri,
      qop: { nc: value('nc'), cnonce: value('cnonce') },
    });
    if (!sameText(value('response'), expected)) return 'wrong';
    return this.#spend(nonce, Number.parseInt(value('nc'), 16)) ? 'ok' : 'stale';
  }

  #spend(nonce: string, count: number): boolean {
    const [issued = '', unique = '', seal = ''] = nonce.split('.');
    if (!sameText(seal, this.#seal(`${issued}.${unique}`))) return false;
    if (Date.now() - Number.parseInt(issued, 36) > NONCE_MS_MAX) return false;
    if (count <= (this.#counts.get(nonce) ?? 0)) return false;
    this.#counts.delete(nonce);
    this.#counts.set(nonce, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= NONCES_MAX) break;
      this.#counts.delete(oldest);
    }
    return true;
  }
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
