import type { Request, Response } from 'express';

/**
 * Says where the next page of a list begins. The body keeps its shape: where a page goes on is told by headers (RFC 8288).
 * @param after  what the query is to say as `after`
 */
export function linkNext(request: Request, response: Response, after: string): void {
  const url = new URL(request.originalUrl, 'http://host.invalid');
  // It says where to go on also where the page was asked for by how many come before it.
  url.searchParams.delete('offset');
  url.searchParams.set('after', after);
  response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', after);
}
