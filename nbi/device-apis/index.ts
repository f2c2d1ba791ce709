export { type AddressedDevicesParts, addressedDevices } from './addressed-devices.js';
export { type AddressedDevices, DEVICE_PREFIX, type DeviceAddress } from './device-address.js';
export { deviceHosts } from './device-hosts.js';
