/** The places for firmware of single CPEs. */
export { isEmptySlot } from './arrange.js';
export {
  type AskedFetch,
  type DeviceSlots,
  type FetchState,
  type Slot,
  type SlotContent,
  SlotError,
  type SlotErrorCode,
  type SlotFailure,
  type SlotFetch,
  type SlotTest,
  type SlotTestOptions,
  type SlotUpgradeOptions,
} from './slot.js';
export { DEVICE_SLOTS, FETCHES_MAX } from './slot-record.js';
export { type DeviceSlotsParts, noEmptySlot, openDeviceSlots } from './slot-store.js';
