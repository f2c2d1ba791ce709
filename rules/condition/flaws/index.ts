/** What a condition holds that cannot have been meant: told from its text alone. */
export { type ConditionFlaw, type FlawCode, isRefused } from './flaw.js';
export { flawsOf } from './flaws.js';
export { isPlain } from './plain.js';
