export { type DynParts, dynApis } from './apis.js';
export { AUDIT_CSV, auditView } from './audit-storage.js';
export { csvRow } from './csv.js';
export {
  countSelectedDevices,
  type DeviceCounts,
  type DeviceDeletion,
  deleteSelectedDevices,
} from './device-deletion.js';
export { DeviceFilterError, deviceSelection } from './device-selection.js';
export { deviceStorage, deviceView } from './device-storage.js';
export { type FieldFilter, filterFromJson } from './fields.js';
export { EVERY_ID } from './id-pattern.js';
export { idsMeant } from './named-cpes.js';
export { dynSchemas } from './schemas.js';
export { readSelected, type Selection, selectEntries } from './storage.js';
