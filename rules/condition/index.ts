export {
  type ConditionCompiler,
  ConditionError,
  createConditionCompiler,
  describeError,
  EVALUATION_TIMEOUT_MS,
  errorCode,
} from './compile.js';
export type { Closure, CompiledCondition, ConditionSource, Conjunct, Requirement } from './compiled.js';
export { loadGuards } from './guards.js';
export { reach, reaches } from './reach.js';
export { type SourceMap, sourceMapOf } from './source-map.js';
export { conjunctsOf, isSyntaxNode, nodesOf, type SyntaxNode } from './syntax-tree.js';
export { CONDITION_NESTING_MAX, quoteNumericSteps } from './text.js';
