export {
  type ImageType,
  ImageTypes,
  imageTypeIn,
  UPGRADER_VERSIONS,
  type UpgraderVersion,
} from './image-types.js';
