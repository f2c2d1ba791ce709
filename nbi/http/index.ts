export { ApiError, invalid, type Problem, runningError, shortJson, toApiError } from './api-error.js';
export { isClientGone } from './client-gone.js';
export { type Dialect, type DynDialect, dynDialect, type MethodAnswer, methodDialect } from './dialect.js';
export {
  isObject,
  type JsonObject,
  parseJson,
  readJson,
  readJsonObject,
  refuseEncoding,
  requireMediaType,
} from './json-body.js';
export { NDJSON, NDJSON_CONTENT_TYPE, prefersNdjson } from './ndjson.js';
export { ArraySplitter, LineSplitter, RecordError, type RecordSplitter } from './records.js';
export { type Exchange, type MountParts, mountRoutes, type Route } from './route.js';
