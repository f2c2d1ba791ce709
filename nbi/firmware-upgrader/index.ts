export { firmwareUpgraderApi } from './api.js';
export { type Page, type PageMaker, upgraderSchemas } from './manners/index.js';
export { UPGRADER_OPTIONS, type UpgradeParts, type UpgraderOptions } from './parts.js';
