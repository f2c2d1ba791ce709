/** What a 401 asks for (RFC 7616, RFC 7617), in a form that can be answered. Texts are as they came, in latin1. */
export type Challenge = { readonly scheme: 'Basic' } | DigestChallenge;

export interface DigestChallenge {
  readonly scheme: 'Digest';
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly algorithm: DigestAlgorithm;
  /** As the CPE wrote it, to be said back; null where it left it out, which means MD5. */
  readonly algorithmSaid: string | null;
  /** null: RFC 2069, which some still speak, or a `qop` that says nothing. */
  readonly qop: 'auth' | 'auth-int' | null;
  readonly stale: boolean;
}

export type DigestAlgorithm = (typeof ALGORITHMS)[number];

/** From the best to the worst. The plain one goes before -sess, which devices get wrong more often and which protects a reused secret only. */
const ALGORITHMS = ['SHA-512-256', 'SHA-512-256-sess', 'SHA-256', 'SHA-256-sess', 'MD5', 'MD5-sess'] as const;
/** From the best to the worst: of a GET without a body auth-int protects no more than auth, and fewer can do it. */
const QOPS = ['auth', 'auth-int', null] as const;

/** Longer than any real challenge; a device must not make us parse more. */
const CHALLENGE_CHARACTERS_MAX = 4_096;
const OFFERS_MAX = 16;
/** Of what cannot be answered so much is told. */
const TOLD_MAX = 4;
const TOLD_CHARACTERS_MAX = 60;

export interface Offers {
  /** What can be answered, the best first: Digest (TR-069 3.2.2.1 asks for it) by algorithm and qop, then Basic; of equals the first. */
  readonly possible: readonly Challenge[];
  /** What cannot, in a few words each. */
  readonly impossible: readonly string[];
}

/**
 * Reads all that a 401 offers, one challenge a header or several in one (RFC 9110 11.6.1), with the commas and quotes that devices
 * forget.
 * @param headers  values of WWW-Authenticate, unfolded; one that is too long is told of and not read
 */
export function readChallenges(headers: readonly string[]): Offers {
  const possible: Challenge[] = [];
  const impossible: string[] = [];
  for (const header of headers) {
    if (header.length > CHALLENGE_CHARACTERS_MAX) {
      impossible.push(`a challenge of more than ${CHALLENGE_CHARACTERS_MAX} characters`);
      continue;
    }
    for (const offer of splitOffers(header)) {
      if (possible.length + impossible.length >= OFFERS_MAX) break;
      const challenge = understood(offer);
      if (challenge === null) impossible.push(told(offer));
      else possible.push(challenge);
    }
  }
  return { possible: possible.sort((a, b) => rank(a) - rank(b)), impossible: impossible.slice(0, TOLD_MAX) };
}

interface Offer {
  readonly scheme: string;
  readonly fields: Map<string, string>;
}

const FIELD = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/y;
const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const BETWEEN = /[\s,]*/y;

/** A scheme begins a challenge, at the beginning or behind a comma, or wherever it is one of ours: some leave the comma out. */
function splitOffers(header: string): Offer[] {
  const offers: Offer[] = [];
  for (let at = 0; at < header.length; ) {
    const between = matchAt(BETWEEN, header, at)?.[0] ?? '';
    at += between.length;
    const field = matchAt(FIELD, header, at);
    if (field !== null) {
      at += field[0].length;
      const [, name = '', quoted, bare = ''] = field;
      const fields = offers.at(-1)?.fields;
      // The first wins: a device that says something twice must not mix the two.
      if (fields && !fields.has(name.toLowerCase())) {
        fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare);
      }
      continue;
    }
    const token = matchAt(TOKEN, header, at)?.[0];
    if (token === undefined) {
      at += 1;
      continue;
    }
    const begins = offers.length === 0 || between.includes(',') || /^(?:digest|basic)$/i.test(token);
    if (begins) offers.push({ scheme: token, fields: new Map() });
    at += token.length;
  }
  return offers;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function understood({ scheme, fields }: Offer): Challenge | null {
  if (/^basic$/i.test(scheme)) return { scheme: 'Basic' };
  const nonce = fields.get('nonce');
  const algorithmSaid = fields.get('algorithm')?.trim() || null;
  const algorithm = ALGORITHMS.find((known) => bare(known) === bare(algorithmSaid ?? 'MD5'));
  const qop = qopOf(fields.get('qop'));
  if (!/^digest$/i.test(scheme) || nonce === undefined || algorithm === undefined || qop === undefined) {
    return null;
  }
  return {
    scheme: 'Digest',
    realm: fields.get('realm') ?? '',
    nonce,
    opaque: fields.get('opaque') ?? null,
    algorithm,
    algorithmSaid,
    qop,
    stale: /^\s*true\s*$/i.test(fields.get('stale') ?? ''),
  };
}

/** `SHA256` and `sha-512/256` are meant as the names of RFC 7616. */
function bare(algorithm: string): string {
  return algorithm.toLowerCase().replace(/[^a-z\d]/g, '');
}

/** @returns undefined where every qop that is offered is unknown; none is RFC 2069 */
function qopOf(said: string | undefined): (typeof QOPS)[number] | undefined {
  const offered = (said ?? '')
    .split(/[\s,]+/)
    .filter((qop) => qop !== '')
    .map((qop) => qop.toLowerCase());
  if (offered.length === 0) return null;
  return QOPS.find((known) => known !== null && offered.includes(known));
}

function rank(challenge: Challenge): number {
  if (challenge.scheme === 'Basic') return Number.POSITIVE_INFINITY;
  return ALGORITHMS.indexOf(challenge.algorithm) * QOPS.length + QOPS.indexOf(challenge.qop);
}

function told({ scheme, fields }: Offer): string {
  const said = ['algorithm', 'qop']
    .filter((name) => fields.has(name))
    .map((name) => `${name}=${fields.get(name)}`);
  const without = /^digest$/i.test(scheme) && !fields.has('nonce') ? ['without a nonce'] : [];
  const words = [scheme, ...said, ...without].join(' ').replace(/[^\x20-\x7e]/g, '?');
  return words.slice(0, TOLD_CHARACTERS_MAX);
}
