import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import {
  type AuthScheme,
  type Clock,
  clientAddress,
  HttpAuthenticator,
  type Logger,
  type MonotonicClock,
  Nonces,
  type NonceUse,
  type Secrets,
  SpentNonces,
  type Verdict,
  WrongCredentials,
} from '../../common/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { cpeOn } from '../session/sessions.js';

/** How CPEs prove who they are. */
export type CpeAuthentication =
  | { readonly kind: 'anonymous' }
  /** One user name and password shared by the fleet: it keeps strangers out, and does not prove which CPE it is. */
  | {
      readonly kind: 'shared';
      readonly username: string;
      readonly password: string;
      readonly schemes: readonly AuthScheme[];
    };

/** Sees to it that of all processes one takes the answer to a nonce. */
export interface NonceClaims {
  /** @returns false where it has been taken. @throws StoreError */
  claim(use: NonceUse): Promise<boolean>;
}

/** What a request gets that may not begin a session. */
export type AuthRefusal =
  /** @see challenges  the values of WWW-Authenticate, one a header line */
  | { readonly kind: 'unauthorized'; readonly challenges: readonly string[] }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

export interface CpeAuthenticatorParts {
  readonly authentication: CpeAuthentication;
  readonly secrets: Pick<Secrets, 'mac'>;
  /** Null: no other process serves the same CPEs. */
  readonly claims: NonceClaims | null;
  readonly trustedProxies: BlockList | null;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

const CPE_REALM = 'Ferry CWMP';
const NONCE_PURPOSE = 'cwmp-digest-nonce';

/**
 * Asks CPEs that begin a session to authenticate, and looks at what they answer (TR-069 3.4.4). Of a session's further requests nobody
 * looks at the answer, so that its count could be given once more by whoever has seen it: for that a nonce begins one session, whatever its
 * count. A CPE that begins the next with it is told that it is stale.
 */
export class CpeAuthenticator {
  readonly #parts: CpeAuthenticatorParts;
  readonly #asks: { readonly http: HttpAuthenticator; readonly wrong: WrongCredentials } | null;

  constructor(parts: CpeAuthenticatorParts) {
    const { authentication, claims, secrets, clock, monotonic, logger } = parts;
    this.#parts = parts;
    this.#asks = authentication.kind === 'anonymous' ? null : asking(authentication);

    function asking(shared: Extract<CpeAuthentication, { kind: 'shared' }>) {
      // Alone, a process that starts anew does not know which answers the last one took: the nonces of that are none of its own.
      const purpose = claims === null ? `${NONCE_PURPOSE} ${randomUUID()}` : NONCE_PURPOSE;
      const http = new HttpAuthenticator({
        credentials: shared,
        realm: CPE_REALM,
        schemes: shared.schemes,
        nonces: new Nonces({ secrets, purpose, clock }),
        spent: new SpentNonces('one-answer', clock),
      });
      const event = 'cpe.credentials-refused';
      return { http, wrong: new WrongCredentials({ ...shared, event, secrets, monotonic, logger }) };
    }
  }

  /** Whoever comes is let in. */
  get isOpen(): boolean {
    return this.#asks === null;
  }

  /**
   * Waits for nothing but for the store, where a CPE has answered by Digest and other processes could be given the same answer.
   * @returns null where it may begin a session
   * @throws StoreError
   */
  refusal(request: IncomingMessage): AuthRefusal | null | Promise<AuthRefusal | null> {
    if (this.#asks === null) return null;
    const verdict = this.#asks.http.check(request);
    if (verdict.kind !== 'right') return this.#refused(request, verdict);
    const { use, scheme } = verdict;
    const { claims } = this.#parts;
    if (use !== null && claims !== null) {
      return claims.claim(use).then((isTaken) => {
        if (!isTaken) return this.#unauthorized('stale');
        this.#count(scheme);
        return null;
      });
    }
    this.#count(scheme);
    return null;
  }

  #refused(request: IncomingMessage, verdict: Exclude<Verdict, { kind: 'right' }>): AuthRefusal {
    if (verdict.kind !== 'wrong') return this.#unauthorized(verdict.kind);
    const cpeid = cpeOn(request.socket);
    const retryAfterSeconds =
      this.#asks?.wrong.note(
        clientAddress(request, this.#parts.trustedProxies),
        verdict.username,
        cpeid === null ? {} : { cpeid },
      ) ?? 0;
    if (retryAfterSeconds === 0) return this.#unauthorized('wrong');
    this.#count('throttled');
    return { kind: 'throttled', retryAfterSeconds };
  }

  #unauthorized(outcome: 'absent' | 'stale' | 'wrong'): AuthRefusal {
    this.#count(outcome);
    return { kind: 'unauthorized', challenges: this.#asks?.http.challenges(outcome === 'stale') ?? [] };
  }

  #count(outcome: AuthScheme | 'absent' | 'stale' | 'wrong' | 'throttled'): void {
    this.#parts.metrics.authentications.inc(outcome);
  }
}
