import type { Request } from 'express';
import { arrivalOf } from '../../http/index.js';

/** The URL of a path, with the scheme and the host by which a request came. */
export function absoluteUrl(request: Pick<Request, 'res'>, path: string): string {
  const { scheme, host } = arrivalOf(request.res);
  return `${scheme}://${host ?? 'localhost'}${path}`;
}

/**
 * A link to another page of the list that was asked for: absolute, with the parameters of the request sorted by name, and none for the
 * first page.
 */
export function pageLink(request: Request, page: number): string {
  const { pathname, searchParams } = new URL(request.originalUrl, 'http://host.invalid');
  searchParams.delete('page');
  if (page > 1) searchParams.set('page', String(page));
  const names = [...new Set(searchParams.keys())].sort();
  const pairs = names.flatMap((name) =>
    searchParams.getAll(name).map((value) => `${encoded(name)}=${encoded(value)}`),
  );
  return absoluteUrl(request, `${pathname}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`);
}

/** As the reference writes it: a space is a plus, and only letters, digits and `_.-~` stand for themselves. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
