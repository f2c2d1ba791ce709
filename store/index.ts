export * from './collection.js';
export { isDamaged } from './damage.js';
export { isWellFormed } from './document.js';
export { Duty } from './duty.js';
export {
  DUTIES,
  DUTY_AGE_MS_MAX,
  type DutyDocument,
  DutyRecords,
  type DutyReport,
  type DutyState,
} from './duty-records.js';
export * from './files.js';
export {
  type ExclusiveHold,
  type Hold,
  StoreInUseError,
  takeExclusively,
  takeInUse,
  type UseParts,
} from './in-use.js';
export { LEASES, type Lease, type LeaseDocument, type Leases, openLeases } from './lease.js';
export { type LmdbStoreOptions, openLmdbStore } from './lmdb/store.js';
export type { MongoStoreOptions, SharedStore } from './mongo/store.js';
export { openMongoStore } from './open-mongo.js';
export { SeldomDuty } from './seldom-duty.js';
export { Sweep } from './sweep.js';
export { untilCommitted } from './until-committed.js';
