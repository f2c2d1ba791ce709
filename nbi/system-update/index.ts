export { systemUpdateApi } from './api.js';
export type { SystemUpdateParts } from './parts.js';
export { systemUpdateSchemas } from './schemas.js';
