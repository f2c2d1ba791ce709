/** Who gets which firmware when, over the whole fleet: looks rules and CPEs up together, and lets rules do the work. */
export { type CpeExplanation, explainFor } from './explain-for.js';
export { type MatchedCpe, type MatchReport, matchDevices } from './match-devices.js';
