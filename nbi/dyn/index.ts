export { type DynParts, dynApis } from './apis.js';
export { deviceStorage } from './device-storage.js';
export { type FieldFilter, filterFromJson } from './fields.js';
export { EVERY_ID } from './id-pattern.js';
export { dynSchemas } from './schemas.js';
export { readSelected, type Selection, selectEntries } from './storage.js';
