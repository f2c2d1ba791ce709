import { domainToASCII } from 'node:url';

/** URL of Download is string(256) (TR-069 A.3.2.8). */
export const FILE_URL_CHARACTERS_MAX = 256;
/** TR-069 A.3.2.8 names them; which of them a CPE can do its maker knows. */
const SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'sftp', 'tftp']);
const PARTS = /^([a-z]+):\/\/([^/?#]*)([^#]*)(?:#(.*))?$/is;
const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[^:[\]@/\\<>^|%\p{Cc}\p{Z}]+)(:[0-9]{0,5})?$/iu;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[\w\-.~!$&'()*+,;=]+)$/;
/** Whatever may not stand in path, query and fragment as it is (RFC 3986, 3.3 to 3.5), and a % that begins nothing. */
const TO_ENCODE = /%(?![0-9A-Fa-f]{2})|[^\w\-.~:/?@!$&'()*+,;=%]/gu;

export type FileUrl =
  | { readonly kind: 'url'; readonly url: string }
  /** `reason`: as a sentence without a full stop. */
  | { readonly kind: 'unusable'; readonly reason: string };

/**
 * The URL of a file as it goes to a CPE: what RFC 3986 does not allow in it is written as %XX of its UTF-8, and a host beyond ASCII as
 * punycode. Everything else stays as it is, as some servers' URLs do not survive normalisation.
 * @param text  as somebody wrote it
 */
export function fileUrlOf(text: string): FileUrl {
  const [, scheme = '', authority = '', rest = '', fragment] = PARTS.exec(text) ?? [];
  if (!SCHEMES.has(scheme.toLowerCase())) return unusable('it is no http, https, ftp, sftp or tftp URL');
  if (/[\p{Cc}\p{Cs}]|^\p{Z}|\p{Z}$/u.test(text)) {
    return unusable('it holds control characters, half of a surrogate pair, or a blank at its end');
  }
  if (authority.includes('@'))
    return unusable('user and password are fields of their own, "username" and "password"');
  const host = hostOf(authority);
  if (host === null) return unusable('its host is none');
  const behind = fragment === undefined ? '' : `#${encoded(fragment)}`;
  const url = `${scheme}://${host}${encoded(rest)}${behind}`;
  return url.length > FILE_URL_CHARACTERS_MAX
    ? unusable(
        `a CPE takes a URL of at most ${FILE_URL_CHARACTERS_MAX} characters, and written with %XX it has ${url.length}`,
      )
    : { kind: 'url', url };
}

/** The server that a URL names, to compare it with that of another. Empty where it is none. */
export function fileServerOf(url: string): string {
  const [, scheme = '', authority = ''] = PARTS.exec(url) ?? [];
  return scheme === '' ? '' : `${scheme}://${hostOf(authority) ?? authority}`.toLowerCase();
}

/** Stands where something is not shown. */
const NOT_SHOWN = '********';
const QUERY = /\?([^#]*)/;
const NOT_SHOWN_IN_QUERY = /[?&][^#]*\*{8}(?:[&#]|$)/;

/**
 * The URL of a file as it is shown to whom it is not for: whatever its query holds may be a key to the file, so the names of parameters stay
 * and their values do not. What has no query, an image's name too, stays as it is.
 */
export function withoutQueryValues(file: string): string {
  return file.replace(QUERY, (_, query: string) => {
    const parameters = query.split('&').map((parameter) => {
      const at = parameter.indexOf('=');
      return at === -1 ? NOT_SHOWN : `${parameter.slice(0, at)}=${NOT_SHOWN}`;
    });
    return `?${parameters.join('&')}`;
  });
}

/** Whether somebody gives back what {@link withoutQueryValues} has shown them. */
export function lacksQueryValues(file: string): boolean {
  return NOT_SHOWN_IN_QUERY.test(file);
}

/**
 * A replacer for JSON.stringify of what came from outside and is said again in an error, which ends in logs: no password, and of a `file`
 * neither user nor the values of its query.
 */
export function withoutSecrets(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (key === 'password') return NOT_SHOWN;
  return key === 'file' ? withoutQueryValues(value.replace(/\/\/[^/?#]*@/, '//…@')) : value;
}

function hostOf(authority: string): string | null {
  const [, name = '', port = ''] = HOST_AND_PORT.exec(authority) ?? [];
  const host = /^[\x21-\x7e]*$/.test(name) ? name : domainToASCII(name);
  return HOST.test(host) && URL.canParse(`http://${host}${port}/`) ? `${host}${port}` : null;
}

function encoded(text: string): string {
  return text.replace(TO_ENCODE, encodeURIComponent);
}

function unusable(reason: string): FileUrl {
  return { kind: 'unusable', reason };
}
