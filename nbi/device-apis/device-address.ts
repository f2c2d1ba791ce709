import type { Device } from '../../acs/index.js';
import type { Exchange, Scope } from '../http/index.js';

/**
 * How a request names the CPE that it is for: by the path (`/devices/{cpeid}/api/…`), or by the first label of Host under
 * `--device-domain`, where the path is the device's own (`/api/…`).
 */
export interface DeviceAddress {
  readonly form: 'path' | 'host';
  /** The cpeid, or the label: a UUID, or a serial number in lower case. */
  readonly name: string;
  /** What stands before `/api/…` in hrefs that lead back here: `/devices/{cpeid}` as the client wrote it, or nothing. */
  readonly prefix: string;
}

/** Finds the CPE that a request to the API of a device is for. */
export interface AddressedDevices {
  /**
   * The CPE, among those that are visible to who asks.
   * @throws ApiError 404 (`unknown-device`) where none is; 421 (`ambiguous-device`) where several have the label: it names the form by path
   */
  of(exchange: Pick<Exchange, 'request' | 'parameters'>, scope: Scope): Promise<Device>;
  addressOf(exchange: Pick<Exchange, 'request' | 'parameters'>): DeviceAddress;
}

/** How the paths of a device's API begin; a request by Host is served as one of these (`device-hosts.ts`). */
export const DEVICE_PREFIX = '/devices/{device}';
