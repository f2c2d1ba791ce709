import { imageIdAt } from './image-id.js';

/** Where the file server has its images: for bearers of a token, and for those with Basic credentials. */
export const TOKEN_PATH = '/t/';
export const FILES_PATH = '/files/';

/** What a request's path asks for; `id` is always fit to be an image's. */
export type FileTarget =
  | { readonly kind: 'token'; readonly token: string; readonly id: string }
  | { readonly kind: 'named'; readonly id: string };

/**
 * Reads the target of a request line. Nothing in it ever becomes part of a path on disk: the last segment must be an image's
 * name, and slashes, dots at the start and NUL, also percent-encoded, are in none; before it the id of an organization may stand.
 * @param target    origin form or absolute form (RFC 9112, 3.2); a query is ignored
 * @param prefixes  paths of the public URLs, for proxies that pass on the whole path; without a slash at the end
 */
export function parseFileTarget(target: string, prefixes: readonly string[]): FileTarget | null {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/, 1);
  for (const prefix of prefixes) {
    if (!path.startsWith(`${prefix}/`)) continue;
    const [, token, image = ''] =
      /^\/t\/([^/]+)\/(.+)$/.exec(path.slice(prefix.length)) ??
      /^\/files\/()(.+)$/.exec(path.slice(prefix.length)) ??
      [];
    const id = imageIdAt(image);
    if (id === null) continue;
    return token ? { kind: 'token', token, id } : { kind: 'named', id };
  }
  return null;
}
