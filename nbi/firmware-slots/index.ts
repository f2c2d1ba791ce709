export { firmwareSlotsApi } from './api.js';
export { FIRMWARE_SLOTS_OPTIONS, type FirmwareSlotsOptions } from './parts.js';
export { firmwareSlotsSchemas } from './schemas.js';
