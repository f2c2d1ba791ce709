// Which images nobody needs any more.
export type { HeldBuild } from './build-retention.js';
export {
  COLLECTED_IMAGES_MAX,
  type Collected,
  type CollectOptions,
  collectImages,
  type ImageUses,
  type KeptBecause,
  type NamedFile,
} from './collect.js';
export { giveUpUnlisted } from './unlisted.js';
