// Which images nobody needs any more.
export {
  COLLECTED_IMAGES_MAX,
  type Collected,
  type CollectOptions,
  collectImages,
  type ImageUses,
  type KeptBecause,
  type NamedFile,
} from './collect.js';
