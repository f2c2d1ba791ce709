import { ApiError, type JsonObject } from '../http/index.js';

/** An answer that the dialect words by itself: what is wrong has a type, words, and details of the type's own shape. */
export class SlotsApiError extends ApiError {
  constructor(
    status: number,
    readonly type: string,
    readonly words: string,
    readonly details: JsonObject,
  ) {
    super(status, [{ field: '', expected: words, code: type }]);
  }
}

/** @param mountPoint  the path below `/api` whose things are meant @param resource  the key of the one that there is not */
export function noResource(mountPoint: string, resource: string): SlotsApiError {
  const details = { mount_point: mountPoint, resource };
  return new SlotsApiError(404, 'ResourceNotFound', 'Resource was not found', details);
}

/** The body lacks what it must have. */
export function incompleteBody(paths: readonly string[]): SlotsApiError {
  const words = 'Some paths were missing from the request body';
  return new SlotsApiError(400, 'IncompleteRequestBodyError', words, { missing_paths: paths });
}

/** Something of the body is not what it should be. */
export function invalidBody(path: string, expected: string): SlotsApiError {
  const words = 'The request body cannot be used';
  return new SlotsApiError(400, 'InvalidRequestBodyError', words, { path, expected });
}

export function messageMissing(): SlotsApiError {
  const words = 'An upgrade needs a message that says why';
  return new SlotsApiError(400, 'UpgradeMessageMissing', words, { path: 'message' });
}

/** @param summary  the lines of the test */
export function testFailed(summary: string): SlotsApiError {
  const details = { exit_code: TEST_FAILED_EXIT_CODE, test_summary: summary };
  return new SlotsApiError(400, 'FirmwareTestFailed', 'The firmware test failed', details);
}

const TEST_FAILED_EXIT_CODE = 1;

export function notAllowed(mountPoint: string, resource: string, reason: string): SlotsApiError {
  const details = { mount_point: mountPoint, resource, reason };
  return new SlotsApiError(403, 'OperationNotAllowed', 'The operation is not allowed', details);
}

/** @param type  says which there is no room for @param expected  how to make some */
export function noRoom(
  type: 'NoEmptySlot' | 'TooManyFetches',
  words: string,
  expected: string,
): SlotsApiError {
  return new SlotsApiError(409, type, words, { expected });
}
