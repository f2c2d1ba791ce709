import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AuthScheme,
  type Clock,
  HttpAuthenticator,
  type Logger,
  Nonces,
  type Secrets,
  SpentNonces,
  WrongCredentials,
} from '../common/index.js';
import type { FileAuth } from './download-locator.js';
import type { FileTarget } from './file-path.js';
import { checkFileToken } from './file-token.js';
import type { Image } from './image.js';

export interface FileAccessParts {
  readonly secrets: Pick<Secrets, 'mac'>;
  readonly auth: FileAuth;
  /** How user and password are asked for; Digest, then Basic, unless told. */
  readonly schemes?: readonly AuthScheme[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whether a request may have a file, and where it may, which image: one of the same name but other content may not be its. */
export type Admission =
  | { readonly kind: 'admitted'; readonly to: (image: Pick<Image, 'sha256'>) => boolean }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 404 | 429 };

/**
 * Who may have a file: whoever has its token, or answers for the configured user by Digest or Basic. Who says again what somebody
 * else has said by Digest gets the same file as that one, for some minutes; so nothing is stored of it.
 */
export class FileAccess {
  readonly #parts: FileAccessParts;
  readonly #asks: { readonly http: HttpAuthenticator; readonly wrong: WrongCredentials } | null;

  constructor(parts: FileAccessParts) {
    this.#parts = parts;
    const { auth, secrets, clock, logger } = parts;
    this.#asks =
      auth.kind === 'token'
        ? null
        : {
            http: new HttpAuthenticator({
              credentials: auth,
              realm: 'Ferry',
              schemes: parts.schemes ?? ['digest', 'basic'],
              basicParameters: ', charset="UTF-8"',
              nonces: new Nonces({ secrets, purpose: 'files-digest-nonce', clock }),
              spent: new SpentNonces('each-count', clock),
            }),
            wrong: new WrongCredentials({ ...auth, event: 'files.credentials-refused', secrets, logger }),
          };
  }

  /** @param response  is given the headers that go with a refusal */
  admission(target: FileTarget, request: IncomingMessage, response: ServerResponse): Admission {
    if (target.kind === 'token') return this.#byToken(target, request);
    const status = this.#byCredentials(target.id, request, response);
    return status === null ? { kind: 'admitted', to: () => true } : { kind: 'refused', status };
  }

  #byToken({ id, token }: Extract<FileTarget, { kind: 'token' }>, request: IncomingMessage): Admission {
    const { secrets, clock, logger } = this.#parts;
    const worth = checkFileToken(secrets, token, id, clock());
    if (worth.kind === 'valid') return { kind: 'admitted', to: ({ sha256 }) => worth.isFor(sha256) };
    const { remoteAddress } = request.socket;
    logger.warn('files.token-refused', { image: id, reason: worth.kind, remoteAddress });
    return { kind: 'refused', status: 403 };
  }

  #byCredentials(id: string, request: IncomingMessage, response: ServerResponse): 401 | 404 | 429 | null {
    if (this.#asks === null) return 404;
    const { http, wrong } = this.#asks;
    const verdict = http.check(request);
    if (verdict.kind === 'right') return null;
    if (verdict.kind === 'wrong') {
      const address = request.socket.remoteAddress ?? '';
      const waitSeconds = wrong.note(address, verdict.username, { image: id });
      if (waitSeconds > 0) {
        response.setHeader('Retry-After', waitSeconds);
        response.setHeader('Connection', 'close');
        return 429;
      }
    }
    response.setHeader('WWW-Authenticate', http.challenges(verdict.kind === 'stale'));
    return 401;
  }
}
