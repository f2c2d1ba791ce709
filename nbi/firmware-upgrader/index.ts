export { firmwareUpgraderApi } from './api.js';
export { CSRF_COOKIE, type Page, type PageMaker, SESSION_COOKIE, upgraderSchemas } from './manners/index.js';
export { UPGRADER_OPTIONS, type UpgraderOptions } from './parts.js';
export type { UpgradeParts } from './upgrades/index.js';
