/** What concerns the whole fleet rather than one session: rules and CPEs are looked at together, and rules do the work. */

export * from './batches/index.js';
export * from './builds/index.js';
export * from './cpe-upgrades/index.js';
export { type CpeExplanation, explainFor } from './explain-for.js';
export { hitAnew } from './hit-anew.js';
export { usesOfImages } from './image-uses.js';
export { knownCpes, type MatchedCpe, type MatchReport, matchDevices } from './match-devices.js';
export * from './operations/index.js';
export * from './restored/index.js';
export { type RuleName, ruleAskedFor, ruleNameOf, rulesAskedFor } from './rule-name.js';
export { type KeptRevision, RuleRevisions, type RuleRevisionsParts } from './rule-revisions.js';
export { rulesMeaning } from './rules-meaning.js';
export * from './slots/index.js';
export * from './system-updates/index.js';
