import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Clock,
  type CpeId,
  type Logger,
  MINUTE_MS,
  type Secrets,
  withinTime,
} from '../../common/index.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { type AddressPolicy, AddressRefusedError, type PinnedTarget } from './address-policy.js';
import type { ConnectionRequestOutcome, ConnectionRequests } from './connection-requests.js';
import { authorize, parseChallenge } from './digest.js';

/** How long SendCNR's wish for a session stands. */
export const REQUESTED_MS = 10 * MINUTE_MS;
const ANSWER_BYTES_MAX = 64 * 1024;
const BACK_OFF_MS_FIRST = 500;
const BACK_OFF_MS_MAX = 5_000;
/** Three 401s in a row are a device that will never be content. */
const CHALLENGES_MAX = 2;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface ConnectionRequestOptions {
  /** For one try, from connecting to the last byte of the answer. */
  readonly attemptMsMax: number;
  /** For all tries together; then the answer is 504. */
  readonly totalMsMax: number;
  /** For fleets that were provisioned elsewhere; otherwise each CPE has its own. */
  readonly sharedCredentials: Credentials | null;
}

export interface ConnectionRequestParts {
  readonly devices: DeviceStore;
  readonly secrets: Secrets;
  readonly policy: AddressPolicy;
  readonly options: ConnectionRequestOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

interface Answer {
  readonly status: number;
  readonly challenge: string;
}

type Attempt =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'again'; readonly message: string; readonly busy: boolean };

/** Asks CPEs over HTTP to start a session (TR-069 3.2.2), with Digest or Basic as they demand. */
export class HttpConnectionRequests implements ConnectionRequests {
  readonly #parts: ConnectionRequestParts;

  constructor(parts: ConnectionRequestParts) {
    this.#parts = parts;
  }

  async send(cpeid: CpeId): Promise<ConnectionRequestOutcome> {
    // Stored before the CPE is asked: its session may come before this call returns, and at any process.
    await this.#parts.devices.change(cpeid, (stored) =>
      stored === null
        ? null
        : { device: { ...stored.document, requestedUntilMs: this.#parts.clock() + REQUESTED_MS } },
    );
    const outcome = await this.#send(cpeid, null);
    this.#parts.metrics.connectionRequests.inc(String(outcome.code));
    const { code, message } = outcome;
    if (code === 200) this.#parts.logger.info('connection-request.answered', { cpeid });
    else this.#parts.logger.warn('connection-request.failed', { cpeid, code, message });
    return outcome;
  }

  async wake(cpeid: CpeId, signal: AbortSignal): Promise<ConnectionRequestOutcome> {
    const outcome = await this.#send(cpeid, signal);
    // Of a whole fleet some never answer; the figures tell, and each on its own would drown the log.
    this.#parts.logger.debug('connection-request.woken', { ...outcome });
    return outcome;
  }

  async #send(cpeid: CpeId, signal: AbortSignal | null): Promise<ConnectionRequestOutcome> {
    const device = await this.#parts.devices.get(cpeid);
    if (device === null) return { cpeid, code: 404, message: 'No such CPE has ever informed' };
    if (device.connectionRequestUrl === undefined) {
      return { cpeid, code: 502, message: 'The CPE has not reported a ConnectionRequestURL' };
    }
    try {
      // A name server may be slow on purpose, and a look-up cannot be broken off.
      const target = await withinTime(
        this.#parts.policy.pin(device.connectionRequestUrl, device.ip),
        this.#parts.options.totalMsMax,
      );
      if (target === null)
        return { cpeid, code: 504, message: 'The name of the CPE was not resolved in time' };
      return { cpeid, ...(await this.#untilAnswered(target, this.#credentials(device), signal)) };
    } catch (error) {
      if (!(error instanceof AddressRefusedError)) throw error;
      return { cpeid, code: 502, message: `Refused to call the CPE: ${error.message}` };
    }
  }

  #credentials(device: Device): Credentials | null {
    if (this.#parts.options.sharedCredentials !== null) return this.#parts.options.sharedCredentials;
    if (device.connectionRequestAuth === undefined) return null;
    const { username, sealedPassword } = device.connectionRequestAuth;
    return { username, password: this.#parts.secrets.open(sealedPassword) };
  }

  async #untilAnswered(target: PinnedTarget, credentials: Credentials | null, signal: AbortSignal | null) {
    const deadlineMs = performance.now() + this.#parts.options.totalMsMax;
    let backOffMs = BACK_OFF_MS_FIRST;
    let busy: string | null = null;
    for (;;) {
      const attempt = await this.#attempt(target, credentials, deadlineMs, signal);
      if (attempt.kind === 'answered') return { code: 200, message: 'OK' } as const;
      if (attempt.kind === 'refused') return { code: 502, message: attempt.message } as const;
      if (attempt.busy) busy = attempt.message;
      // A CPE that said it was busy is not gone, even if the last try ran out of time.
      if (signal?.aborted || performance.now() + backOffMs >= deadlineMs)
        return { code: 504, message: busy ?? attempt.message } as const;
      await delay(backOffMs, undefined, signal === null ? {} : { signal }).catch(() => {});
      backOffMs = Math.min(2 * backOffMs, BACK_OFF_MS_MAX);
    }
  }

  async #attempt(
    target: PinnedTarget,
    credentials: Credentials | null,
    deadlineMs: number,
    signal: AbortSignal | null,
  ): Promise<Attempt> {
    let authorization: string | null = null;
    for (let challenges = 0; ; challenges++) {
      let answer: Answer;
      try {
        const timeoutMs = Math.ceil(
          Math.min(this.#parts.options.attemptMsMax, Math.max(1, deadlineMs - performance.now())),
        );
        answer = await get(target, authorization, timeoutMs, signal);
      } catch (error) {
        return { kind: 'again', message: `No answer from the CPE: ${describe(error)}`, busy: false };
      }
      if (answer.status === 200 || answer.status === 204) return { kind: 'answered' };
      if (answer.status === 503)
        return { kind: 'again', message: 'The CPE was busy (503) all the time', busy: true };
      if (answer.status !== 401) {
        return {
          kind: 'refused',
          message: `The CPE answered its connection request with HTTP ${answer.status}`,
        };
      }
      if (challenges >= CHALLENGES_MAX)
        return { kind: 'refused', message: 'The CPE refused the credentials (401)' };
      if (credentials === null) {
        return { kind: 'refused', message: 'The CPE asks for credentials and none have been set on it yet' };
      }
      const challenge = parseChallenge(answer.challenge);
      // A second challenge is only worth an answer where the nonce was what was wrong (RFC 7616 3.3).
      if (challenge === null || (challenges > 0 && !/\bstale\s*=\s*"?true/i.test(answer.challenge))) {
        return { kind: 'refused', message: 'The CPE refused the credentials (401)' };
      }
      authorization = authorize(challenge, credentials, { method: 'GET', target: requestTarget(target.url) });
    }
  }
}

function requestTarget(url: URL): string {
  return url.pathname + url.search;
}

/** One GET to the pinned address. Redirects are not followed: they would lead around the address policy. */
function get(
  target: PinnedTarget,
  authorization: string | null,
  timeoutMs: number,
  stop: AbortSignal | null,
): Promise<Answer> {
  const { url, address } = target;
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.request({
      method: 'GET',
      host: address,
      ...(isIP(url.hostname) === 0 && { servername: url.hostname }),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: requestTarget(url),
      headers: { Host: url.host, ...(authorization !== null && { Authorization: authorization }) },
      agent: false,
      // CPEs have self-signed certificates as a rule, and the request carries nothing that needs their identity.
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    // Not by AbortSignal.any: what it makes of a signal that lives as long as the process is kept as long.
    const breakOff = () => request.destroy(new Error('it was broken off'));
    stop?.addEventListener('abort', breakOff, { once: true });
    request.on('close', () => stop?.removeEventListener('abort', breakOff));
    request.on('error', reject);
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('it wants to speak another protocol'));
    });
    // Whatever way the connection ends without an answer; after one this changes nothing.
    request.on('close', () => reject(new Error('it closed the connection')));
    request.on('response', (response) => {
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > ANSWER_BYTES_MAX) response.destroy(new Error('its answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          challenge: response.headers['www-authenticate'] ?? '',
        }),
      );
    });
    request.end();
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it took too long';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
