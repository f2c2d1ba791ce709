import type { ImageLibrary, Uploads } from '../../firmware/index.js';
import type { Organizations } from '../../organizations/index.js';
import type { DeviceSlots } from '../../rollout/index.js';
import type { AddressedDevices } from '../device-apis/index.js';
import type { Places } from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';

/** What of the API of firmware slots can be set. */
export interface FirmwareSlotsOptions {
  /** Whether an upgrade needs a message. */
  readonly requiresCommitLog: boolean;
}

/** As a box has it that nobody has set up otherwise. */
export const FIRMWARE_SLOTS_OPTIONS: FirmwareSlotsOptions = { requiresCommitLog: false };

/** What the API is put together from. */
export interface FirmwareSlotsParts {
  readonly addressed: AddressedDevices;
  readonly deviceSlots: DeviceSlots;
  readonly images: ImageLibrary;
  readonly uploads: Uploads;
  readonly users: Users;
  readonly sessions: UserSessions;
  readonly organizations: Pick<Organizations, 'directory'>;
  /** Of requests that bring content of images. */
  readonly places: Places;
  /** {@link FIRMWARE_SLOTS_OPTIONS} unless told. */
  readonly firmwareSlots?: FirmwareSlotsOptions;
}
