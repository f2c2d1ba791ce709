import type { CpeId } from '../../common/index.js';
import type { Change } from '../../store/index.js';
import type { Device } from '../device/device.js';

/** How a connection request ended, in the NBI's codes. */
export interface ConnectionRequestOutcome {
  readonly cpeid: CpeId;
  /** 200 the CPE consented or came; 404 no such CPE; 502 refused (credentials, address, answer); 504 neither an answer nor a session in time. */
  readonly code: 200 | 404 | 502 | 504;
  readonly message: string;
}

/** What is said of a connection request beside whom it is for. */
export interface Asked {
  /** A CPE of which it is false by what is stored of it then counts as none that is known. It does not act, as it may be asked again. */
  readonly only?: (device: Device) => boolean;
  /** Goes into the commit that marks the CPE. */
  readonly noting?: (device: Device) => Change;
}

export interface ConnectionRequests {
  /**
   * Marks the CPE "requested" (its next session within ten minutes considers rules that are not automatic too), then asks it to
   * start a session (TR-069 3.2.2), until it consents or comes. A 503 means busy, and that and silence are asked again with back-off
   * until the time is up; any other answer is final.
   */
  send(cpeid: CpeId, asked?: Asked): Promise<ConnectionRequestOutcome>;
  /**
   * Only asks the CPE to start a session, for rules that run of their own accord: nobody requested it.
   * @param signal  breaks it off; it then ends as 504
   */
  wake(cpeid: CpeId, signal: AbortSignal): Promise<ConnectionRequestOutcome>;
}
