export {
  type CompiledCondition,
  type ConditionCompiler,
  ConditionError,
  createConditionCompiler,
  describeError,
  EVALUATION_TIMEOUT_MS,
  errorCode,
  holds,
} from './compile.js';
export { loadGuards } from './guards.js';
export { CONDITION_NESTING_MAX } from './text.js';
