/** Conditions: read, bounded, compiled, and evaluated here or, where only JSONata itself will do, in a process of their own. */
export { type ConditionCompiler, createConditionCompiler } from './compile.js';
export type { Closure, CompiledCondition, ConditionSource, Conjunct, Requirement } from './compiled.js';
export { ConditionError, describeError, errorCode, TooManyStarsError } from './condition-error.js';
export { type FieldsRead, fieldsReadBy } from './fields-read.js';
export { type ConditionFlaw, type FlawCode, isRefused } from './flaws/index.js';
export * from './functions/index.js';
export { loadGuards } from './guards.js';
export * from './isolate/index.js';
export { meets } from './meets.js';
export { hasStars, isReadAnew, listed } from './membership.js';
export { EVALUATION_TIMEOUT_MS } from './parse.js';
export { type Pattern, patternOf } from './pattern.js';
export { reach } from './reach.js';
export { type SourceMap, sourceMapOf } from './source-map.js';
export { conjunctsOf, isSyntaxNode, nodesOf, type SyntaxNode } from './syntax-tree.js';
export { CONDITION_NESTING_MAX, quoteNumericSteps } from './text.js';
