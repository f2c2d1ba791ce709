import { createHash, timingSafeEqual } from 'node:crypto';

/** How CPEs prove who they are. */
export type CpeAuthentication =
  | { readonly kind: 'anonymous' }
  /** One user name and password shared by the fleet: it keeps strangers out, and does not prove which CPE it is. */
  | { readonly kind: 'basic'; readonly username: string; readonly password: string };

const CPE_REALM = 'Ferry CWMP';

/** Asks CPEs to authenticate and checks their Authorization header (TR-069 3.4.4; RFC 7617). */
export class CpeAuthenticator {
  /** The WWW-Authenticate of a 401. */
  readonly challenge = `Basic realm="${CPE_REALM}"`;
  readonly #expected: Buffer | null;

  constructor(authentication: CpeAuthentication) {
    this.#expected =
      authentication.kind === 'anonymous'
        ? null
        : digest(Buffer.from(`${authentication.username}:${authentication.password}`, 'utf8'));
  }

  /** @param authorization  the request's Authorization header */
  isAllowed(authorization: string | undefined): boolean {
    if (this.#expected === null) return true;
    const encoded = /^Basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization ?? '')?.[1];
    if (encoded === undefined) return false;
    // Digests have one length, so that neither length nor content of what was given shows in the time it takes.
    return timingSafeEqual(digest(Buffer.from(encoded, 'base64')), this.#expected);
  }
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
