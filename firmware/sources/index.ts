export { type OpenSource, openSource } from './open-source.js';
export { SourceError, type SourceErrorCode } from './source-error.js';
export { SOURCE_URL_CHARACTERS_MAX, SourcePolicy } from './source-policy.js';
