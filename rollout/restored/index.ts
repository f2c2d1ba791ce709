/** What a restore does with batches, whose documents a backup has of different moments. */
export { BatchRecount } from './batch-recount.js';
export { type SettleParts, settleOperations } from './settle-operations.js';
