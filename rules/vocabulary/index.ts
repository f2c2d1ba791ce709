/** The words that all rooms of the rules share: a rule, what is decided with it and why, what can be wrong with it. No other room is below. */
export {
  CONTEXT_FIELDS,
  type ContextField,
  fieldOfParameter,
  modelOf,
  PARAMETER_FIELDS,
  type ParameterField,
  parametersOfField,
} from './context-fields.js';
export { isDecidedImage } from './decided-image.js';
export * from './decision.js';
export * from './explanation.js';
export { createPauses, mapWithPauses, type Pauses } from './pause.js';
export * from './problems.js';
export * from './rule.js';
export {
  askedIdIn,
  isLikeCpeId,
  isPinnedTo,
  isStorable,
  namePinIn,
  namePinsOf,
  organizationOf,
  ownedPinIn,
  ownedPinsOf,
  pinIn,
  pinningBy,
  pinOf,
  ruleIdIn,
  writtenBytesMax,
  writtenId,
} from './rule-id.js';
export * from './rules.js';
export {
  CONDITION_CHARACTERS_MAX,
  CONDITION_OBJECT_BYTES_MAX,
  CONDITION_VALUES_TOGETHER_MAX,
  DEFAULT_DEADLINES,
  DEFAULT_RETRY,
  PASSWORD_KEPT,
  RULE_SCHEMA,
} from './schema.js';
export { isSecretParameter, keptOfSecret } from './secret-parameters.js';
export { ITEMS_SHOWN_MAX, shorten } from './shorten.js';
