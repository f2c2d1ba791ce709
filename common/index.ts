export { isListed, networkOf, plainAddress, subnetList } from './addresses.js';
export { Background, type Turn } from './background.js';
export type {
  BatchId,
  Brand,
  CommandKey,
  CountKey,
  CpeId,
  OperationId,
  OrganizationId,
  ResultId,
  RuleId,
} from './brand.js';
export { clientAddress } from './client-address.js';
export {
  CLOCKS_APART_MS_MAX,
  type Clock,
  ClockSteps,
  DAY_MS,
  HOUR_MS,
  isAhead,
  MINUTE_MS,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
  stillHolds,
  systemClock,
} from './clock.js';
export { compareText } from './compare-text.js';
export { refuseEarlyAs } from './early-refusal.js';
export { Entrance } from './entrance.js';
export { EVENT_CODES } from './event-codes.js';
export { exists } from './exists.js';
export {
  type FairConnectionsOptions,
  type SharedConnections,
  type Spare,
  shareConnections,
} from './fair-connections.js';
export {
  FILE_URL_CHARACTERS_MAX,
  type FileUrl,
  fileServerOf,
  fileUrlOf,
  lacksQueryValues,
  withoutQueryValues,
  withoutSecrets,
} from './file-url.js';
export {
  AUTHORIZATION_CHARACTERS_MAX,
  type AuthScheme,
  type DigestAlgorithm,
  digestAlgorithm,
  digestResponse,
  digestSecret,
  HttpAuthenticator,
  type HttpAuthenticatorParts,
  NONCE_MS_MAX,
  type NonceLaw,
  Nonces,
  type NonceUse,
  type RequestHead,
  readAuthorization,
  SpentNonces,
  type Verdict,
  WrongCredentials,
} from './http-auth/index.js';
export { cutIdleReaders } from './idle-readers.js';
export { type JsonRead, jsonBegin, readingJson, walkJson } from './json.js';
export { expectedInstead, JsonFault, type JsonFaultKind, type JsonSyntax } from './json-fault.js';
export { JSON_NUMBER_CHARACTERS_MAX, JSON_TEXT_BYTES_MAX, type JsonBounds } from './json-scan.js';
export { jsonSlip } from './json-slip.js';
export { jsonSyntaxError } from './json-syntax.js';
export { LinearRegExp, PATTERN_CHARACTERS_MAX, PatternError } from './linear-regexp.js';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogOptions,
  silentLogger,
} from './log.js';
export { MinuteCounts, secondsUntil } from './minute-counts.js';
export { oneAtATime } from './one-at-a-time.js';
export { ownProcessMark, type ProcessMark, processState } from './process-mark.js';
export {
  addressOf,
  type RefusalReason,
  RefusedRequests,
  type RefusedRequestsParts,
} from './refused-requests.js';
export { Rounds } from './rounds.js';
export { runsTarget, type TargetVersion } from './runs-target.js';
export { isDeviceTreeBoard, sameBoard } from './same-board.js';
export {
  createSecrets,
  loadSecrets,
  MasterKeyError,
  readMasterKey,
  readSecrets,
  type Secrets,
} from './secrets.js';
export { Seldom } from './seldom.js';
export { atOnce, inTurns, STRETCH_MS_MAX, type Steps, withPauses } from './steps.js';
export { noteStreamed } from './streamed.js';
export { suggest } from './suggest.js';
export { cutText, INVISIBLE } from './text.js';
export { type TextPlace, TextPlaces } from './text-places.js';
export { createTurns, type InTurn } from './turns.js';
export { UUID, uuidText } from './uuid.js';
export { uuidV5 } from './uuid-v5.js';
export { whenOver } from './when-over.js';
export { withinTime } from './within-time.js';
export { epochMsOf, ZONED_TIME_PATTERN } from './zoned-time.js';
