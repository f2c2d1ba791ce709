export { type Actor, byCommand, byRuleFile, PROOFS, type Proof } from './actor.js';
export { EVENTS, type EventDocument, SUBJECTS, type SubjectKind } from './event.js';
export { type EventFilter, EventLog, type Happening } from './event-log.js';
export { EventRetention, type EventRetentionParts } from './event-retention.js';
export { masked } from './masking.js';
