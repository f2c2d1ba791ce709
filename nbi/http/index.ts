export { actorOf } from './actor-of.js';
export { answerSchemas } from './answer-schemas.js';
export { type Answer, type Answers, failures, jsonAnswer, openFailures, ref } from './answers.js';
export type { Api } from './api.js';
export { type ApiCookie, clearedApiCookie, givenApiCookie } from './api-cookies.js';
export {
  ApiError,
  invalid,
  noSuchRules,
  type Problem,
  runningError,
  shortJson,
  toApiError,
  upgradingError,
} from './api-error.js';
export {
  type ApiSessionManners,
  type ApiSessions,
  apiSessionAuthentication,
} from './api-session-authentication.js';
export { type Authentication, type AuthenticationMethod, anyOf, type Demand } from './authentication.js';
export { basicAuthentication, basicCredentials } from './basic-authentication.js';
export { bearerAuthentication } from './bearer-authentication.js';
export { type Announced, announcedBody, type BodyKind, type BodySource } from './bodies/body-kind.js';
export { chunksOf } from './bodies/chunks.js';
export { fileBody } from './bodies/file-body.js';
export { type FileForm, FORM_BYTES_MAX, formBody } from './bodies/form-body.js';
export { heldOfJson, JSON_TYPE, readJson } from './bodies/json-body.js';
export { textListBody } from './bodies/list-body.js';
export { refuseEncoding, requireMediaType } from './bodies/media-type.js';
export {
  anyObjectBody,
  checkFields,
  type ObjectBody,
  type ObjectDeclaration,
  objectBody,
  objectSchema,
} from './bodies/object-body.js';
export { octetsBody } from './bodies/octets-body.js';
export { ArraySplitter, LineSplitter, RecordError, type RecordSplitter } from './bodies/records.js';
export { type RecordsBody, recordsBody } from './bodies/records-body.js';
export { urlencodedBody } from './bodies/urlencoded-body.js';
export { readWholeBody } from './bodies/whole-body.js';
export { isClientGone } from './client-gone.js';
export { type Asked, type Dialect, type Rendered, renderJson } from './dialect.js';
export { type DynDialect, dynDialect } from './dyn-dialect.js';
export { isObject, type JsonObject, parseJson } from './json.js';
export { type MountParts, mountApis } from './mount.js';
export { NDJSON, NDJSON_CONTENT_TYPE } from './ndjson.js';
export { arrivalOf, findingsOf, hasPlace, userOf } from './observe.js';
export { otherSiteLog } from './other-site-log.js';
export { ownerShown, withinOf } from './owner.js';
export {
  clearedPageCookies,
  cookieValues,
  givenPageCookie,
  onlyCookie,
  PAGE_CSRF_COOKIE,
  PAGE_SESSION_COOKIE,
} from './page-cookies.js';
export { linkNext } from './paging.js';
export { type Parameter, parameterValue, queryParameter } from './parameter.js';
export { PASSWORD_SCHEMA, passwordOf } from './password-field.js';
export type { PlacesInUse } from './place-gauge.js';
export { Places } from './places.js';
export { closedQuery, openQuery } from './query.js';
export { type Means, Reading } from './reading.js';
export { requestIdOf, requireRole } from './required-role.js';
export {
  COOKIE_HEADER,
  EVERY_HEADER,
  FILE_HEADERS,
  headersByStatus,
  locationHeader,
  PAGE_HEADERS,
  RANGE_HEADER,
  TAG_HEADER,
} from './response-headers.js';
export { type Exchange, type Route, route } from './route.js';
export { UndecodablePathError, UnknownPathError, UnservedMethodError } from './routing-errors.js';
export { isSameSecret } from './same-secret.js';
export { type Checked, check, type Schema, told } from './schema.js';
export {
  activeOrganizationOf,
  type Concern,
  everybodys,
  isWithin,
  type KnownOrganizations,
  ORGANIZATION_PARAMETER,
  type Scope,
  scopeOf,
} from './scope.js';
export {
  noSession,
  type SessionLogins,
  sessionAuthentication,
  sessionChallenge,
} from './session-authentication.js';
export { clearedCookie, givenCookie, sessionCookie } from './session-cookie.js';
export { cutFields, jsonPieces, LongList, type StreamedFields, sendStreamed } from './streamed.js';
export { throttled } from './throttled.js';
