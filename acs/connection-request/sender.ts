import { type Clock, type CpeId, type Logger, type Secrets, withinTime } from '../../common/index.js';
import { type Device, REQUESTED_MS } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { type AddressPolicy, AddressRefusedError, type PinnedTarget } from './address-policy.js';
import { type BasicUse, basicUse } from './basic.js';
import { type Credentials, call } from './call.js';
import type { CpeConnection } from './connection.js';
import type { Asked, ConnectionRequestOutcome, ConnectionRequests } from './connection-requests.js';
import { SessionWatch } from './session-watch.js';

const BACK_OFF_MS_FIRST = 500;
const BACK_OFF_MS_MAX = 5_000;
/** How often it is looked whether the CPE has come to another process, while an operator waits. */
const LOOK_MS = 1_000;

export interface ConnectionRequestOptions {
  /** For one request, from connecting to the status of the answer. */
  readonly attemptMsMax: number;
  /** For all tries together; then the answer is 504. */
  readonly totalMsMax: number;
  /** So long a CPE that said no, or nothing, may take to come all the same, before that is told or it is called again. */
  readonly comingMsMax: number;
  /** For fleets that were provisioned elsewhere; otherwise each CPE has its own. */
  readonly sharedCredentials: Credentials | null;
  /** Whether a CPE's own password goes in the clear to one that asks for it so. */
  readonly basic: boolean;
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

/** How a call ended; `by` says what showed that it had succeeded. */
type Ending =
  | { readonly code: 200; readonly message: 'OK'; readonly by: 'answer' | 'session' }
  | { readonly code: 404 | 502 | 504; readonly message: string };

const ANSWERED: Ending = { code: 200, message: 'OK', by: 'answer' };
const CAME: Ending = { code: 200, message: 'OK', by: 'session' };
const UNKNOWN: Ending = { code: 404, message: 'No such CPE has ever informed' };

/** What a CPE that asks for it is given. */
interface LogIn {
  readonly credentials: Credentials | null;
  readonly basic: BasicUse;
}

/** Whether a CPE has come since it was called, by its document as it is now. */
type HasCome = (device: Device) => boolean;

/** Asks CPEs over HTTP to start a session (TR-069 3.2.2), with Digest, or with Basic where that is allowed. */
export class HttpConnectionRequests implements ConnectionRequests {
  readonly #parts: ConnectionRequestParts;
  readonly #leaving = new Set<CpeConnection>();

  constructor(parts: ConnectionRequestParts) {
    this.#parts = parts;
  }

  async send(cpeid: CpeId, { only = () => true, noting }: Asked = {}): Promise<ConnectionRequestOutcome> {
    // Stored before the CPE is asked: its session may come before this call returns, and at any process.
    const mark = this.#parts.clock() + REQUESTED_MS;
    let lastInformMsBefore: number | null = null;
    const marked = await this.#parts.devices.change(cpeid, (stored) => {
      if (stored === null || !only(stored.document)) return null;
      lastInformMsBefore = stored.document.lastInformMs;
      const noted = noting?.(stored.document);
      return {
        device: { ...stored.document, requestedUntilMs: mark },
        ...(noted !== undefined && { with: [noted] }),
      };
    });
    // An Inform takes the mark away. Where another call has set its own since, another Inform than the last one must do.
    const hasCome: HasCome = ({ requestedUntilMs, lastInformMs }) =>
      requestedUntilMs === undefined || (requestedUntilMs !== mark && lastInformMs !== lastInformMsBefore);
    const { code, message, ...how } = marked === null ? UNKNOWN : await this.#send(cpeid, null, hasCome);
    this.#parts.metrics.connectionRequests.inc(String(code));
    if (code === 200) this.#parts.logger.info('connection-request.answered', { cpeid, ...how });
    else this.#parts.logger.warn('connection-request.failed', { cpeid, code, message });
    return { cpeid, code, message };
  }

  async wake(cpeid: CpeId, signal: AbortSignal): Promise<ConnectionRequestOutcome> {
    const ending = await this.#send(cpeid, signal, null);
    // Of a whole fleet some never answer; the figures tell, and each on its own would drown the log.
    this.#parts.logger.debug('connection-request.woken', { cpeid, ...ending });
    return { cpeid, code: ending.code, message: ending.message };
  }

  /** @param marked  what shows that the CPE has come; null where only its last Inform can */
  async #send(cpeid: CpeId, stop: AbortSignal | null, marked: HasCome | null): Promise<Ending> {
    const { devices } = this.#parts;
    let hasCome: HasCome = marked ?? (() => false);
    const watch = new SessionWatch({
      look: async () => {
        const device = await devices.get(cpeid);
        return device !== null && hasCome(device);
      },
      listen: (listener) => devices.arrivals.listen(cpeid, listener),
      pollMs: marked === null ? null : LOOK_MS,
      stop,
    });
    try {
      const device = await devices.get(cpeid);
      if (device === null) return UNKNOWN;
      if (marked === null) hasCome = ({ lastInformMs }) => lastInformMs !== device.lastInformMs;
      else if (hasCome(device)) return CAME;
      return await this.#callAt(device, watch);
    } finally {
      watch.close();
    }
  }

  async #callAt(device: Device, watch: SessionWatch): Promise<Ending> {
    if (device.connectionRequestUrl === undefined) {
      return { code: 502, message: 'The CPE has not reported a ConnectionRequestURL' };
    }
    try {
      // A name server may be slow on purpose, and a look-up cannot be broken off.
      const target = await withinTime(
        this.#parts.policy.pin(device.connectionRequestUrl, device.ip),
        this.#parts.options.totalMsMax,
      );
      if (target === null) return { code: 504, message: 'The name of the CPE was not resolved in time' };
      return await this.#untilItComes(target, this.#logIn(device), watch);
    } catch (error) {
      if (!(error instanceof AddressRefusedError)) throw error;
      return { code: 502, message: `Refused to call the CPE: ${error.message}` };
    }
  }

  #logIn(device: Device): LogIn {
    const { sharedCredentials, basic } = this.#parts.options;
    return {
      credentials: sharedCredentials ?? this.#ownCredentials(device),
      basic: basicUse(device, { isShared: sharedCredentials !== null, isAllowed: basic }),
    };
  }

  #ownCredentials(device: Device): Credentials | null {
    if (device.connectionRequestAuth === undefined) return null;
    const { username, sealedPassword } = device.connectionRequestAuth;
    return { username, password: this.#parts.secrets.open(sealedPassword) };
  }

  async #untilItComes(target: PinnedTarget, logIn: LogIn, watch: SessionWatch): Promise<Ending> {
    const { attemptMsMax, totalMsMax, comingMsMax } = this.#parts.options;
    const deadlineMs = performance.now() + totalMsMax;
    const habits = { answersOnSameConnection: true };
    const leftMs = () => deadlineMs - performance.now();
    let backOffMs = BACK_OFF_MS_FIRST;
    let busy: string | null = null;
    for (;;) {
      const outcome = await call({
        target,
        ...logIn,
        attemptMsMax,
        deadlineMs,
        signal: watch.over,
        hasCome: () => watch.hasCome(),
        leaving: this.#leaving,
        habits,
      });
      if (outcome.kind === 'answered') return ANSWERED;
      if (outcome.kind === 'refused') {
        // What has been said is not asked again, but who said it may come.
        if (await watch.hasComeWithin(Math.min(comingMsMax, leftMs()))) return CAME;
        return { code: 502, message: outcome.message };
      }
      // A CPE that said it was busy is not gone, even if the last try ran out of time.
      if (outcome.busy) busy = outcome.message;
      const pauseMs = outcome.heard ? Math.max(backOffMs, comingMsMax) : backOffMs;
      const isLast = watch.over.aborted || pauseMs >= leftMs();
      const waitMs = isLast ? (outcome.heard ? Math.min(comingMsMax, leftMs()) : 0) : pauseMs;
      if (await watch.hasComeWithin(waitMs)) return CAME;
      if (isLast || watch.over.aborted) return { code: 504, message: busy ?? outcome.message };
      backOffMs = Math.min(2 * backOffMs, BACK_OFF_MS_MAX);
    }
  }
}
