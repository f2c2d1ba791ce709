/** Upgrades of many CPEs as one thing: made, watched, cancelled and tried again. */
export {
  BATCH_STATES,
  BATCH_THROUGHS,
  BATCHES,
  type Batch,
  type BatchPhase,
  type BatchState,
  type BatchThrough,
  type BatchWhat,
  type BatchWhom,
  type Progress,
} from './batch.js';
export {
  BATCH_NAME_CHARACTERS_MAX,
  BatchError,
  type BatchErrorCode,
  type Batches,
  type BatchFilter,
  type BatchPlace,
  type NewBatch,
  type NewWhom,
  type RetryFilter,
} from './batches.js';
export { batchesOfOrganizations, isOver as isBatchOver } from './belonging.js';
export type { UnderWay } from './cancelling.js';
export { WAKE_PER_SECOND_MAX } from './fields.js';
export { currentIdentity, type NamedCpe, namedCpes } from './named-cpes.js';
export { type BatchesParts, batchesIn, type OpenedBatches, openBatches } from './open-batches.js';
export type { BatchTarget, BuildDevices, BuildTargets } from './targets.js';
export type { Calling } from './waking.js';
