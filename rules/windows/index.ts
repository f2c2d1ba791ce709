/** When a rule may run, and the rules that wake their CPEs then. */
export { outsideTimes, type RuleTimes } from './times.js';
export { type OpenRule, openWaking, type Waking } from './waking.js';
export { createWindowClock, type WindowClock } from './window.js';
