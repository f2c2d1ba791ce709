export { firmwareUpgraderApi } from './api.js';
export { CSRF_COOKIE, type Page, type PageMaker, SESSION_COOKIE, upgraderSchemas } from './manners/index.js';
export { UPGRADER_OPTIONS, type UpgradeParts, type UpgraderOptions } from './parts.js';
