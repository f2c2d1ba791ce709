/** What becomes of each CPE of a batch, and what all of them come to. */
export { CountTally, countsOf, shareIdsOf } from './counting.js';
export { broughtForward } from './forward.js';
export {
  OPERATION_SHARES,
  OPERATION_STATES,
  OPERATIONS,
  type Operation,
  type OperationCounts,
  type OperationImage,
  type OperationShare,
  type OperationState,
} from './operation.js';
export { imageMeant, operationImageOf, whyNotMeant } from './operation-image.js';
export { OperationLedger, type OperationLedgerParts, type OperationMove } from './operation-ledger.js';
export {
  afterEnd,
  begun,
  cancelAsked,
  failedFor,
  foundAtTarget,
  hasOperationEnded,
  type OperationOf,
  operationIdOf,
  pendingOperation,
  skipped,
  skippedOperation,
  tooLateToCancel,
  waitingAgain,
  whyFailed,
  withdrawn,
} from './operation-life.js';
export { OperationStore } from './operation-store.js';
export type { OperationFilter, OperationPlace, Operations } from './operations.js';
export { isFailure, OPERATION_REASONS, type OperationReason, reasonsOf, wordsOf } from './reasons.js';
