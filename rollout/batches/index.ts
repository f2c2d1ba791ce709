/** Batches of upgrades. */
export {
  BATCH_STATES,
  BATCHES,
  type Batch,
  type BatchState,
  type BatchWhat,
  type BatchWhom,
  type Progress,
} from './batch.js';
export {
  BATCH_NAME_CHARACTERS_MAX,
  BatchError,
  type BatchErrorCode,
  type Batches,
  type BatchPlace,
  type NewBatch,
  type NewWhom,
} from './batches.js';
