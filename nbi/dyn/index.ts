export { deviceStorage } from './device-storage.js';
export { type FieldFilter, filterFromJson } from './fields.js';
export { EVERY_ID } from './id-pattern.js';
export { type DynParts, dynRoutes } from './routes.js';
export { type Selection, selectEntries } from './storage.js';
