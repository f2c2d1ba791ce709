import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import {
  type AuthScheme,
  type Clock,
  type CpeId,
  clientAddress,
  HttpAuthenticator,
  type Logger,
  MinuteCounts,
  type MonotonicClock,
  Nonces,
  type NonceUse,
  type Secrets,
  SpentNonces,
  type Verdict,
  WrongCredentials,
} from '../../common/index.js';
import type { CpeCredentials, RightCredentials } from '../credentials/cpe-credentials.js';
import type { Caller } from '../credentials/identities.js';
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

export type AuthOutcome = AuthRefusal | { readonly kind: 'admitted'; readonly caller: Caller };

type RightVerdict = Extract<Verdict, { kind: 'right' }>;
type WrongVerdict = Extract<Verdict, { kind: 'wrong' }>;

export interface CpeAuthenticatorParts {
  readonly authentication: CpeAuthentication;
  /** What single CPEs log in with, beside the shared pair. */
  readonly credentials: Pick<CpeCredentials, 'rightFor'>;
  readonly secrets: Pick<Secrets, 'mac'>;
  /** Null: no other process serves the same CPEs. */
  readonly claims: NonceClaims | null;
  readonly trustedProxies: BlockList | null;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

const ANYONE: AuthOutcome = { kind: 'admitted', caller: { kind: 'anyone' } };
const SHARED: AuthOutcome = { kind: 'admitted', caller: { kind: 'shared' } };

const CPE_REALM = 'Ferry CWMP';
/** User names that are no CPE's and are remembered as such, for a minute; the oldest are forgotten first. */
const UNKNOWN_NAMES_MAX = 10_000;
const NONCE_PURPOSE = 'cwmp-digest-nonce';

/**
 * Asks CPEs that begin a session to authenticate, and looks at what they answer (TR-069 3.4.4). Of a session's further requests nobody
 * looks at the answer, so that its count could be given once more by whoever has seen it: for that a nonce begins one session, whatever its
 * count. A CPE that begins the next with it is told that it is stale.
 */
export class CpeAuthenticator {
  readonly #parts: CpeAuthenticatorParts;
  readonly #unknown = new MinuteCounts(UNKNOWN_NAMES_MAX);
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
   * To be asked once for a request: by Digest its answer is spent by that. Waits for nothing but for the store: for what single CPEs log in
   * with, and where a CPE has answered by Digest and other processes could be given the same answer.
   * @throws StoreError
   */
  authenticate(request: IncomingMessage): AuthOutcome | Promise<AuthOutcome> {
    if (this.#asks === null) return ANYONE;
    const verdict = this.#asks.http.check(request);
    switch (verdict.kind) {
      case 'right':
        return this.#admitted(verdict, SHARED);
      case 'wrong':
        return this.#ofOneCpe(request, verdict);
      default:
        return this.#unauthorized(verdict.kind);
    }
  }

  #admitted({ use, scheme }: RightVerdict, outcome: AuthOutcome): AuthOutcome | Promise<AuthOutcome> {
    const { claims } = this.#parts;
    if (use === null || claims === null) {
      this.#count(scheme);
      return outcome;
    }
    return claims.claim(use).then((isTaken) => {
      if (!isTaken) return this.#unauthorized('stale');
      this.#count(scheme);
      return outcome;
    });
  }

  /** Not the shared pair: perhaps what one CPE logs in with. */
  async #ofOneCpe(request: IncomingMessage, wrong: WrongVerdict): Promise<AuthOutcome> {
    const http = this.#asks?.http;
    const username = nameOf(wrong.username);
    const right = await this.#rightFor(username, request);
    for (const password of right?.passwords ?? []) {
      const verdict = http?.check(request, { username, password });
      if (right === null || verdict === undefined || verdict.kind === 'wrong') continue;
      if (verdict.kind !== 'right') return this.#unauthorized(verdict.kind);
      const caller: Caller = {
        kind: 'own',
        cpeid: right.cpeid,
        formerly: right.formerly,
        username,
        password,
        isProven: right.isProven,
      };
      return this.#admitted(verdict, { kind: 'admitted', caller });
    }
    return this.#refused(request, wrong, right?.cpeid ?? cpeOn(request.socket));
  }

  /**
   * An address that is told to wait has a name that is nobody's looked for but once a minute. A name that was never looked for is:
   * behind that address there may be CPEs beside the one that guesses.
   */
  async #rightFor(username: string, request: IncomingMessage): Promise<RightCredentials | null> {
    const { credentials, monotonic, trustedProxies } = this.#parts;
    if (username === '') return null;
    if (
      this.#unknown.get(username, monotonic()) !== null &&
      this.#asks?.wrong.isTold(clientAddress(request, trustedProxies)) === true
    )
      return null;
    const right = await credentials.rightFor(username);
    if (right === null) this.#unknown.open(username, monotonic());
    return right;
  }

  #refused(request: IncomingMessage, { username }: WrongVerdict, cpeid: CpeId | null): AuthOutcome {
    const { trustedProxies } = this.#parts;
    const retryAfterSeconds =
      this.#asks?.wrong.note(
        clientAddress(request, trustedProxies),
        username,
        cpeid === null ? {} : { cpeid },
      ) ?? 0;
    if (retryAfterSeconds === 0) return this.#unauthorized('wrong');
    this.#count('throttled');
    return { kind: 'throttled', retryAfterSeconds };
  }

  /** For one that has logged in, and not as the CPE that its Inform names. */
  asAnother(): AuthRefusal {
    return this.#unauthorized('another');
  }

  #unauthorized(outcome: 'absent' | 'stale' | 'wrong' | 'another'): AuthRefusal {
    this.#count(outcome);
    return { kind: 'unauthorized', challenges: this.#asks?.http.challenges(outcome === 'stale') ?? [] };
  }

  #count(outcome: AuthScheme | 'absent' | 'stale' | 'wrong' | 'another' | 'throttled'): void {
    this.#parts.metrics.authentications.inc(outcome);
  }
}

/** A user name as it is stored: headers have it as UTF-8, a character a byte, and in quotes with backslashes. */
function nameOf(said: string): string {
  return Buffer.from(said.replace(/\\(.)/g, '$1'), 'latin1').toString('utf8');
}
