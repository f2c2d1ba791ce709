export {
  type Asking,
  askingOf,
  isShown,
  lastOf,
  type OwnedBy,
  ownersOf,
  requireOwn,
  requireWriter,
} from './asking.js';
export { upgraderAuthentication } from './authentication.js';
export {
  A_FILE,
  type BodyData,
  fieldsBody,
  formParser,
  JSON_TYPE,
  mediaTypeOf,
  multipartError,
  PARTS_TYPE,
  unsupported,
} from './body.js';
export { sending } from './call.js';
export { jsonAnswers, upgraderSchemas } from './declaration.js';
export { upgraderDialect } from './dialect.js';
export {
  allowOf,
  type Call,
  type Endpoint,
  fullPath,
  type Method,
  type MethodName,
  PREFIX,
} from './endpoint.js';
export { type Choice, type Field, labelOf, type Said, schemaOf } from './field.js';
export { type Filter, type Filtered, filtered } from './filter.js';
export { mannersOf } from './headers.js';
export { absoluteUrl } from './links.js';
export type { ListSource, Order, Ordering } from './list.js';
export { representationOf } from './negotiation.js';
export type { EndpointParts, Page, PageMaker } from './page.js';
export { optionsOf, routesOf, unservedRoute } from './routes.js';
export { LongList, type StreamedFields } from './streamed.js';
export { RequestThrottle } from './throttle.js';
export { timeText } from './times.js';
export {
  detail,
  type FieldProblems,
  NO_PERMISSION,
  noneOf,
  noObject,
  noPermission,
  notUnique,
  UpgraderError,
  wrongFields,
  wrongObject,
} from './upgrader-error.js';
export { PATH_ID, uuidIn } from './uuid.js';
export { fieldProblems, noPk, type References, said } from './validation.js';
