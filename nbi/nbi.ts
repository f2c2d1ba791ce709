import type { BlockList } from 'node:net';
import express, { type Express } from 'express';
import type { Logger } from '../common/index.js';
import { type ApiParts, nbiApis } from './apis.js';
import { deviceHosts } from './device-apis/index.js';
import { type Api, type MountParts, mountApis } from './http/index.js';

export interface NbiParts extends ApiParts {
  readonly logger: Logger;
  /** Proxies in front whose X-Forwarded-For, -Proto and -Host are believed, so that clients are counted and not proxies; null: none. */
  readonly trustedProxies: BlockList | null;
  /** Below which domain each CPE has a host for its API; null or absent: by path alone. */
  readonly deviceDomain?: string | null;
  /** Told of requests that pages of other sites have sent. */
  readonly noteOtherSite?: NonNullable<MountParts['noteOtherSite']>;
}

/** The northbound side as an express application, to be handed to `createNbiServer`. */
export function createNbi(parts: NbiParts, apis: readonly Api[] = nbiApis(parts)): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.use((_request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
  const { deviceDomain = null } = parts;
  mountApis(app, apis, {
    ...parts,
    organizations: parts.organizations.directory,
    ...(deviceDomain !== null && { admits: deviceHosts(deviceDomain) }),
  });
  return app;
}

/** Answers are data for scripts: nothing a browser should keep, guess the type of, or run. */
const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;
