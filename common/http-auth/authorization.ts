/** What a request says to prove who sends it (RFC 7617, RFC 7616 3.4). Texts are as they came, in latin1. */
export type Authorization =
  /** Nothing, or by a scheme that is none of ours. */
  | { readonly kind: 'none' }
  /** User name, colon and password as they came; null where they cannot be read. */
  | { readonly kind: 'basic'; readonly credentials: Buffer | null }
  | { readonly kind: 'digest'; readonly fields: DigestFields };

/** The parameters of a Digest answer by their names in small letters, with backslashes as they came. */
export type DigestFields = ReadonlyMap<string, string>;

/** More than user name and password of 256 characters each need, in Basic and whatever they are written in. */
export const AUTHORIZATION_CHARACTERS_MAX = 4_096;
/** Digest has thirteen. */
const FIELDS_MAX = 32;

const NONE: Authorization = { kind: 'none' };
const BASIC = /^ *Basic +([A-Za-z0-9+/_-]+=*) *$/i;
const SCHEME = /^\s*(basic|digest)(?:\s|$)/i;
const FIELD = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/y;
const BETWEEN = /[\s,]*/y;

/**
 * Reads the Authorization header of a request, with the commas that CPEs forget and the quotes that they put or forget anywhere. Of a
 * parameter that comes twice the first counts.
 * @param header  one that is too long says nothing
 */
export function readAuthorization(header: string | undefined): Authorization {
  if (header === undefined || header.length > AUTHORIZATION_CHARACTERS_MAX) return NONE;
  const encoded = BASIC.exec(header)?.[1];
  if (encoded !== undefined) return { kind: 'basic', credentials: Buffer.from(encoded, 'base64') };
  const scheme = SCHEME.exec(header);
  if (scheme === null) return NONE;
  if (scheme[1]?.toLowerCase() === 'basic') return { kind: 'basic', credentials: null };
  return { kind: 'digest', fields: fieldsOf(header, scheme[0].length) };
}

function fieldsOf(header: string, from: number): DigestFields {
  const fields = new Map<string, string>();
  for (let at = from; at < header.length && fields.size < FIELDS_MAX; ) {
    BETWEEN.lastIndex = at;
    at += BETWEEN.exec(header)?.[0].length ?? 0;
    FIELD.lastIndex = at;
    const field = FIELD.exec(header);
    if (field === null) {
      at += 1;
      continue;
    }
    at += field[0].length;
    const [, name = '', quoted, bare = ''] = field;
    const key = name.toLowerCase();
    if (!fields.has(key)) fields.set(key, quoted ?? bare);
  }
  return fields;
}

/** Without the backslashes of a quoted text. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, '$1') : text;
}

/**
 * A text that a client has put in quotes, as which it may be meant: clients that do not know of backslashes send a user name that has
 * one as it is.
 */
export function isMeant(said: string, text: string): boolean {
  return said === text || unescaped(said) === text;
}
