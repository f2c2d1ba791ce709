import type { Request, Response } from 'express';
import { arrivalOf, findingsOf } from '../http/index.js';

/** The paths of a device's own API, as its clients write them behind the host. */
const OWN_API = /^\/api(?=[/?]|$)/;
/** As `serialLabelOf` and UUIDs have it, once it is in lower case. */
const LABEL = /^[a-z0-9-]{1,63}$/;

/**
 * Takes requests whose host is one below the domain of devices to the API of the device that its first label names: `/api/…` there is
 * `/devices/{label}/api/…`. Nothing else is at such a host: no page of Ferry's, nor any cookie of one, is ever given to a browser there.
 * Whatever else Host says, the request is Ferry's own, and goes where it would go without this.
 * @param domain  in lower case, as `cpe.example.net`
 * @returns whether anything can be at the path of a request; see `MountParts.admits`
 */
export function deviceHosts(domain: string): (request: Request, response: Response) => boolean {
  const ending = `.${domain}`;
  return (request, response) => {
    const host = hostNameOf(arrivalOf(response).host ?? '');
    if (!host.endsWith(ending)) return true;
    const label = host.slice(0, -ending.length);
    if (!LABEL.test(label) || !OWN_API.test(request.url)) return false;
    findingsOf(response).deviceLabel = label;
    request.url = `/devices/${label}${request.url}`;
    return true;
  };
}

/** In lower case, without the port and the dot of the root behind it. */
function hostNameOf(host: string): string {
  const name = host.replace(/:\d{0,5}$/, '').toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
