export {
  type Asking,
  isShown,
  lastOf,
  ownersOf,
  requireOwn,
  unnarrowed,
} from './asking.js';
export { upgraderAuthentication } from './authentication.js';
export {
  type BodyData,
  fieldsBody,
  formParser,
  mediaTypeOf,
  multipartError,
  PARTS_TYPE,
} from './body.js';
export { sending } from './call.js';
export { jsonAnswers, upgraderSchemas, WRITE_ANSWERS } from './declaration.js';
export { upgraderDialect } from './dialect.js';
export {
  allowOf,
  type Call,
  type Endpoint,
  fullPath,
  PREFIX,
} from './endpoint.js';
export { type Field, labelOf } from './field.js';
export { type Filter, type Filtered, filtered } from './filter.js';
export { mannersOf } from './headers.js';
export { absoluteUrl } from './links.js';
export { isNewestFirst, type ListSource, type Ordering } from './list.js';
export { representationOf } from './negotiation.js';
export type { Page, PageMaker } from './page.js';
export { optionsOf, routesOf, unservedRoute } from './routes.js';
export { RequestThrottle } from './throttle.js';
export { timeText } from './times.js';
export {
  detail,
  type FieldProblems,
  noneOf,
  noObject,
  noPermission,
  notUnique,
  UpgraderError,
  wrongFields,
  wrongObject,
} from './upgrader-error.js';
export { PATH_ID } from './uuid.js';
export { fieldProblems, noPk, said } from './validation.js';
