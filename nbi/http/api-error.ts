import { UpgradeRunningError } from '../../acs/index.js';
import { PatternError } from '../../common/index.js';
import {
  BuildError,
  type BuildErrorCode,
  ImageError,
  type ImageErrorCode,
  SourceError,
  UploadError,
  type UploadErrorCode,
} from '../../firmware/index.js';
import { OrganizationError, type OrganizationErrorCode } from '../../organizations/index.js';
import { BatchError, type BatchErrorCode } from '../../rollout/index.js';
import { InvalidRuleError, RuleConflictError, UnknownRuleError, writtenId } from '../../rules/index.js';
import { StoreError } from '../../store/index.js';
import { TokenError, type TokenErrorCode, UserError, type UserErrorCode } from '../users/index.js';

/** One thing wrong with a request: where, what should stand there (with the remedy), and what did. */
export interface Problem {
  readonly field: string;
  readonly expected: string;
  readonly found?: string;
  readonly code?: string;
  /** Which entry of an array, counted from 0. */
  readonly item?: number;
  readonly line?: number;
  readonly column?: number;
  /** Entries concerned, or as many of them as fit an answer. */
  readonly ids?: readonly string[];
}

/** What a request is answered with instead of what it asked for; a dialect renders it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly problems: readonly Problem[] = [],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    // An answer, and no fault of ours: nobody asks where it was made, and to look at the stack costs more than a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(
      problems.map(({ field, expected }) => (field === '' ? expected : `${field}: ${expected}`)).join('; '),
    );
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** A 400 about one field. */
export function invalid(field: string, expected: string, found?: unknown): ApiError {
  return new ApiError(400, [
    { field, expected, ...(found === undefined ? {} : { found: shortJson(found) }) },
  ]);
}

const FOUND_CHARACTERS_MAX = 100;

/** A value as JSON fit for an error: cut, and without the inside of arrays and objects. */
export function shortJson(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? value.slice(0, FOUND_CHARACTERS_MAX) : value;
  return `${JSON.stringify(text) ?? 'nothing'}${text === value ? '' : '…'}`;
}

const IMAGE_STATUS: Readonly<Record<ImageErrorCode, number>> = {
  'invalid-metadata': 400,
  'invalid-url': 400,
  'checksum-mismatch': 400,
  incomplete: 400,
  empty: 400,
  'not-found': 404,
  'name-taken': 409,
  invalid: 422,
  contradiction: 422,
  'bad-signature': 422,
  'invalid-key': 400,
  'key-taken': 409,
  'too-many-keys': 409,
  'too-many-unlisted': 409,
  'too-large': 413,
  'no-space': 507,
};

const BUILD_STATUS: Readonly<Record<BuildErrorCode, number>> = {
  invalid: 400,
  'not-found': 404,
  'id-taken': 409,
  'name-taken': 409,
  'version-taken': 409,
  'os-taken': 409,
  'type-taken': 409,
  'has-builds': 409,
  'has-images': 409,
  'too-many': 409,
};
const UPLOAD_STATUS: Readonly<Record<UploadErrorCode, number>> = {
  'wrong-range': 400,
  'not-found': 404,
  ended: 409,
  busy: 409,
  'not-resumable': 409,
  'wrong-offset': 409,
  cancelled: 409,
  'too-many': 429,
};
/** A claim is let go of within as many. */
const UPLOAD_RETRY_SECONDS = '15';

const USER_STATUS: Readonly<Record<UserErrorCode | TokenErrorCode, number>> = {
  invalid: 400,
  'not-found': 404,
  exists: 409,
  'last-admin': 409,
  'changed-meanwhile': 409,
  'too-many': 409,
};
const ORGANIZATION_STATUS: Readonly<Record<OrganizationErrorCode, number>> = {
  invalid: 400,
  'too-many': 400,
  'not-found': 404,
  'slug-taken': 409,
  'id-taken': 409,
  'is-default': 409,
  'slug-in-names': 409,
  'has-cpes': 409,
  'has-users': 409,
  'has-rules': 409,
  'has-batches': 409,
  'has-images': 409,
  'has-builds': 409,
  'has-image-keys': 409,
  'not-active': 409,
};

const BATCH_STATUS: Readonly<Record<BatchErrorCode, number>> = {
  invalid: 400,
  'no-image': 400,
  'no-build': 400,
  'not-found': 404,
  state: 409,
  'under-way': 409,
  moved: 409,
};

const RUNNING_IDS_SHOWN_MAX = 100;
const UNKNOWN_IDS_SHOWN_MAX = 100;

/** @param ids  as they are written; one at least */
export function noSuchRules(ids: readonly string[]): ApiError {
  const others = ids.length > 1 ? `, nor ${ids.length - 1} more of those named` : '';
  const expected = `there is no rule ${shortJson(ids[0])}${others}`;
  return new ApiError(404, [{ field: 'id', expected, ids: ids.slice(0, UNKNOWN_IDS_SHOWN_MAX) }]);
}

/** What a domain error means over HTTP; null for one that no client can have caused. */
export function toApiError(error: unknown): ApiError | null {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidRuleError) return new ApiError(400, error.problems);
  if (error instanceof RuleConflictError) {
    return new ApiError(409, [
      { field: 'id', code: error.reason, expected: error.message, found: shortJson(writtenId(error.ruleId)) },
    ]);
  }
  if (error instanceof UnknownRuleError) {
    return noSuchRules(error.ids.map(writtenId));
  }
  if (error instanceof UpgradeRunningError) return runningError(error.ids);
  if (error instanceof ImageError) {
    return new ApiError(IMAGE_STATUS[error.code], [
      { field: error.field ?? '', code: error.code, expected: error.message },
    ]);
  }
  if (error instanceof BuildError) {
    const { code, field, expected } = error;
    return new ApiError(BUILD_STATUS[code], [{ field, code, expected }]);
  }
  if (error instanceof UploadError) return uploadError(error);
  if (error instanceof BatchError) {
    const { code, field, expected } = error;
    return new ApiError(
      BATCH_STATUS[code],
      code === 'not-found' ? [] : [{ field: field ?? '', code, expected }],
    );
  }
  if (error instanceof SourceError) return invalid('url', error.message);
  if (error instanceof UserError || error instanceof TokenError) {
    return new ApiError(USER_STATUS[error.code], [
      { field: error.field, code: error.code, expected: error.message },
    ]);
  }
  if (error instanceof OrganizationError)
    return new ApiError(ORGANIZATION_STATUS[error.code], error.problems);
  if (error instanceof PatternError) return invalid('pattern', error.message);
  if (error instanceof StoreError) return storeError(error);
  return null;
}

function uploadError({ code, field, message }: UploadError): ApiError {
  const passes = code === 'busy' || code === 'too-many';
  const headers = passes ? { 'Retry-After': UPLOAD_RETRY_SECONDS } : {};
  return new ApiError(
    UPLOAD_STATUS[code],
    code === 'not-found' ? [] : [{ field, code, expected: message }],
    headers,
  );
}

export function runningError(ids: readonly string[]): ApiError {
  return new ApiError(409, [
    {
      field: 'status',
      code: 'running',
      expected:
        'true: these upgrades still run; delete their results once they have ended, or add status=true',
      ids: ids.slice(0, RUNNING_IDS_SHOWN_MAX),
    },
  ]);
}

/** @param areOthersGone  whether what else was selected has been deleted by now */
export function upgradingError(cpeids: readonly string[], areOthersGone: boolean): ApiError {
  const others = areOthersGone ? ' The others were deleted.' : '';
  return new ApiError(409, [
    {
      field: 'upgrade',
      code: 'upgrading',
      expected: `null: these CPEs have an upgrade under way; delete them once it has ended, or add upgrade=null.${others}`,
      ids: cpeids.slice(0, RUNNING_IDS_SHOWN_MAX),
    },
  ]);
}

function storeError(error: StoreError): ApiError | null {
  switch (error.code) {
    case 'no-space':
      return new ApiError(507, [
        { field: '', code: error.code, expected: 'free space on the disk of the store' },
      ]);
    case 'unavailable':
    case 'closed':
      return new ApiError(
        503,
        [{ field: '', code: 'unavailable', expected: 'the store to be reachable: try again' }],
        { 'Retry-After': '5' },
      );
    // Nothing that a client could do otherwise: the log tells the operator.
    case 'damaged':
      return null;
    // Whatever the checks at the edge let through, it is the request that the store cannot hold or look for.
    case 'bad-document':
    case 'bad-query':
      return new ApiError(400, [{ field: '', code: error.code, expected: error.message }]);
    default:
      return error.code satisfies never;
  }
}
