export { type ImageType, ImageTypes, UPGRADER_VERSIONS, type UpgraderVersion } from './image-types.js';
