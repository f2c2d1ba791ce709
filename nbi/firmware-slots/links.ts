import type { Request } from 'express';
import type { DeviceAddress } from '../device-apis/index.js';

/** The paths of the API, as its clients write them behind the host. */
export const API_ROOT = '/api';

/** A link, or a few words beside links. */
export type Meta = Readonly<Record<string, string | number | null>>;

/** Makes hrefs that lead back to the same device, however it was named. @param path  as `/firmware/slots` */
export type Href = (path: string) => string;

export function hrefsOf({ prefix }: Pick<DeviceAddress, 'prefix'>): Href {
  return (path) => `${prefix}${API_ROOT}${path}`;
}

/** What stands in the `meta` of an error: where it was, and what is above, as the client wrote the path. */
export function metaOfRequest({ originalUrl }: Pick<Request, 'originalUrl'>): Meta {
  const [written = ''] = originalUrl.split(/[?#]/, 1);
  const href = written.endsWith('/') ? written.slice(0, -1) : written;
  const above = href.slice(0, href.lastIndexOf('/'));
  // Nothing is at `/api/upload` itself.
  const parent = above.endsWith(`${API_ROOT}/upload`) ? above.slice(0, -'/upload'.length) : above;
  return isRoot(href) ? { href, parent: null } : { href, parent };
}

function isRoot(href: string): boolean {
  return href === API_ROOT || (href.endsWith(API_ROOT) && href.split('/').length === ROOT_BY_PATH_SEGMENTS);
}

/** Of `/devices/{device}/api`. */
const ROOT_BY_PATH_SEGMENTS = 4;
