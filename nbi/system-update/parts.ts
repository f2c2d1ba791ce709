import type { Device } from '../../acs/index.js';
import type { ImageLibrary, Uploads } from '../../firmware/index.js';
import type { FittingImages, SystemUpdates } from '../../rollout/index.js';
import type { Rules } from '../../rules/index.js';
import { type AddressedDevices, DEVICE_PREFIX } from '../device-apis/index.js';
import {
  type Answers,
  type Exchange,
  failures,
  type KnownOrganizations,
  type Parameter,
  type Places,
  type Reading,
  scopeOf,
} from '../http/index.js';
import type { KindSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';

/** What the API is put together from. */
export interface SystemUpdateParts {
  readonly addressed: AddressedDevices;
  readonly systemUpdates: SystemUpdates;
  readonly fitting: FittingImages;
  readonly images: ImageLibrary;
  readonly uploads: Uploads;
  readonly rules: Rules;
  readonly users: Users;
  /** Of this API alone. */
  readonly sessions: KindSessions;
  readonly organizations: KnownOrganizations;
  readonly reading: Reading;
  /** Of requests that bring content of images. */
  readonly places: Places;
}

export const COMMON_PATH = `${DEVICE_PREFIX}/api/common/1.0` as const;
export const SERVICE_PATH = `${DEVICE_PREFIX}/api/npm.system_update/2.0` as const;

/** Of every path. */
export const DEVICE = {
  name: 'device',
  in: 'path',
  required: true,
  description: 'The cpeid of a CPE, its UUID, or its serial number in lower case.',
  schema: { type: 'string', format: 'device' },
} as const satisfies Parameter;

type Statuses = Parameters<typeof failures> extends [string, ...infer Rest] ? Rest : never;

/** The failures of a call about a device, and those named. */
export function deviceFailures(...statuses: Statuses): Answers {
  return failures('SystemUpdateError', '404', '421', ...statuses);
}

/** The CPE that a request is for, among those that its user sees. @throws ApiError 404, 421 */
export function deviceOf(
  { addressed }: Pick<SystemUpdateParts, 'addressed'>,
  exchange: Pick<Exchange, 'request' | 'parameters' | 'scope'>,
): Promise<Device> {
  return addressed.of(exchange, scopeOf(exchange));
}
