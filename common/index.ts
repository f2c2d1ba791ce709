export type { Brand, CommandKey, CountKey, CpeId, ResultId, RuleId } from './brand.js';
export { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, systemClock } from './clock.js';
export { compareText } from './compare-text.js';
export { EVENT_CODES } from './event-codes.js';
export { exists } from './exists.js';
export { FILE_URL_CHARACTERS_MAX, type FileUrl, fileServerOf, fileUrlOf } from './file-url.js';
export { LinearRegExp, PATTERN_CHARACTERS_MAX, PatternError } from './linear-regexp.js';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogOptions,
  silentLogger,
} from './log.js';
export { ownProcessMark, type ProcessMark, processState } from './process-mark.js';
export { type RefusalReason, RefusedRequests, type RefusedRequestsParts } from './refused-requests.js';
export { createSecrets, loadSecrets, MasterKeyError, readSecrets, type Secrets } from './secrets.js';
export { Seldom } from './seldom.js';
export { suggest } from './suggest.js';
export { cutText } from './text.js';
export { withinTime } from './within-time.js';
export { epochMsOf, ZONED_TIME_PATTERN } from './zoned-time.js';
