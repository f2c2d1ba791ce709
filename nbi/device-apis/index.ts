export { type AddressedDevices, DEVICE_PREFIX, type DeviceAddress } from './device-address.js';
