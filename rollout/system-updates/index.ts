export { FittingImages, type FittingImagesParts } from './fitting-images.js';
export {
  type InstalledVersion,
  SYSTEM_UPDATES,
  type SystemUpdate,
  SystemUpdateError,
  type SystemUpdateErrorCode,
  type SystemUpdateState,
} from './system-update.js';
export { SystemUpdates, type SystemUpdatesParts } from './system-updates.js';
