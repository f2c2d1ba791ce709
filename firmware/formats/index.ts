export type { Fact, Finding, FormatName, ImageFacts } from './format.js';
export { type Inspected, Inspection } from './inspection.js';
